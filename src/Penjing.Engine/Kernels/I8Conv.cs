using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// A product of 8-bit integers in words of two: first every integer less its zero point becomes one of 16 bits, so that padding is zero and the products of words are exact.
/// </summary>
internal readonly struct I8Conv : IKernelMaker
{
    /// <summary>About how many nanoseconds a site takes on one thread: a step multiplies twice as much as one of floats, but adds by itself.</summary>
    public static double Cost(Site site) => I8Product.Cost(site, 2, 0.7, copied: 5);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Conv<S, V>(site);
}

/// <inheritdoc cref="I8Conv"/>
internal sealed unsafe class I8Conv<S, V> : I8Product<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>The kernel of a site.</summary>
    public I8Conv(Site site) : base(site, 2, copies: true, I8Product.Tiles<S, V, Pairs<S, V>>(site.Node)) => Pack(site, 2, 0);

    /// <inheritdoc/>
    public override string Label => $"i8-gemm-conv-{Tile}";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Copy(int first, int count, byte* input, byte* scratch)
    {
        short* output = (short*)scratch;
        if (Groups == 1 && Channels == Pitch && Channels % 2 == 0)
        {
            Widen(input + (nint)first * Pitch, output + (nint)first * Channels, count * Channels);
            return;
        }
        int pixel = first;
        if (Groups == 1 && Channels == 3 && Pitch == 3)
        {
            // Four pixels of three bytes, of the sixteen that are read.
            Vector128<byte> places = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255), last = Vector128.Create(0xFF000000u).AsByte() & Vector128.Create(Read.ZeroByte);
            for (; pixel < Math.Min(first + count, Pixels - 5); pixel += 4)
                Widen(Vector128.Shuffle(Vector128.Load(input + (nint)pixel * Pitch), places) | last, output + (nint)pixel * 2 * Words);
        }
        for (; pixel < first + count; pixel++)
            for (int group = 0; group < Groups; group++)
            {
                short* target = output + ((nint)pixel * Groups + group) * 2 * Words;
                Widen(input + (nint)pixel * Pitch + group * Channels, target, Channels);
                if (Channels % 2 > 0) target[Channels] = 0;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Widen(byte* input, short* output, int count)
    {
        int i = 0;
        for (; i <= count - 16; i += 16) Widen(Vector128.Load(input + i), output + i);
        for (; i < count; i++) output[i] = (short)((input[i] ^ Read.Flip) - Read.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Widen(Vector128<byte> bytes, short* output)
    {
        Vector128<short> less = Vector128.Create((short)Read.Zero);
        bytes ^= Vector128.Create(Read.Flip);
        (Vector128.WidenLower(bytes).AsInt16() - less).Store(output);
        (Vector128.WidenUpper(bytes).AsInt16() - less).Store(output + 8);
    }
}
