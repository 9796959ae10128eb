using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Penjing.Engine.X64;

/// <summary>Assembles each tile once.</summary>
internal sealed unsafe class DotAssembler : IDotAssembler
{
    private readonly Dictionary<(int, int, DotEnd, bool), nint> made = [];
    private readonly Lock one = new();

    /// <inheritdoc/>
    public delegate* unmanaged<DotTiles*, void> Assemble(int rows, int vectors, DotEnd end, bool whole)
    {
        lock (one)
        {
            if (!made.TryGetValue((rows, vectors, end, whole), out nint code)) made[(rows, vectors, end, whole)] = code = ExecutableMemory.Keep(DotCode.Of(rows, vectors, end, whole));
            return (delegate* unmanaged<DotTiles*, void>)code;
        }
    }
}

/// <summary>
/// The machine code of one height and width of <see cref="DotTiles"/>. Registers of the inner loop: rax counts up to 0, rcx is in the panel, rdx is spare, and all others
/// but the stack's point to the ends of rows; of more rows than that, pointers are on the stack. Vectors: the sums of a row after those of the one before it, from 0 on,
/// then 28 and 29 for weights and scales, 30 and 31 for a row's word.
/// </summary>
internal sealed unsafe class DotCode
{
    // What lies on the stack.
    private const int Tiles = 0, TilesLeft = 8, SegmentsLeft = 16, Segment = 24, Table = 32, Ahead = 40, Far = 48, StackBytes = 72;

    private static readonly AssemblerRegister64[] near = [rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15], saved = [rbx, rbp, r12, r13, r14, r15];

    private static readonly AssemblerRegisterZMM[] vectorsOf =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    private static readonly AssemblerRegisterXMM[] bytesOf =
    [
        xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15,
        xmm16, xmm17, xmm18, xmm19, xmm20, xmm21, xmm22, xmm23, xmm24, xmm25, xmm26, xmm27,
    ];

    private const int Line = 64, Word = 4, Pointer = 8;

    private readonly Assembler code = new(64);
    private readonly int rows, vectors;
    private readonly DotEnd end;
    private readonly bool whole;

    private DotCode(int rows, int vectors, DotEnd end, bool whole) => (this.rows, this.vectors, this.end, this.whole) = (rows, vectors, end, whole);

    /// <summary>The code of tiles of so many rows and vectors.</summary>
    public static byte[] Of(int rows, int vectors, DotEnd end, bool whole)
    {
        DotCode all = new(rows, vectors, end, whole);
        all.Write();
        using var bytes = new MemoryStream();
        all.code.Assemble(new StreamCodeWriter(bytes), 0);
        return bytes.ToArray();
    }

    private bool Adds => end is DotEnd.Added or DotEnd.RoundedAndAdded;

    private static AssemblerMemoryOperand OnStack(int place) => __qword_ptr[rsp + place];

    private void Write()
    {
        foreach (AssemblerRegister64 register in saved) code.push(register);
        code.sub(rsp, StackBytes);
        code.mov(OnStack(Tiles), rdi);
        foreach ((int place, int field) in new[] { (Table, At(nameof(DotTiles.Table))), (TilesLeft, At(nameof(DotTiles.Count))), (Ahead, At(nameof(DotTiles.Ahead))) })
        {
            code.mov(rax, __qword_ptr[rdi + field]);
            code.mov(OnStack(place), rax);
        }
        Label tile = code.CreateLabel();
        code.Label(ref tile);
        Begin();
        Label segment = code.CreateLabel();
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
        code.jnz(tile);
        code.vzeroupper();
        code.add(rsp, StackBytes);
        foreach (AssemblerRegister64 register in saved.Reverse()) code.pop(register);
        code.ret();
    }

    private AssemblerRegisterZMM Sum(int row, int vector) => vectorsOf[row * vectors + vector];

    /// <summary>All sums begin with their column's bias.</summary>
    private void Begin()
    {
        code.mov(rdx, OnStack(Tiles));
        code.mov(rcx, __qword_ptr[rdx + At(nameof(DotTiles.Panel))]);
        for (int vector = 0; vector < vectors; vector++)
        {
            code.vmovdqu32(Sum(0, vector), __zmmword_ptr[rcx + Line * vector]);
            for (int row = 1; row < rows; row++) code.vmovdqa32(Sum(row, vector), Sum(0, vector));
        }
        code.add(rcx, Line * vectors);
        code.mov(rax, __qword_ptr[rdx + At(nameof(DotTiles.Segments))]);
        code.mov(OnStack(SegmentsLeft), rax);
        code.mov(rax, OnStack(Table));
        code.add(rax, Pointer * rows);
        code.mov(OnStack(Segment), rax);
    }

    /// <summary>Asks for a segment's share of what comes next.</summary>
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
        for (int row = rows - 1; row >= 0; row--)
        {
            AssemblerRegister64 register = near[row < near.Length ? row : 0];
            code.mov(register, rax);
            code.add(register, __qword_ptr[rdx + Pointer * row]);
            if (row >= near.Length) code.mov(OnStack(Far + Pointer * (row - near.Length)), register);
        }
        code.add(rdx, Pointer * rows);
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
        for (int vector = 0; vector < vectors; vector++) code.vmovdqu32(vectorsOf[28 + vector], __zmmword_ptr[rcx + Line * vector]);
        for (int row = 0; row < rows; row++)
        {
            AssemblerRegister64 pointer = row < near.Length ? near[row] : rdx;
            if (row >= near.Length) code.mov(rdx, OnStack(Far + Pointer * (row - near.Length)));
            AssemblerRegisterZMM left = vectorsOf[30 + row % 2];
            code.vpbroadcastd(left, __dword_ptr[pointer + rax]);
            for (int vector = 0; vector < vectors; vector++) code.vpdpbusd(Sum(row, vector), left, vectorsOf[28 + vector]);
        }
        code.add(rcx, Line * vectors);
        code.add(rax, Word);
        code.jnz(word);
    }

    /// <summary>Writes all outputs of a tile; leaves the tiles in rax.</summary>
    private void Finish()
    {
        code.mov(rax, OnStack(Tiles));
        code.mov(rcx, OnStack(Table));
        code.mov(rdx, __qword_ptr[rax + At(nameof(DotTiles.Scales))]);
        for (int vector = 0; vector < vectors; vector++) code.vmovups(vectorsOf[28 + vector], __zmmword_ptr[rdx + Line * vector]);
        if (!whole)
        {
            code.kmovq(k1, __qword_ptr[rax + At(nameof(DotTiles.First))]);
            code.kmovq(k2, __qword_ptr[rax + At(nameof(DotTiles.Second))]);
        }
        if (Adds) code.mov(rdx, OnStack(Segment));
        for (int row = 0; row < rows; row++)
        {
            code.mov(rsi, __qword_ptr[rcx + Pointer * row]);
            code.add(rsi, __qword_ptr[rax + At(nameof(DotTiles.Output))]);
            if (Adds)
            {
                code.mov(rdi, __qword_ptr[rdx + Pointer * row]);
                code.add(rdi, __qword_ptr[rax + At(nameof(DotTiles.Addend))]);
            }
            for (int vector = 0; vector < vectors; vector++) Finish(row, vector);
        }
    }

    private void Finish(int row, int vector)
    {
        AssemblerRegisterZMM sum = Sum(row, vector);
        code.vcvtdq2ps(sum, sum);
        code.vmulps(sum, sum, vectorsOf[28 + vector]);
        if (Adds) Add(sum, vector);
        if (end is DotEnd.Reals)
        {
            code.vmovups(Part(__zmmword_ptr[rsi + Line * vector], vector), sum);
            return;
        }
        Bound(sum, At(nameof(DotTiles.Least)), At(nameof(DotTiles.Most)));
        code.vcvtps2dq(sum, sum);
        code.vpaddd(sum, sum, __dword_bcst[rax + At(nameof(DotTiles.Zero))]);
        code.vpmovdb(bytesOf[row * vectors + vector], sum);
        code.vmovdqu8(Part(__xmmword_ptr[rsi + Line / Word * vector], vector), bytesOf[row * vectors + vector]);
    }

    /// <summary>Rounds reals to integers of their own, where they are, adds the addend's, and divides.</summary>
    private void Add(AssemblerRegisterZMM sum, int vector)
    {
        if (end is DotEnd.RoundedAndAdded)
        {
            Bound(sum, At(nameof(DotTiles.OwnLeast)), At(nameof(DotTiles.OwnMost)));
            code.vrndscaleps(sum, sum, 0);
            code.vmulps(sum, sum, __dword_bcst[rax + At(nameof(DotTiles.OwnStep))]);
        }
        AssemblerMemoryOperand bytes = __xmmword_ptr[rdi + Line / Word * vector];
        code.vpmovzxbd(whole ? zmm30 : (vector == 0 ? zmm30.k1 : zmm30.k2).z, bytes);
        code.vpxord(zmm30, zmm30, __dword_bcst[rax + At(nameof(DotTiles.AddendFlip))]);
        code.vcvtdq2ps(zmm30, zmm30);
        code.vaddps(zmm30, zmm30, __dword_bcst[rax + At(nameof(DotTiles.AddendLess))]);
        code.vmulps(zmm30, zmm30, __dword_bcst[rax + At(nameof(DotTiles.AddendScale))]);
        code.vaddps(sum, sum, zmm30);
        code.vdivps(sum, sum, __dword_bcst[rax + At(nameof(DotTiles.Divisor))]);
    }

    private void Bound(AssemblerRegisterZMM sum, int least, int most)
    {
        code.vmaxps(sum, sum, __dword_bcst[rax + least]);
        code.vminps(sum, sum, __dword_bcst[rax + most]);
    }

    private AssemblerMemoryOperand Part(AssemblerMemoryOperand all, int vector) => whole ? all : vector == 0 ? all.k1 : all.k2;

    /// <summary>Bytes from where <see cref="DotTiles"/> begins to a field.</summary>
    private static int At(string field) => (int)Marshal.OffsetOf<DotTiles>(field);
}
