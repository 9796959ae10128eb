using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>
/// A product of 8-bit integers in words of four, which are read where they lie if a pixel has whole words. Zero points stay in them: what the weights make of these is taken from
/// the biases, and padding has the zero point's value. Where processors add two products in 16 bits, which saturate, weights must be no larger than 64 in size: then the sums are exact.
/// </summary>
internal readonly struct I8DotConv : IKernelMaker
{
    /// <summary>Whether the node is a product of integers by Int8 weights without zero point whose sums the processor yields exactly.</summary>
    public static bool Fits(Site site) => FitsWords(site) && (!Saturates(site.Isa) || IntegerProduct.AreNarrow(site.Node.Inputs[1].Value!));

    /// <summary>Whether the node is a product of integers by Int8 weights without zero point.</summary>
    public static bool FitsWords(Site site) => I8Product.Fits(site) && IntegerProduct.ArePlain(site.Node);

    /// <summary>About how many nanoseconds a site takes on one thread.</summary>
    public static double Cost(Site site)
    {
        double step = site.Isa is Isa.None ? 5 : Saturates(site.Isa) ? 1.05 : AvxVnni.IsSupported || Dp.IsSupported ? 0.5 : 5;
        return I8Product.Cost(site, 4, step, copied: Copies(site, Dp.IsSupported) ? 3 : 0);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8DotConv<S, V>(site);

    /// <summary>Whether words can't be read where the integers lie: a group has no whole words, or they are not of the type that <paramref name="signed"/> says, or joined taps are not neighbours.</summary>
    public static bool Copies(Site site, bool signed)
    {
        (int groups, int channels, int pitch) = (((IntegerProduct)site.Node.Op).Conv.Groups, site.Node.Inputs[0].Shape[1], I8Product.Pitch(site));
        return channels / groups % 4 > 0 || pitch % 4 > 0 || site.Node.Inputs[0].Info.Type is ElementType.Int8 != signed || I8Product.Joins(site, 4) && pitch != channels;
    }

    private static bool Saturates(Isa isa) => isa switch
    {
        Isa.Vector512 => Simd512.SaturatesDots,
        Isa.Vector256 => Simd256.SaturatesDots,
        Isa.Vector128 => Simd128.SaturatesDots,
        _ => Scalar.SaturatesDots,
    };
}

/// <inheritdoc cref="I8DotConv"/>
internal unsafe class I8DotConv<S, V> : I8Product<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly byte flip;

    /// <summary>The kernel of a site.</summary>
    public I8DotConv(Site site) : base(site, 4, I8DotConv.Copies(site, S.SignedDots), I8Product.Tiles<S, V, Dots<S, V>>(site.Node))
    {
        int sign = S.SignedDots ? 0x80 : 0;
        flip = (byte)(Read.Flip ^ sign);
        Pack(site, 4, Read.Zero - sign);
        Outside.Fill((byte)(Read.Zero ^ sign));
    }

    /// <inheritdoc/>
    public override string Label => $"i8-dot-conv-{Tile}";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Copy(int first, int count, byte* input, byte* output)
    {
        int pixel = first;
        if (Groups == 1 && Channels == 3 && Pitch == 3)
        {
            // Four pixels of three bytes, of the sixteen that are read; what stands in fourth place meets weights of zero.
            Vector128<byte> places = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255), sign = Vector128.Create(flip);
            for (; pixel < Math.Min(first + count, Pixels - 5); pixel += 4) (Vector128.Shuffle(Vector128.Load(input + (nint)pixel * Pitch), places) ^ sign).Store(output + (nint)pixel * 4);
        }
        for (; pixel < first + count; pixel++)
            for (int group = 0; group < Groups; group++)
            {
                byte* source = input + (nint)pixel * Pitch + group * Channels, target = output + ((nint)pixel * Groups + group) * 4 * Words;
                int i = 0;
                for (; i <= Channels - 16; i += 16) (Vector128.Load(source + i) ^ Vector128.Create(flip)).Store(target + i);
                for (; i < Channels; i++) target[i] = (byte)(source[i] ^ flip);
                for (; i < 4 * Words; i++) target[i] = 0;
            }
    }
}
