using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Penjing.Engine.X64;

/// <summary>
/// Machine code that makes 8-bit integers of sums: what products and depthwise convolutions have in common. rax points to a <typeparamref name="T"/>, whose fields bear the same names.
/// </summary>
internal abstract class SumCode<T> where T : unmanaged
{
    protected const int Line = 64, Word = 4, Pointer = 8;

    // Vectors: the zero point in all words, and the order of quads.
    private const int Zero = 28, Quads = 29;

    private static readonly AssemblerRegister64[] saved = [rbx, rbp, r12, r13, r14, r15];

    private readonly DotEnd end;
    private readonly Label quads;
    private readonly List<(Label Place, byte[] Bytes)> constants = [];

    protected SumCode(DotEnd end)
    {
        this.end = end;
        // Four vectors of sums, packed, are quads of their first four columns, then of the next: this order makes rows of them.
        quads = Constant([.. Enumerable.Range(0, 16).SelectMany(i => BitConverter.GetBytes(i % 4 * 4 + i / 4))]);
    }

    /// <summary>What has been written.</summary>
    protected Assembler Code { get; } = new(64);

    /// <summary>The finished code, constants behind it.</summary>
    protected byte[] Assemble()
    {
        foreach ((Label place, byte[] bytes) in constants)
        {
            Label label = place;
            Code.Label(ref label);
            Code.db(bytes);
        }
        using var all = new MemoryStream();
        Code.Assemble(new StreamCodeWriter(all), 0);
        return all.ToArray();
    }

    /// <summary>Keeps the registers that are the caller's.</summary>
    protected void Enter()
    {
        foreach (AssemblerRegister64 register in saved) Code.push(register);
    }

    /// <summary>Gives them back and returns.</summary>
    protected void Leave()
    {
        Code.vzeroupper();
        foreach (AssemblerRegister64 register in saved.Reverse()) Code.pop(register);
        Code.ret();
    }

    /// <summary>A constant behind the code.</summary>
    protected Label Constant(byte[] bytes)
    {
        constants.Add((Code.CreateLabel(), bytes));
        return constants[^1].Place;
    }

    protected bool Has(DotEnd flag) => end.HasFlag(flag);

    protected static AssemblerRegisterZMM Z(int number) => new(Register.ZMM0 + number);

    protected static AssemblerRegisterYMM Y(int number) => new(Register.YMM0 + number);

    /// <summary>Bytes from where a <typeparamref name="T"/> begins to a field.</summary>
    protected static int At(string field) => (int)Marshal.OffsetOf<T>(field);

    /// <summary>A float of all lanes.</summary>
    protected static AssemblerMemoryOperand Field(string name) => __dword_bcst[rax + At(name)];

    /// <summary>Loads what <see cref="Round"/> needs.</summary>
    protected void Prepare()
    {
        Code.vpbroadcastw(Z(Zero), __word_ptr[rax + At(nameof(DotTiles.Zero))]);
        Code.vmovdqu32(Z(Quads), __zmmword_ptr[quads]);
    }

    protected void Bound(AssemblerRegisterZMM real, string least, string most)
    {
        Code.vmaxps(real, real, Field(least));
        Code.vminps(real, real, Field(most));
    }

    /// <summary>Makes bytes of the reals in up to four vectors from one on: those of the first two, or one where rows are one vector wide, then of the next.</summary>
    protected void Round(int one, int vectors)
    {
        for (int i = 0; i < vectors; i++)
        {
            if (Has(DotEnd.Bounds)) Bound(Z(one + i), nameof(DotTiles.Least), nameof(DotTiles.Most));
            Code.vcvtps2dq(Z(one + i), Z(one + i));
        }
        for (int i = 0; i < vectors; i += 2)
        {
            Code.vpackssdw(Z(one + i), Z(one + i), Z(one + Math.Min(i + 1, vectors - 1)));
            Code.vpaddsw(Z(one + i), Z(one + i), Z(Zero));
        }
        (AssemblerRegisterZMM all, AssemblerRegisterZMM rest) = (Z(one), Z(vectors > 2 ? one + 2 : one));
        if (Has(DotEnd.Signed)) Code.vpacksswb(all, all, rest);
        else Code.vpackuswb(all, all, rest);
        Code.vpermd(all, Z(Quads), all);
    }
}
