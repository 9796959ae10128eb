using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Cli;

/// <summary>One stage and what was measured of its file.</summary>
/// <param name="Title">The stage's name for people.</param>
/// <param name="What">What it did, in one sentence.</param>
/// <param name="File">The file's name.</param>
/// <param name="Result">What was measured.</param>
/// <param name="Worse">What it changed for the worse against the stage before, one phrase each.</param>
internal sealed record Finding(string Title, string What, string File, StageResult Result, ImmutableArray<string> Worse)
{
    /// <summary>What the stage changed for the worse, as one sentence.</summary>
    public string WorseInWords => Worse.IsDefault ? "The starting point." : Worse.Length == 0 ? "Nothing got worse." : $"{char.ToUpperInvariant(Worse[0][0])}{string.Join("; ", Worse)[1..]}.";
}

/// <summary>One test picture and what the first and the last network say it is.</summary>
/// <param name="Png">The picture, as PNG.</param>
/// <param name="Truth">What it is.</param>
/// <param name="Before">The first network's answer.</param>
/// <param name="After">The last network's answer.</param>
internal sealed record Sample(byte[] Png, string Truth, Answer Before, Answer After);

/// <summary>A class and the probability a network gives it.</summary>
internal sealed record Answer(string Label, double Confidence);

/// <summary>All that the report shows.</summary>
/// <param name="Kind">What the report is of, such as "demo".</param>
/// <param name="Network">The network's name.</param>
/// <param name="About">What was done to it, in sentences.</param>
/// <param name="DataSet">The data set's name.</param>
/// <param name="TestPictures">How many test pictures every stage was asked.</param>
/// <param name="Stages">The stages, first one first.</param>
/// <param name="Agreeing">Samples on which both networks agree.</param>
/// <param name="Differing">Samples on which they differ.</param>
/// <param name="Differences">On how many test pictures they differ.</param>
/// <param name="LastFile">How the last file stores its tensors.</param>
/// <param name="Made">How the report was made: what, and its value.</param>
internal sealed record Findings(
    string Kind, string Network, string About, string DataSet, int TestPictures, IReadOnlyList<Finding> Stages, IReadOnlyList<Sample> Agreeing, IReadOnlyList<Sample> Differing,
    int Differences, FileReport LastFile, IReadOnlyList<KeyValuePair<string, string>> Made)
{
    /// <summary>What was measured of all files, those of attempts that were not taken among them.</summary>
    public IReadOnlyList<StageResult> Measured { get; init; } = [.. Stages.Select(stage => stage.Result)];

    /// <summary>Where each pixel is answered: test pictures, their truth, and the first and the last network's answers side by side, as PNG.</summary>
    public byte[]? Sheet { get; init; }
}
