using System.Collections.Immutable;

namespace Penjing;

/// <summary>What a file holds: a network and what a user needs to feed it and to read its answers.</summary>
public sealed record Model(Graph Graph)
{
    /// <summary>The network's name, such as mobilenet-v1-0.5-28.</summary>
    public string Name { get; init; } = "";

    /// <summary>The names of the classes, by output index; empty where unknown.</summary>
    public ImmutableArray<string> Labels { get; init; } = [];

    /// <summary>The colours that pictures show the classes in, as 0xRRGGBB, by output index; empty where there are none.</summary>
    public ImmutableArray<int> Colors { get; init; } = [];

    /// <summary>How a picture becomes the input, where it is known.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>How the network came to be, first stage first.</summary>
    public ImmutableArray<Stage> History { get; init; } = [];
}

/// <summary>The channels of a network's input picture, in their order.</summary>
public enum Channels
{
    /// <summary>One channel of luminance.</summary>
    Gray,
    /// <summary>Red, green, blue.</summary>
    Rgb,
    /// <summary>Blue, green, red, as Caffe's networks take it.</summary>
    Bgr,
}

/// <summary>How a picture of another size becomes one of the input's size.</summary>
public enum Fit
{
    /// <summary>Resized to the input's size, its aspect ratio given up.</summary>
    Stretch,
    /// <summary>Resized until it covers the input's size, then its centre cut out.</summary>
    Cover,
}

/// <summary>How a picture becomes an input: fitted, then (pixel − Mean) / Deviation for each channel, pixels from 0 to 255.</summary>
public sealed record Preprocessing(Channels Channels, ImmutableArray<float> Mean, ImmutableArray<float> Deviation, Fit Fit = Fit.Cover)
{
    /// <summary>Equal when all members are, element by element.</summary>
    public bool Equals(Preprocessing? other) => other is not null && Channels == other.Channels && Fit == other.Fit
        && Mean.SequenceEqual(other.Mean) && Deviation.SequenceEqual(other.Deviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Channels, Fit, Mean.Length, Deviation.Length);

    /// <summary>The float of each byte, channel by channel: C × 256.</summary>
    /// <exception cref="ShapeException">The preprocessing doesn't fit the input.</exception>
    internal float[] Table(Shape input)
    {
        int depth = Channels is Channels.Gray ? 1 : 3;
        if (input.Rank != 4) throw new ShapeException($"a picture needs an input of rank 4 (N×C×H×W), not {input}");
        if (input[1] != depth) throw new ShapeException($"the input {input} has {input[1]} channel(s), but the preprocessing gives {depth} ({Channels}): note another by `penjing convert --preprocessing`");
        if (Mean.Length != depth || Deviation.Length != depth)
            throw new ShapeException($"the preprocessing has {Mean.Length} mean(s) and {Deviation.Length} deviation(s) for {depth} channel(s)");
        var table = new float[depth * 256];
        for (int i = 0; i < table.Length; i++) table[i] = (i % 256 - Mean[i / 256]) / Deviation[i / 256];
        return table;
    }
}

/// <summary>One step of a network's history, such as "prune": what was done and what was measured afterwards.</summary>
/// <param name="Name">The step's name.</param>
/// <param name="Detail">Its settings, in words.</param>
/// <param name="Score">How right the answers to the test pictures were, where measured.</param>
/// <param name="Parameters">Weight elements after the step.</param>
/// <param name="Macs">Multiply-accumulates of one run at batch 1 after the step.</param>
public sealed record Stage(string Name, string Detail, Score? Score, long Parameters, long Macs)
{
    /// <summary>The channels that the step cut, by value, as they were numbered before it; none where it cut none.</summary>
    public ImmutableArray<ChannelCut> Cuts { get; init; } = [];

    /// <summary>Equal when all members are, cut by cut.</summary>
    public bool Equals(Stage? other) => other is not null && (Name, Detail, Score, Parameters, Macs) == (other.Name, other.Detail, other.Score, other.Parameters, other.Macs)
        && Cuts.AsSpan().SequenceEqual(other.Cuts.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Detail, Score, Parameters, Macs, Cuts.IsDefault ? 0 : Cuts.Length);
}

/// <summary>Channels that were cut of a value.</summary>
/// <param name="Value">The value's name.</param>
/// <param name="Channels">Which, as hexadecimal digits: a bit for each channel that the value had, 1 where it was cut; the first channel's is the highest.</param>
public sealed record ChannelCut(string Value, string Channels);
