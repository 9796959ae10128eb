namespace Penjing.Models;

/// <summary>What a network of the zoo is built with, in place of what is its own.</summary>
public sealed record ZooOptions
{
    /// <summary>A factor on every layer's channels, for architectures that have one (<see cref="ZooEntry.Width"/>); null for the network's own.</summary>
    public double? Width { get; init; }

    /// <summary>Height and width of the input picture, which for most architectures is square; null for the network's own.</summary>
    public Size? Size { get; init; }

    /// <summary>Channels of the input picture; null for the network's own.</summary>
    public int? Channels { get; init; }

    /// <summary>Classes to tell apart; null for the network's own.</summary>
    public int? Classes { get; init; }

    /// <summary>What the initial weights follow from.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Probabilities in place of logits.</summary>
    public bool Softmax { get; init; }
}

/// <summary>One network of the zoo.</summary>
public sealed record ZooEntry
{
    private readonly Func<Settings, Model> build;

    /// <summary>An entry of what this function builds.</summary>
    internal ZooEntry(Func<Settings, Model> build) => this.build = build;

    /// <summary>The name it is asked for by, such as mobilenet-v1-0.5, shufflenet-v1-g3-1.0 or resnet-50.</summary>
    public required string Name { get; init; }

    /// <summary>The paper it is from: authors, year, title.</summary>
    public required string Paper { get; init; }

    /// <summary>The factor on every layer's channels; null where the architecture has none.</summary>
    public required double? Width { get; init; }

    /// <summary>Height and width of the input picture, unless asked for otherwise.</summary>
    public required Size Size { get; init; }

    /// <summary>Channels of the input picture, unless asked for otherwise.</summary>
    public required int Channels { get; init; }

    /// <summary>Classes that are told apart, unless asked for otherwise.</summary>
    public required int Classes { get; init; }

    /// <summary>The count of parameters that was published, as it was written there, such as 4.2 M or 25,557,032; empty where none is known.</summary>
    public string PublishedParameters { get; init; } = "";

    /// <summary>The count of multiply-accumulates that was published, as it was written there, such as 569 M; empty where none is known.</summary>
    public string PublishedMacs { get; init; } = "";

    /// <summary>The network, with initial weights that follow from the seed.</summary>
    /// <exception cref="PenjingException">An option is out of its range, or there is a width for an architecture that has none.</exception>
    public Model Build(ZooOptions? options = null)
    {
        options ??= new();
        if (options.Width is not null && Width is null) throw new PenjingException($"{Name} has no width that could be {options.Width}: leave it out");
        return build(new(
            options.Width ?? Width ?? 1, options.Size ?? Size, options.Channels ?? Channels, options.Classes ?? Classes, options.Seed, options.Softmax));
    }

    /// <summary>The network with convolutions and products of zeros, made at once: for what only shapes decide, such as its cost.</summary>
    public Model Outline() => Build(new() { Seed = Initializer.None });

    /// <summary>All that a builder wants to know.</summary>
    internal readonly record struct Settings(double Width, Size Size, int Channels, int Classes, int Seed, bool Softmax)
    {
        /// <summary>Height and width of a square picture.</summary>
        /// <exception cref="PenjingException">It is not square.</exception>
        public int Side => Size.Height == Size.Width ? Size.Height : throw new PenjingException($"this network's pictures are square, not {Size}: give one number, or a network such as parsenet");
    }
}
