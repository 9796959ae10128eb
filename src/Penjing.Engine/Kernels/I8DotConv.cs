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

    /// <summary>Whether words are read from a copy, neither where the integers lie nor as windows: a group has no whole words, or they are not of the type that <paramref name="signed"/> says, or joined taps are not neighbours.</summary>
    public static bool Copies(Site site, bool signed)
    {
        (int groups, int channels, int pitch) = (((IntegerProduct)site.Node.Op).Conv.Groups, site.Node.Inputs[0].Shape[1], I8Product.Pitch(site));
        return !ByteWindows.Fits(site) && (channels / groups % 4 > 0 || pitch % 4 > 0 || site.Node.Inputs[0].Info.Type is ElementType.Int8 != signed || I8Product.Joins(site, 4) && pitch != channels);
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
    // What the processor reads as signed is an unsigned integer less 128: its highest bit is flipped.
    private static readonly byte sign = S.SignedDots ? (byte)0x80 : (byte)0;

    private readonly byte flip;

    /// <summary>The kernel of a site.</summary>
    public I8DotConv(Site site) : this(site, new(site.Node.Inputs[0].Info.Type, ((IntegerProduct)site.Node.Op).X.ZeroPoints[0])) { }

    private I8DotConv(Site site, UnsignedBytes read) : base(site, 4, I8DotConv.Copies(site, S.SignedDots), I8Product.Tiles<S, V, Dots<S, V>>(site.Node),
        ByteWindows.Of(site, (byte)(read.Flip ^ sign), (byte)(read.Zero ^ sign)))
    {
        flip = (byte)(read.Flip ^ sign);
        Pack(site, 4, read.Zero - sign);
        Outside.Fill((byte)(read.Zero ^ sign));
    }

    /// <inheritdoc/>
    public override string Label => $"i8-dot-conv-{Tile}";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Copy(int first, int count, byte* input, byte* output)
    {
        for (int pixel = first; pixel < first + count; pixel++)
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
