using System.Collections.Immutable;

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
}

/// <summary>Labelled pictures of one size and kind. Safe to read from several threads.</summary>
public abstract class Split
{
    private const ulong SampleStream = 4;

    /// <summary>Pictures of these labels.</summary>
    private protected Split(Size size, Channels channels, ImmutableArray<int> labels)
    {
        Size = size;
        Channels = channels;
        Labels = labels;
    }

    /// <summary>How many pictures there are.</summary>
    public int Count => Labels.Length;

    /// <summary>The class of each picture.</summary>
    public ImmutableArray<int> Labels { get; }

    /// <summary>Height and width of every picture.</summary>
    public Size Size { get; }

    /// <summary>What the pictures' channels are.</summary>
    public Channels Channels { get; }

    /// <summary>The picture's bytes, row by row, the channels of a pixel together.</summary>
    /// <exception cref="PenjingException">The picture's file can't be read or is damaged.</exception>
    public abstract ReadOnlySpan<byte> Pixels(int index);

    /// <summary>One picture.</summary>
    /// <exception cref="PenjingException">The picture's file can't be read or is damaged.</exception>
    public Picture Picture(int index) => new(Size, Channels, Pixels(index).ToArray());

    /// <summary>Writes one picture as C×H×W floats, as <see cref="Pictures.ToInput(Picture, Preprocessing, Shape, Span{float})"/> makes them.</summary>
    /// <exception cref="PenjingException">The picture's file is damaged, or the preprocessing doesn't fit the input.</exception>
    public void ToInput(int index, Preprocessing preprocessing, Shape input, Span<float> output) => Pictures.ToInput(Picture(index), preprocessing, input, output);

    /// <summary>The first pictures only; all of them where there are no more.</summary>
    public Split First(int count) => count >= Count ? this : new Part(this, [.. Enumerable.Range(0, count)]);

    /// <summary>So many pictures, drawn by the seed, in their order; all of them where there are no more.</summary>
    public Split Sample(int count, int seed)
    {
        if (count >= Count) return this;
        int[] order = new int[Count];
        new Chance((ulong)seed, SampleStream, 0).Shuffle(order);
        return new Part(this, [.. order.Take(count).Order()]);
    }

    private sealed class Part(Split whole, ImmutableArray<int> chosen) : Split(whole.Size, whole.Channels, [.. chosen.Select(index => whole.Labels[index])])
    {
        public override ReadOnlySpan<byte> Pixels(int index) => whole.Pixels(chosen[index]);
    }
}

/// <summary>Pictures that lie one after another in memory.</summary>
internal sealed class MemorySplit(Size size, Channels channels, ImmutableArray<int> labels, ReadOnlyMemory<byte> pixels) : Split(size, channels, labels)
{
    private readonly int bytes = size.Height * size.Width * (channels is Channels.Gray ? 1 : 3);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Pixels(int index) => pixels.Span.Slice(index * bytes, bytes);
}
