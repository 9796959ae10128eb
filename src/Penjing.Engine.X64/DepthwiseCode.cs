using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Penjing.Engine.X64;

/// <summary>
/// The machine code of <see cref="DotColumns"/>: for each output column the input columns that are new become words of four rows, a word for each channel; words of the last three columns stay in
/// registers. Vectors: weights from 0 on, 12 to 17 for words, 18 to 21 for sums, 22 and 23 for biases, 24 and 25 for the order that makes words, 26 and 27 for four rows' bytes, 30 for words
/// outside of the picture, 31 for what bytes are combined with.
/// </summary>
internal sealed class DepthwiseCode : SumCode<DotColumns>
{
    private const int Side = 3, Halves = 2, Words = 12, Sums = 18, Biases = 22, Order = 24, Bytes = 26, Outside = 30, Flip = 31;

    private readonly DotDepthwise shape;

    private DepthwiseCode(DotDepthwise shape) : base(shape.End) => this.shape = shape;

    /// <summary>The code of a shape.</summary>
    public static byte[] Of(DotDepthwise shape)
    {
        DepthwiseCode code = new(shape);
        code.Write();
        return code.Assemble();
    }

    private static AssemblerMemoryOperand Value(string field) => __qword_ptr[rax + At(field)];

    private void Write()
    {
        Enter();
        Code.mov(rax, rdi);
        foreach ((AssemblerRegister64 register, string field) in new[]
        {
            (r8, nameof(DotColumns.Row0)), (r9, nameof(DotColumns.Row1)), (r10, nameof(DotColumns.Row2)), (r11, nameof(DotColumns.Row3)), (rsi, nameof(DotColumns.Columns)),
            (rdx, nameof(DotColumns.Output)), (rcx, nameof(DotColumns.Below)), (rbx, nameof(DotColumns.OutputPitch)), (rbp, nameof(DotColumns.Count)), (r12, nameof(DotColumns.Packed)),
        }) Code.mov(register, Value(field));
        Prepare();
        Code.vpbroadcastd(Z(Outside), __dword_ptr[rax + At(nameof(DotColumns.Outside))]);
        if (shape.Flips) Code.vmovdqu32(Z(Flip), __zmmword_ptr[Constant([.. Enumerable.Repeat((byte)0x80, Line)])]);
        // Packed are the biases and the scales of both halves, then the weights.
        for (int half = 0; half < Halves; half++)
        {
            Code.vmovdqu32(Z(Biases + half), __zmmword_ptr[r12 + Line * half]);
            Code.vmovdqu32(Z(Order + half), __zmmword_ptr[Constant([.. from channel in Enumerable.Range(16 * half, 16) from row in Enumerable.Range(0, 4) select (byte)(32 * row + channel)])]);
        }
        for (int i = 0; i < shape.Rows * Side * Halves; i++) Code.vmovdqu32(Z(i), __zmmword_ptr[r12 + Line * (2 * Halves + i)]);
        (Label next, Label done) = (Code.CreateLabel(), Code.CreateLabel());
        int kept = Side - shape.Stride;
        for (int column = 0; column < kept; column++) Load(column);
        // Labels need instructions of their own.
        Code.nop();
        Code.Label(ref next);
        // The columns of words change places from output to output: after three all are where they were.
        for (int turn = 0, first = 0; turn < Side; turn++, first = (first + shape.Stride) % Side)
        {
            for (int column = kept; column < Side; column++) Load((first + column) % Side);
            Multiply(first);
            Store();
            Code.dec(rbp);
            Code.jz(done);
        }
        Code.jmp(next);
        Code.Label(ref done);
        Leave();
    }

    /// <summary>Makes words of the next input column.</summary>
    private void Load(int column)
    {
        (Label outside, Label done) = (Code.CreateLabel(), Code.CreateLabel());
        Code.mov(rdi, __qword_ptr[rsi]);
        Code.add(rsi, Pointer);
        Code.test(rdi, rdi);
        Code.js(outside);
        foreach ((int pair, AssemblerRegister64 upper, AssemblerRegister64 lower) in new[] { (0, r8, r9), (1, r10, r11) })
        {
            Code.vmovdqu32(Y(Bytes + pair), __ymmword_ptr[upper + rdi]);
            Code.vinserti64x4(Z(Bytes + pair), Z(Bytes + pair), __ymmword_ptr[lower + rdi], 1);
        }
        for (int half = 0; half < Halves; half++)
        {
            Code.vmovdqa32(WordsOf(column, half), Z(Order + half));
            Code.vpermi2b(WordsOf(column, half), Z(Bytes), Z(Bytes + 1));
            if (shape.Flips) Code.vpxord(WordsOf(column, half), WordsOf(column, half), Z(Flip));
        }
        Code.jmp(done);
        Code.Label(ref outside);
        for (int half = 0; half < Halves; half++) Code.vmovdqa32(WordsOf(column, half), Z(Outside));
        Code.Label(ref done);
    }

    private static AssemblerRegisterZMM WordsOf(int column, int half) => Z(Words + Halves * column + half);

    /// <summary>The sums of an output column, the first of whose input columns is given.</summary>
    private void Multiply(int first)
    {
        for (int row = 0; row < shape.Rows; row++)
            for (int half = 0; half < Halves; half++) Code.vmovdqa32(Z(Sums + Halves * row + half), Z(Biases + half));
        for (int column = 0; column < Side; column++)
            for (int row = 0; row < shape.Rows; row++)
                for (int half = 0; half < Halves; half++)
                    Code.vpdpbusd(Z(Sums + Halves * row + half), WordsOf((first + column) % Side, half), Z((row * Side + column) * Halves + half));
    }

    private void Store()
    {
        for (int i = 0; i < shape.Rows * Halves; i++)
        {
            Code.vcvtdq2ps(Z(Sums + i), Z(Sums + i));
            Code.vmulps(Z(Sums + i), Z(Sums + i), __zmmword_ptr[r12 + Line * (Halves + i % Halves)]);
        }
        Round(Sums, shape.Rows * Halves);
        Code.vmovdqu32(__ymmword_ptr[rdx], Y(Sums));
        Code.add(rdx, rbx);
        if (shape.Rows == 1) return;
        Code.vextracti64x4(__ymmword_ptr[rcx], Z(Sums), 1);
        Code.add(rcx, rbx);
    }
}
