using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Penjing.Engine.X64;

/// <summary>
/// The machine code of one height and width of <see cref="DotTiles"/>. Registers of the inner loop: rax counts up to 0, rcx is in the panel, rdx is spare, and all others
/// but the stack's point to the ends of rows; of more rows than these, pointers are on the stack. Vectors: the sums of a row after those of the one before it, from 0 on,
/// then 28 and 29 for weights, 30 and 31 for a row's word.
/// </summary>
internal sealed class DotCode
{
    private const int Line = 64, Word = 4, Pointer = 8;

    // What lies on the stack.
    private const int Tiles = 0, TilesLeft = 8, SegmentsLeft = 16, Segment = 24, Table = 32, Ahead = 40, Far = 48, StackBytes = 72;

    private static readonly AssemblerRegister64[] near = [rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15], saved = [rbx, rbp, r12, r13, r14, r15];

    // Where outputs and addends of rows that are finished together begin.
    private static readonly AssemblerRegister64[] outputs = [rsi, rdi, r8, r9], addends = [r10, r11, r12, r13];

    private readonly Assembler code = new(64);
    private readonly DotTile tile;
    private readonly Label order;

    private DotCode(DotTile tile) => (this.tile, order) = (tile, code.CreateLabel());

    /// <summary>The code of a tile.</summary>
    public static byte[] Of(DotTile tile)
    {
        Assembler code = new DotCode(tile).Write();
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), 0);
        return bytes.ToArray();
    }

    private bool Has(DotEnd flag) => tile.End.HasFlag(flag);

    private static AssemblerRegisterZMM Z(int number) => new(Register.ZMM0 + number);

    private static AssemblerMemoryOperand OnStack(int place) => __qword_ptr[rsp + place];

    /// <summary>Bytes from where <see cref="DotTiles"/> begins to a field.</summary>
    private static int At(string field) => (int)Marshal.OffsetOf<DotTiles>(field);

    private AssemblerRegisterZMM Sum(int row, int vector) => Z(row * tile.Vectors + vector);

    private Assembler Write()
    {
        foreach (AssemblerRegister64 register in saved) code.push(register);
        code.sub(rsp, StackBytes);
        code.mov(OnStack(Tiles), rdi);
        foreach ((int place, string field) in new[] { (Table, nameof(DotTiles.Table)), (TilesLeft, nameof(DotTiles.Count)), (Ahead, nameof(DotTiles.Ahead)) })
        {
            code.mov(rax, __qword_ptr[rdi + At(field)]);
            code.mov(OnStack(place), rax);
        }
        (Label next, Label segment) = (code.CreateLabel(), code.CreateLabel());
        code.Label(ref next);
        Begin();
        code.Label(ref segment);
        Ask();
        Point();
        Multiply();
        code.dec(OnStack(SegmentsLeft));
        code.jnz(segment);
        Finish();
        code.mov(rdx, __qword_ptr[rax + At(nameof(DotTiles.Apart))]);
        code.add(OnStack(Table), rdx);
        code.dec(OnStack(TilesLeft));
        code.jnz(next);
        code.vzeroupper();
        code.add(rsp, StackBytes);
        foreach (AssemblerRegister64 register in saved.Reverse()) code.pop(register);
        code.ret();
        // Four vectors of sums, packed, are quads of their first four columns, then of the next: this order makes rows of them.
        Label words = order;
        code.Label(ref words);
        foreach (int place in Enumerable.Range(0, 16)) code.dd(place % 4 * 4 + place / 4);
        return code;
    }

    /// <summary>All sums begin with their column's bias.</summary>
    private void Begin()
    {
        code.mov(rdx, OnStack(Tiles));
        code.mov(rcx, __qword_ptr[rdx + At(nameof(DotTiles.Panel))]);
        for (int vector = 0; vector < tile.Vectors; vector++)
        {
            code.vmovdqu32(Sum(0, vector), __zmmword_ptr[rcx + Line * vector]);
            for (int row = 1; row < tile.Rows; row++) code.vmovdqa32(Sum(row, vector), Sum(0, vector));
        }
        code.add(rcx, Line * tile.Vectors);
        code.mov(rax, __qword_ptr[rdx + At(nameof(DotTiles.Segments))]);
        code.mov(OnStack(SegmentsLeft), rax);
        code.mov(rax, OnStack(Table));
        code.add(rax, Pointer * tile.Rows);
        code.mov(OnStack(Segment), rax);
    }

    /// <summary>Asks for a segment's share of what comes next; leaves the tiles in rdx.</summary>
    private void Ask()
    {
        code.mov(rdx, OnStack(Tiles));
        code.mov(rax, OnStack(Ahead));
        code.mov(rbx, rax);
        code.add(rbx, __qword_ptr[rdx + At(nameof(DotTiles.Share))]);
        code.mov(OnStack(Ahead), rbx);
        (Label next, Label done) = (code.CreateLabel(), code.CreateLabel());
        code.Label(ref next);
        code.cmp(rax, rbx);
        code.jae(done);
        code.prefetcht1(__byte_ptr[rax]);
        code.add(rax, Line);
        code.jmp(next);
        code.Label(ref done);
    }

    /// <summary>Points to where each row's segment ends.</summary>
    private void Point()
    {
        code.mov(rax, __qword_ptr[rdx + At(nameof(DotTiles.Left))]);
        code.add(rax, __qword_ptr[rdx + At(nameof(DotTiles.Bytes))]);
        code.mov(rdx, OnStack(Segment));
        for (int row = tile.Rows - 1; row >= 0; row--)
        {
            AssemblerRegister64 pointer = near[row < near.Length ? row : 0];
            code.mov(pointer, rax);
            code.add(pointer, __qword_ptr[rdx + Pointer * row]);
            if (row >= near.Length) code.mov(OnStack(Far + Pointer * (row - near.Length)), pointer);
        }
        code.add(rdx, Pointer * tile.Rows);
        code.mov(OnStack(Segment), rdx);
        code.mov(rdx, OnStack(Tiles));
        code.xor(eax, eax);
        code.sub(rax, __qword_ptr[rdx + At(nameof(DotTiles.Bytes))]);
    }

    /// <summary>The inner loop, over a segment's words.</summary>
    private void Multiply()
    {
        Label word = code.CreateLabel();
        code.Label(ref word);
        for (int vector = 0; vector < tile.Vectors; vector++) code.vmovdqu32(Z(28 + vector), __zmmword_ptr[rcx + Line * vector]);
        for (int row = 0; row < tile.Rows; row++)
        {
            AssemblerRegister64 pointer = row < near.Length ? near[row] : rdx;
            if (row >= near.Length) code.mov(rdx, OnStack(Far + Pointer * (row - near.Length)));
            AssemblerRegisterZMM left = Z(30 + row % 2);
            code.vpbroadcastd(left, __dword_ptr[pointer + rax]);
            for (int vector = 0; vector < tile.Vectors; vector++) code.vpdpbusd(Sum(row, vector), left, Z(28 + vector));
        }
        code.add(rcx, Line * tile.Vectors);
        code.add(rax, Word);
        code.jnz(word);
    }

    /// <summary>Writes all outputs of a tile; leaves the tiles in rax. Vectors: 28 for zero points, 29 for the order, 30 for addends.</summary>
    private void Finish()
    {
        code.mov(rax, OnStack(Tiles));
        code.mov(rcx, OnStack(Table));
        code.mov(rdx, __qword_ptr[rax + At(nameof(DotTiles.Scales))]);
        if (Has(DotEnd.Adds)) code.mov(rbx, OnStack(Segment));
        if (!tile.Whole)
        {
            code.kmovq(k1, __qword_ptr[rax + At(nameof(DotTiles.Columns))]);
            code.kshiftrq(k2, k1, 16);
        }
        if (!Has(DotEnd.Reals))
        {
            code.vpbroadcastw(Z(28), __word_ptr[rax + At(nameof(DotTiles.Zero))]);
            code.vmovdqu32(Z(29), __zmmword_ptr[order]);
        }
        int most = 4 / tile.Vectors;
        for (int first = 0; first < tile.Rows; first += most)
        {
            int count = Math.Min(most, tile.Rows - first);
            for (int i = 0; i < count; i++)
            {
                code.mov(outputs[i], __qword_ptr[rcx + Pointer * (first + i)]);
                code.add(outputs[i], __qword_ptr[rax + At(nameof(DotTiles.Output))]);
                if (!Has(DotEnd.Adds)) continue;
                code.mov(addends[i], __qword_ptr[rbx + Pointer * (first + i)]);
                code.add(addends[i], __qword_ptr[rax + At(nameof(DotTiles.Addend))]);
            }
            for (int i = 0; i < count; i++)
                for (int vector = 0; vector < tile.Vectors; vector++) MakeReal(Sum(first + i, vector), vector, addends[i]);
            if (!Has(DotEnd.Reals)) StoreBytes(first, count);
            else
                for (int i = 0; i < count; i++)
                    for (int vector = 0; vector < tile.Vectors; vector++) code.vmovups(Part(__zmmword_ptr[outputs[i] + Line * vector], vector), Sum(first + i, vector));
        }
    }

    /// <summary>Sums times their scales, with an addend where there is one.</summary>
    private void MakeReal(AssemblerRegisterZMM sum, int vector, AssemblerRegister64 addend)
    {
        code.vcvtdq2ps(sum, sum);
        code.vmulps(sum, sum, __zmmword_ptr[rdx + Line * vector]);
        if (Has(DotEnd.Rounds))
        {
            Bound(sum, nameof(DotTiles.OwnLeast), nameof(DotTiles.OwnMost));
            code.vrndscaleps(sum, sum, 0);
            code.vmulps(sum, sum, Field(nameof(DotTiles.OwnStep)));
        }
        if (Has(DotEnd.Adds))
        {
            AssemblerRegisterZMM bytes = Z(30);
            code.vpmovzxbd(tile.Whole ? bytes : (vector == 0 ? bytes.k1 : bytes.k2).z, __xmmword_ptr[addend + Line / Word * vector]);
            code.vpxord(bytes, bytes, Field(nameof(DotTiles.AddendFlip)));
            code.vaddps(bytes, bytes, Field(nameof(DotTiles.AddendLess)));
            code.vmulps(bytes, bytes, Field(nameof(DotTiles.AddendScale)));
            code.vaddps(sum, sum, bytes);
            code.vdivps(sum, sum, Field(nameof(DotTiles.Divisor)));
        }
        if (Has(DotEnd.Bounds)) Bound(sum, nameof(DotTiles.Least), nameof(DotTiles.Most));
    }

    /// <summary>Rounds the reals of rows that make four vectors, or fewer, and stores them.</summary>
    private void StoreBytes(int first, int count)
    {
        int one = first * tile.Vectors, vectors = count * tile.Vectors;
        for (int i = 0; i < vectors; i++) code.vcvtps2dq(Z(one + i), Z(one + i));
        for (int i = 0; i < vectors; i += 2)
        {
            code.vpackssdw(Z(one + i), Z(one + i), Z(one + Math.Min(i + 1, vectors - 1)));
            code.vpaddsw(Z(one + i), Z(one + i), Z(28));
        }
        (AssemblerRegisterZMM all, AssemblerRegisterZMM rest) = (Z(one), Z(vectors > 2 ? one + 2 : one));
        if (Has(DotEnd.Signed)) code.vpacksswb(all, all, rest);
        else code.vpackuswb(all, all, rest);
        code.vpermd(all, Z(29), all);
        (AssemblerRegisterYMM half, AssemblerRegisterXMM quarter) = (new(Register.YMM0 + one), new(Register.XMM0 + one));
        for (int i = 0; i < count; i++)
            if (tile.Vectors == 2)
            {
                if (i > 0) code.vextracti64x4(half, all, (byte)i);
                code.vmovdqu8(Part(__ymmword_ptr[outputs[i]]), half);
            }
            else
            {
                AssemblerRegisterXMM part = i == 0 ? quarter : xmm30;
                if (i > 0) code.vextracti32x4(part, all, (byte)i);
                code.vmovdqu8(Part(__xmmword_ptr[outputs[i]]), part);
            }
    }

    private void Bound(AssemblerRegisterZMM real, string least, string most)
    {
        code.vmaxps(real, real, Field(least));
        code.vminps(real, real, Field(most));
    }

    private static AssemblerMemoryOperand Field(string name) => __dword_bcst[rax + At(name)];

    /// <summary>The columns that there are, of all or of the second vector.</summary>
    private AssemblerMemoryOperand Part(AssemblerMemoryOperand columns, int vector = 0) => tile.Whole ? columns : vector == 0 ? columns.k1 : columns.k2;
}
