using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Penjing.Engine.X64;

/// <summary>
/// The machine code of one height and width of <see cref="DotTiles"/>. Registers of the inner loop: rax counts up to 0, rcx is in the panel, rdx is spare, and all others
/// but the stack's point to the ends of rows; of more rows than these, pointers are on the stack. Vectors from 0 on: the sums of a row after those of the one before it.
/// </summary>
internal sealed class DotCode : SumCode<DotTiles>
{
    // Vectors behind those of sums: weights, a row's word or the one of the row before, an addend, and what is added to all.
    private const int Weights = 28, Left = 30, Addend = 30, Less = 31;

    // What lies on the stack.
    private const int Tiles = 0, TilesLeft = 8, SegmentsLeft = 16, Segment = 24, Table = 32, Ahead = 40, Far = 48, StackBytes = 72;

    private static readonly AssemblerRegister64[] near = [rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];

    // Where outputs and addends of rows that are finished together begin.
    private static readonly AssemblerRegister64[] outputs = [rsi, rdi, r8, r9], addends = [r10, r11, r12, r13];

    private readonly DotTile tile;

    private DotCode(DotTile tile) : base(tile.End) => this.tile = tile;

    /// <summary>The code of a tile.</summary>
    public static byte[] Of(DotTile tile)
    {
        DotCode code = new(tile);
        code.Write();
        return code.Assemble();
    }

    private static AssemblerMemoryOperand OnStack(int place) => __qword_ptr[rsp + place];

    private AssemblerRegisterZMM Sum(int row, int vector) => Z(row * tile.Vectors + vector);

    private void Write()
    {
        Enter();
        Code.sub(rsp, StackBytes);
        Code.mov(OnStack(Tiles), rdi);
        foreach ((int place, string field) in new[] { (Table, nameof(DotTiles.Table)), (TilesLeft, nameof(DotTiles.Count)), (Ahead, nameof(DotTiles.Ahead)) })
        {
            Code.mov(rax, __qword_ptr[rdi + At(field)]);
            Code.mov(OnStack(place), rax);
        }
        (Label next, Label segment) = (Code.CreateLabel(), Code.CreateLabel());
        Code.Label(ref next);
        Begin();
        Code.Label(ref segment);
        Ask();
        Point();
        Multiply();
        Code.dec(OnStack(SegmentsLeft));
        Code.jnz(segment);
        Finish();
        Code.mov(rdx, __qword_ptr[rax + At(nameof(DotTiles.Apart))]);
        Code.add(OnStack(Table), rdx);
        Code.dec(OnStack(TilesLeft));
        Code.jnz(next);
        Code.add(rsp, StackBytes);
        Leave();
    }

    /// <summary>All sums begin with their column's bias.</summary>
    private void Begin()
    {
        Code.mov(rdx, OnStack(Tiles));
        Code.mov(rcx, __qword_ptr[rdx + At(nameof(DotTiles.Panel))]);
        for (int vector = 0; vector < tile.Vectors; vector++)
        {
            Code.vmovdqu32(Sum(0, vector), __zmmword_ptr[rcx + Line * vector]);
            for (int row = 1; row < tile.Rows; row++) Code.vmovdqa32(Sum(row, vector), Sum(0, vector));
        }
        Code.add(rcx, Line * tile.Vectors);
        Code.mov(rax, __qword_ptr[rdx + At(nameof(DotTiles.Segments))]);
        Code.mov(OnStack(SegmentsLeft), rax);
        Code.mov(rax, OnStack(Table));
        Code.add(rax, Pointer * tile.Rows);
        Code.mov(OnStack(Segment), rax);
    }

    /// <summary>Asks for a segment's share of what comes next; leaves the tiles in rdx.</summary>
    private void Ask()
    {
        Code.mov(rdx, OnStack(Tiles));
        Code.mov(rax, OnStack(Ahead));
        Code.mov(rbx, __qword_ptr[rdx + At(nameof(DotTiles.Share))]);
        Code.add(OnStack(Ahead), rbx);
        Code.mov(rbx, __qword_ptr[rdx + At(nameof(DotTiles.Lines))]);
        Label line = Code.CreateLabel();
        Code.Label(ref line);
        Code.prefetcht1(__byte_ptr[rax]);
        Code.add(rax, Line);
        Code.dec(rbx);
        Code.jnz(line);
    }

    /// <summary>Points to where each row's segment ends.</summary>
    private void Point()
    {
        Code.mov(rax, __qword_ptr[rdx + At(nameof(DotTiles.Left))]);
        Code.add(rax, __qword_ptr[rdx + At(nameof(DotTiles.Bytes))]);
        Code.mov(rdx, OnStack(Segment));
        for (int row = tile.Rows - 1; row >= 0; row--)
        {
            AssemblerRegister64 pointer = near[row < near.Length ? row : 0];
            Code.mov(pointer, rax);
            Code.add(pointer, __qword_ptr[rdx + Pointer * row]);
            if (row >= near.Length) Code.mov(OnStack(Far + Pointer * (row - near.Length)), pointer);
        }
        Code.add(rdx, Pointer * tile.Rows);
        Code.mov(OnStack(Segment), rdx);
        Code.mov(rdx, OnStack(Tiles));
        Code.xor(eax, eax);
        Code.sub(rax, __qword_ptr[rdx + At(nameof(DotTiles.Bytes))]);
    }

    /// <summary>The inner loop, over a segment's words.</summary>
    private void Multiply()
    {
        Label word = Code.CreateLabel();
        Code.Label(ref word);
        for (int vector = 0; vector < tile.Vectors; vector++) Code.vmovdqu32(Z(Weights + vector), __zmmword_ptr[rcx + Line * vector]);
        for (int row = 0; row < tile.Rows; row++)
        {
            AssemblerRegister64 pointer = row < near.Length ? near[row] : rdx;
            if (row >= near.Length) Code.mov(rdx, OnStack(Far + Pointer * (row - near.Length)));
            AssemblerRegisterZMM left = Z(Left + row % 2);
            Code.vpbroadcastd(left, __dword_ptr[pointer + rax]);
            for (int vector = 0; vector < tile.Vectors; vector++) Code.vpdpbusd(Sum(row, vector), left, Z(Weights + vector));
        }
        Code.add(rcx, Line * tile.Vectors);
        Code.add(rax, Word);
        Code.jnz(word);
    }

    /// <summary>Writes all outputs of a tile; leaves the tiles in rax.</summary>
    private void Finish()
    {
        Code.mov(rax, OnStack(Tiles));
        Code.mov(rcx, OnStack(Table));
        Code.mov(rdx, __qword_ptr[rax + At(nameof(DotTiles.Scales))]);
        if (Has(DotEnd.Adds)) Code.mov(rbx, OnStack(Segment));
        if (!tile.Whole)
        {
            Code.kmovq(k1, __qword_ptr[rax + At(nameof(DotTiles.Columns))]);
            Code.kshiftrq(k2, k1, 16);
        }
        if (!Has(DotEnd.Reals)) Prepare();
        if (Has(DotEnd.Multiplies)) Code.vbroadcastss(Z(Less), __dword_ptr[rax + At(nameof(DotTiles.Less))]);
        int most = 4 / tile.Vectors;
        for (int first = 0; first < tile.Rows; first += most)
        {
            int count = Math.Min(most, tile.Rows - first);
            for (int i = 0; i < count; i++)
            {
                Code.mov(outputs[i], __qword_ptr[rcx + Pointer * (first + i)]);
                Code.add(outputs[i], __qword_ptr[rax + At(nameof(DotTiles.Output))]);
                if (!Has(DotEnd.Adds)) continue;
                Code.mov(addends[i], __qword_ptr[rbx + Pointer * (first + i)]);
                Code.add(addends[i], __qword_ptr[rax + At(nameof(DotTiles.Addend))]);
            }
            for (int i = 0; i < count; i++)
                for (int vector = 0; vector < tile.Vectors; vector++) MakeReal(Sum(first + i, vector), vector, addends[i]);
            if (!Has(DotEnd.Reals)) StoreBytes(first, count);
            else
                for (int i = 0; i < count; i++)
                    for (int vector = 0; vector < tile.Vectors; vector++) Code.vmovups(Part(__zmmword_ptr[outputs[i] + Line * vector], vector), Sum(first + i, vector));
        }
    }

    /// <summary>Sums times their scales, with an addend where there is one.</summary>
    private void MakeReal(AssemblerRegisterZMM sum, int vector, AssemblerRegister64 addend)
    {
        Code.vcvtdq2ps(sum, sum);
        Code.vmulps(sum, sum, __zmmword_ptr[rdx + Line * vector]);
        if (Has(DotEnd.Rounds))
        {
            Bound(sum, nameof(DotTiles.OwnLeast), nameof(DotTiles.OwnMost));
            Code.vrndscaleps(sum, sum, 0);
        }
        if (!Has(DotEnd.Adds)) return;
        AssemblerRegisterZMM bytes = Z(Addend);
        Code.vpmovzxbd(tile.Whole ? bytes : (vector == 0 ? bytes.k1 : bytes.k2).z, __xmmword_ptr[addend + Line / Word * vector]);
        Code.vpxord(bytes, bytes, Field(nameof(DotTiles.AddendFlip)));
        Code.vcvtdq2ps(bytes, bytes);
        if (Has(DotEnd.Multiplies))
        {
            Code.vfmadd132ps(sum, Z(Less), Field(nameof(DotTiles.OwnFactor)));
            Code.vfmadd231ps(sum, bytes, Field(nameof(DotTiles.AddendFactor)));
            return;
        }
        if (Has(DotEnd.Rounds)) Code.vmulps(sum, sum, Field(nameof(DotTiles.OwnStep)));
        Code.vaddps(bytes, bytes, Field(nameof(DotTiles.AddendLess)));
        Code.vmulps(bytes, bytes, Field(nameof(DotTiles.AddendScale)));
        Code.vaddps(sum, sum, bytes);
        Code.vdivps(sum, sum, Field(nameof(DotTiles.Divisor)));
    }

    /// <summary>Rounds the reals of rows that make four vectors, or fewer, and stores them.</summary>
    private void StoreBytes(int first, int count)
    {
        int one = first * tile.Vectors, vectors = count * tile.Vectors;
        Round(one, vectors);
        (AssemblerRegisterZMM all, AssemblerRegisterYMM half, AssemblerRegisterXMM quarter) = (Z(one), Y(one), new(Register.XMM0 + one));
        for (int i = 0; i < count; i++)
            if (tile.Vectors == 2)
            {
                if (i > 0) Code.vextracti64x4(half, all, (byte)i);
                Code.vmovdqu8(Part(__ymmword_ptr[outputs[i]]), half);
            }
            else
            {
                AssemblerRegisterXMM part = i == 0 ? quarter : xmm30;
                if (i > 0) Code.vextracti32x4(part, all, (byte)i);
                Code.vmovdqu8(Part(__xmmword_ptr[outputs[i]]), part);
            }
    }

    /// <summary>The columns that there are, of all or of the second vector.</summary>
    private AssemblerMemoryOperand Part(AssemblerMemoryOperand columns, int vector = 0) => tile.Whole ? columns : vector == 0 ? columns.k1 : columns.k2;
}
