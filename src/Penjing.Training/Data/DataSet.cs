using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Penjing.Training;

/// <summary>Labelled pictures of one size: some to train on, some to test with.</summary>
/// <param name="Name">The name, such as fashion-mnist, or the folder's.</param>
/// <param name="Source">Where it was found.</param>
/// <param name="Labels">The classes' names, by number.</param>
/// <param name="Train">The pictures to train on; there may be none.</param>
/// <param name="Test">The pictures to test with; there may be none.</param>
/// <param name="Preprocessing">How its pictures are best made a network's input where the network doesn't say.</param>
public sealed record DataSet(string Name, string Source, ImmutableArray<string> Labels, Split Train, Split Test, Preprocessing Preprocessing)
{
    /// <summary>Height and width of every picture.</summary>
    public Size Size => Train.Size;

    /// <summary>What the pictures' channels are.</summary>
    public Channels Channels => Train.Channels;

    /// <summary>Whether each pixel has a class of its own, and not the picture as a whole.</summary>
    public bool HasMasks => Train.HasMasks;

    /// <summary>The colours that masks show the classes in, as 0xRRGGBB, by number; empty where there are none.</summary>
    public ImmutableArray<int> Colors { get; init; } = [];

    /// <summary>How many classes a network tells apart in each picture, or, where there are masks, in each pixel.</summary>
    /// <exception cref="PenjingException">There are masks, but the network doesn't answer each pixel.</exception>
    internal int Classes(Graph graph)
    {
        (Shape input, Shape output) = (graph.Inputs[0].Shape, graph.Outputs[0].Shape);
        if (!HasMasks) return output.Elements / Math.Max(1, output.Rank == 0 ? 1 : output[0]);
        return output.Rank == 4 && input.Rank == 4 && output[2] == input[2] && output[3] == input[3] ? output[1]
            : throw new PenjingException($"the data set '{Name}' has a class for each pixel, but the network makes {output} of {input}: give one that answers each pixel (N×classes×H×W), such as parsenet of the zoo");
    }
}

/// <summary>Pictures of one size and kind, each with a class, or with a mask that has a class for each pixel. Safe to read from several threads.</summary>
public abstract class Split
{
    /// <summary>What a mask has where no class is known, in place of one: such pixels count nowhere.</summary>
    public const byte Unlabelled = 255;

    private const ulong SampleStream = 4;

    /// <summary>Pictures of these labels.</summary>
    private protected Split(Size size, Channels channels, ImmutableArray<int> labels) : this(size, channels, labels.Length) => Labels = labels;

    /// <summary>So many pictures with masks.</summary>
    internal Split(Size size, Channels channels, int count)
    {
        Size = size;
        Channels = channels;
        Count = count;
    }

    /// <summary>How many pictures there are.</summary>
    public int Count { get; }

    /// <summary>The class of each picture; empty where they have masks.</summary>
    public ImmutableArray<int> Labels { get; } = [];

    /// <summary>Whether pictures have a <see cref="Mask(int)"/> in place of a class.</summary>
    public virtual bool HasMasks => false;

    /// <summary>Height and width of every picture.</summary>
    public Size Size { get; }

    /// <summary>What the pictures' channels are.</summary>
    public Channels Channels { get; }

    /// <summary>The picture's bytes, row by row, the channels of a pixel together.</summary>
    /// <exception cref="PenjingException">The picture's file can't be read or is damaged.</exception>
    public abstract ReadOnlySpan<byte> Pixels(int index);

    /// <summary>The class of each of a picture's pixels, row by row, or <see cref="Unlabelled"/>.</summary>
    /// <exception cref="InvalidOperationException">Pictures have no masks.</exception>
    /// <exception cref="PenjingException">The mask's file can't be read, is damaged, or doesn't fit its picture.</exception>
    public virtual ReadOnlySpan<byte> Mask(int index) => throw new InvalidOperationException("these pictures have a class each, and no masks");

    /// <summary>The same of the picture in another size; see <see cref="Resampling.FittedMask"/>.</summary>
    internal ReadOnlySpan<byte> Mask(int index, Size size, Fit fit) => size == Size ? Mask(index) : Resampling.FittedMask(Mask(index), Size, size, fit);

    /// <summary>The class that a pixel of a class has in the picture's mirror image, where left and right are told apart.</summary>
    internal virtual byte Mirrored(byte label) => label;

    /// <summary>What tells these pictures' classes from others', without reading the pictures.</summary>
    internal virtual string Fingerprint => Short(MemoryMarshal.AsBytes(Labels.AsSpan()));

    /// <summary>What tells these files from others, without reading them: their names and lengths.</summary>
    private protected static string FingerprintOf(IEnumerable<string> files) =>
        Short(Encoding.UTF8.GetBytes(string.Join('\n', files.Select(file => FormattableString.Invariant($"{Path.GetFileName(file)} {new FileInfo(file).Length}")))));

    private static string Short(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];

    /// <summary>One picture.</summary>
    /// <exception cref="PenjingException">The picture's file can't be read or is damaged.</exception>
    public Picture Picture(int index) => new(Size, Channels, Pixels(index).ToArray());

    /// <summary>Writes one picture as C×H×W floats, as <see cref="Picture.ToInput(Preprocessing, Shape, Span{float})"/> makes them.</summary>
    /// <exception cref="PenjingException">The picture's file is damaged, or the preprocessing doesn't fit the input.</exception>
    public void ToInput(int index, Preprocessing preprocessing, Shape input, Span<float> output) => Picture(index).ToInput(preprocessing, input, output);

    /// <summary>The first pictures only; all of them where there are no more.</summary>
    public Split First(int count) => count >= Count ? this : Chosen(this, [.. Enumerable.Range(0, count)]);

    /// <summary>So many pictures, drawn by the seed, in their order; all of them where there are no more.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Which.</param>
    /// <param name="after">How many a draw by this seed has taken before: others are drawn, where there are so many.</param>
    public Split Sample(int count, int seed, int after = 0)
    {
        if (count >= Count) return this;
        int[] order = new int[Count];
        new Chance((ulong)seed, SampleStream, 0).Shuffle(order);
        return Chosen(this, [.. order.Skip(Math.Min(after, Count - count)).Take(count).Order()]);
    }

    private static Split Chosen(Split whole, ImmutableArray<int> chosen) => whole.HasMasks ? new MaskedPart(whole, chosen) : new Part(whole, chosen);

    private sealed class Part(Split whole, ImmutableArray<int> chosen) : Split(whole.Size, whole.Channels, [.. chosen.Select(index => whole.Labels[index])])
    {
        public override ReadOnlySpan<byte> Pixels(int index) => whole.Pixels(chosen[index]);
    }

    private sealed class MaskedPart(Split whole, ImmutableArray<int> chosen) : Split(whole.Size, whole.Channels, chosen.Length)
    {
        public override bool HasMasks => true;

        public override ReadOnlySpan<byte> Pixels(int index) => whole.Pixels(chosen[index]);

        public override ReadOnlySpan<byte> Mask(int index) => whole.Mask(chosen[index]);

        internal override byte Mirrored(byte label) => whole.Mirrored(label);

        internal override string Fingerprint => Convert.ToHexStringLower(SHA256.HashData([.. MemoryMarshal.AsBytes(chosen.AsSpan()), .. System.Text.Encoding.ASCII.GetBytes(whole.Fingerprint)]))[..16];
    }
}

/// <summary>Pictures that lie one after another in memory.</summary>
internal sealed class MemorySplit(Size size, Channels channels, ImmutableArray<int> labels, ReadOnlyMemory<byte> pixels) : Split(size, channels, labels)
{
    private readonly int bytes = size.Height * size.Width * (channels is Channels.Gray ? 1 : 3);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Pixels(int index) => pixels.Span.Slice(index * bytes, bytes);
}
