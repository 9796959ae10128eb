using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>Bytes of pixels in another order, a vector at a time: each is put together of vectors of the input, whose bytes an instruction picks.</summary>
internal abstract unsafe class ByteOrder
{
    /// <summary>The order in which a pixel's bytes, of <paramref name="extent"/>, are taken; null where there are too few, or where those of a vector come from too many places.</summary>
    public static ByteOrder? Of(int[] places, int extent, Isa isa)
    {
        int least = Math.Min(places.Length, extent);
        bool wide = isa is Isa.Vector512 && Avx512Vbmi.VL.IsSupported;
        return wide && least >= Vector512<byte>.Count ? ByteOrder<Vector512<byte>, Picks512>.Of(places, extent)
            : wide && least >= Vector256<byte>.Count ? ByteOrder<Vector256<byte>, Picks256>.Of(places, extent)
            : least >= Vector128<byte>.Count ? ByteOrder<Vector128<byte>, Picks128>.Of(places, extent) : null;
    }

    /// <summary>Puts some pixels in order.</summary>
    public abstract void Run(byte* source, nint pitch, byte* target, nint targetPitch, int count);

    private readonly struct Picks128 : IBytePicks<Vector128<byte>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<byte> Or(Vector128<byte> sum, Vector128<byte> source, Vector128<byte> places, Vector128<byte> kept) => sum | Vector128.ShuffleNative(source, places) & kept;
    }

    private readonly struct Picks256 : IBytePicks<Vector256<byte>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<byte> Or(Vector256<byte> sum, Vector256<byte> source, Vector256<byte> places, Vector256<byte> kept) => sum | Avx512Vbmi.VL.PermuteVar32x8(source, places) & kept;
    }

    private readonly struct Picks512 : IBytePicks<Vector512<byte>>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<byte> Or(Vector512<byte> sum, Vector512<byte> source, Vector512<byte> places, Vector512<byte> kept) => sum | Avx512Vbmi.PermuteVar64x8(source, places) & kept;
    }
}

/// <summary>How bytes of a vector are picked.</summary>
internal interface IBytePicks<V> where V : unmanaged
{
    /// <summary>The sum, with the bytes of a source at these places where they are kept.</summary>
    static abstract V Or(V sum, V source, V places, V kept);
}

/// <inheritdoc/>
internal sealed unsafe class ByteOrder<V, P> : ByteOrder where V : unmanaged where P : struct, IBytePicks<V>
{
    private readonly Part[] parts;
    private readonly Source[] sources;

    private ByteOrder(Part[] parts, Source[] sources) => (this.parts, this.sources) = (parts, sources);

    /// <summary>The order of so many bytes and at least a vector of them.</summary>
    public static ByteOrder<V, P>? Of(int[] places, int extent)
    {
        var parts = new List<Part>();
        var sources = new List<Source>();
        for (int to = 0; to < places.Length; to += sizeof(V))
        {
            int target = Math.Min(to, places.Length - sizeof(V)), begin = sources.Count;
            int[] wanted = places[target..(target + sizeof(V))];
            for (bool[] taken = new bool[sizeof(V)]; taken.Contains(false);)
            {
                // The window that begins at the least place that is left.
                int from = Math.Min(wanted.Where((_, i) => !taken[i]).Min(), extent - sizeof(V));
                Source source = new() { From = from };
                Span<byte> picks = new(&source.Picks, sizeof(V)), kept = new(&source.Kept, sizeof(V));
                for (int i = 0; i < sizeof(V); i++)
                {
                    if (taken[i] || wanted[i] < from || wanted[i] >= from + sizeof(V)) continue;
                    (picks[i], kept[i], taken[i]) = ((byte)(wanted[i] - from), byte.MaxValue, true);
                }
                sources.Add(source);
            }
            if (sources.Count - begin > sizeof(V) / 4) return null;
            parts.Add(new(target, sources.Count));
        }
        return new([.. parts], [.. sources]);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(byte* source, nint pitch, byte* target, nint targetPitch, int count)
    {
        fixed (Source* first = sources)
            for (; count > 0; count--, source += pitch, target += targetPitch)
            {
                Source* from = first;
                foreach (ref readonly Part part in parts.AsSpan())
                {
                    V bytes = default;
                    for (Source* end = first + part.End; from < end; from++) bytes = P.Or(bytes, Unsafe.ReadUnaligned<V>(source + from->From), from->Picks, from->Kept);
                    Unsafe.WriteUnaligned(target + part.To, bytes);
                }
            }
    }

    /// <summary>A vector of the output, of the sources before <paramref name="End"/>.</summary>
    private readonly record struct Part(int To, int End);

    /// <summary>A vector of the input, and which of its bytes go where: those kept.</summary>
    private struct Source
    {
        public int From;
        public V Picks, Kept;
    }
}
