using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>A function of bytes, looked up: one by one, or 64 at once where an instruction permutes the bytes of two vectors (AVX-512 VBMI).</summary>
internal sealed unsafe class I8Table : Kernel
{
    private readonly byte[] table;
    private readonly Split split;
    private readonly bool wide;

    /// <summary>The kernel of a site.</summary>
    public I8Table(Site site)
    {
        table = ((QuantizedFunction)site.Node.Op).Values.Bytes.ToArray();
        split = Split.Flat(site.Node.Shape.Elements);
        wide = site.Isa is Isa.Vector512 && Avx512Vbmi.IsSupported;
    }

    /// <summary>Whether the node is such a function.</summary>
    public static bool Fits(Site site) => site.IsDense && site.Node is { Op: QuantizedFunction, Inputs: [{ Value: null }], Shape.Elements: > 0 };

    /// <inheritdoc/>
    public override string Label => $"i8-table-{(wide ? "512" : "scalar")}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        byte* input = operands.Input<byte>(0) + first, output = operands.Out<byte>() + first;
        int i = wide ? Permute(input, output, count) : 0;
        ref byte values = ref MemoryMarshal.GetArrayDataReference(table);
        for (; i < count; i++) output[i] = Unsafe.Add(ref values, input[i]);
    }

    /// <summary>Looks up as many as whole vectors have, and returns how many these are. An index's lowest seven bits choose among 128 bytes, its highest between two such choices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Permute(byte* input, byte* output, int count)
    {
        ref byte values = ref MemoryMarshal.GetArrayDataReference(table);
        Vector512<byte> a = Vector512.LoadUnsafe(ref values), b = Vector512.LoadUnsafe(ref values, 64), c = Vector512.LoadUnsafe(ref values, 128), d = Vector512.LoadUnsafe(ref values, 192);
        int i = 0;
        for (; i <= count - Vector512<byte>.Count; i += Vector512<byte>.Count)
        {
            Vector512<byte> places = Vector512.Load(input + i);
            Vector512<byte> upper = Vector512.LessThan(places.AsSByte(), Vector512<sbyte>.Zero).AsByte();
            Vector512.ConditionalSelect(upper, Avx512Vbmi.PermuteVar64x8x2(c, places, d), Avx512Vbmi.PermuteVar64x8x2(a, places, b)).Store(output + i);
        }
        return i;
    }
}
