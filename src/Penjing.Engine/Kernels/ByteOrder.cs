using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>Bytes of pixels in another order, sixteen at a time: each sixteen is put together of sixteens of the input, whose bytes an instruction picks.</summary>
internal sealed unsafe class ByteOrder
{
    private const int Wide = 16, MostSources = 4;
    private const byte None = 0x80;

    private readonly Part[] parts;
    private readonly Source[] sources;

    private ByteOrder(Part[] parts, Source[] sources) => (this.parts, this.sources) = (parts, sources);

    /// <summary>The order in which a pixel's bytes, of <paramref name="extent"/>, are taken; null where there are too few, or where sixteen come from too many places.</summary>
    public static ByteOrder? Of(int[] places, int extent)
    {
        if (places.Length < Wide || extent < Wide) return null;
        var parts = new List<Part>();
        var sources = new List<Source>();
        for (int to = 0; to < places.Length; to += Wide)
        {
            int target = Math.Min(to, places.Length - Wide), begin = sources.Count;
            ReadOnlySpan<int> wanted = places.AsSpan(target, Wide);
            for (ushort left = ushort.MaxValue; left != 0;)
            {
                // The window that begins at the least place that is left.
                int least = int.MaxValue;
                for (int i = 0; i < Wide; i++)
                    if ((left >> i & 1) != 0) least = Math.Min(least, wanted[i]);
                int from = Math.Min(least, extent - Wide);
                Vector128<byte> picks = Vector128.Create(None);
                for (int i = 0; i < Wide; i++)
                {
                    if ((left >> i & 1) == 0 || wanted[i] < from || wanted[i] >= from + Wide) continue;
                    picks = picks.WithElement(i, (byte)(wanted[i] - from));
                    left &= (ushort)~(1 << i);
                }
                sources.Add(new(from, picks));
            }
            if (sources.Count - begin > MostSources) return null;
            parts.Add(new(target, sources.Count));
        }
        return new([.. parts], [.. sources]);
    }

    /// <summary>Puts some pixels in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(byte* source, nint pitch, byte* target, nint targetPitch, int count)
    {
        fixed (Source* first = sources)
            for (; count > 0; count--, source += pitch, target += targetPitch)
            {
                Source* from = first;
                foreach (ref readonly Part part in parts.AsSpan())
                {
                    Vector128<byte> bytes = default;
                    for (Source* end = first + part.End; from < end; from++) bytes |= Vector128.ShuffleNative(Vector128.Load(source + from->From), from->Picks);
                    bytes.Store(target + part.To);
                }
            }
    }

    /// <summary>Sixteen bytes of the output, of the sources before <paramref name="End"/>.</summary>
    private readonly record struct Part(int To, int End);

    /// <summary>Sixteen bytes of the input, and which of them go where; the highest bit set: none, 0.</summary>
    private readonly record struct Source(int From, Vector128<byte> Picks);
}
