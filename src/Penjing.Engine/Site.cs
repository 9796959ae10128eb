using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// What a kernel is made for: a node, the vectors to compute with, and how far apart the pixels of its values lie. A rank-4 value that is a part
/// of a wider one has the wider one's pitch; its first element is where its part begins.
/// </summary>
/// <param name="Node">The node.</param>
/// <param name="Isa">The vectors.</param>
/// <param name="InputPitches">For each input the elements from pixel to pixel, where it has rank 4; else 0.</param>
/// <param name="OutputPitch">The same of the output.</param>
internal sealed record Site(Node Node, Isa Isa, ImmutableArray<int> InputPitches, int OutputPitch)
{
    /// <summary>How many threads may share a run: as many parts of scratch memory serve all tasks.</summary>
    public int Seats { get; init; } = 1;

    /// <summary>A node whose values all lie by themselves.</summary>
    public Site(Node node, Isa isa) : this(node, isa, [.. node.Inputs.Select(input => Pitch(input.Shape))], Pitch(node.Shape)) { }

    /// <summary>Whether all values lie by themselves.</summary>
    public bool IsDense => OutputPitch == Pitch(Node.Shape) && Node.Inputs.Select((input, i) => InputPitches[i] == Pitch(input.Shape)).All(dense => dense);

    /// <summary>The elements from pixel to pixel of a value that lies by itself; 0 where it has no pixels.</summary>
    public static int Pitch(Shape shape) => shape.Rank == 4 ? shape[1] : 0;
}
