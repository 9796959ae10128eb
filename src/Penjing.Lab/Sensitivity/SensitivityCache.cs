using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What an accuracy was measured of: the whole network where there is no part.</summary>
/// <param name="Network">A hash of the network and its preprocessing.</param>
/// <param name="Pictures">A hash of the pictures and their classes.</param>
/// <param name="By">What was taken from the part, and by which rule.</param>
/// <param name="Part">The part; empty for the whole network.</param>
/// <param name="Level">How much was taken.</param>
public sealed record Probe(string Network, string Pictures, string By, string Part, double Level);

/// <summary>
/// Accuracies kept in one file, a line of JSON each, written as soon as they are known: what a killed process has measured stays, whatever became of its last
/// line. Lines of other networks, pictures and settings stay too.
/// </summary>
public sealed class SensitivityCache : IDisposable
{
    private readonly FileStream file;
    private readonly Dictionary<Probe, Accuracy> known = [];

    /// <summary>The cache of a file, which is created where it is missing.</summary>
    /// <exception cref="PenjingException">The file can't be used, or is no such cache.</exception>
    public SensitivityCache(string path)
    {
        try
        {
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"'{path}' can't keep what is measured: {error.Message}", error);
        }
        try
        {
            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            int end = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
            // What is behind the last whole line is cut off: it may only be the begin of one.
            ReadOnlySpan<byte> rest = bytes.AsSpan(end), begin = Encoding.UTF8.GetBytes($"{{\"{nameof(Line.Network)}\":");
            if (!rest.StartsWith(begin[..Math.Min(rest.Length, begin.Length)])) throw new JsonException();
            foreach (string line in Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Line kept = JsonSerializer.Deserialize<Line>(line) ?? throw new JsonException();
                known[kept.Probe] = kept.Accuracy;
            }
            file.SetLength(end);
            file.Position = end;
        }
        catch (JsonException error)
        {
            file.Dispose();
            throw new PenjingException($"'{path}' is no file of measured sensitivities: give another --cache, or delete it", error);
        }
    }

    /// <summary>What is known of a probe; null where nothing is.</summary>
    public Accuracy? this[Probe probe] => known.TryGetValue(probe, out Accuracy accuracy) ? accuracy : null;

    /// <summary>Keeps what was measured.</summary>
    public void Add(Probe probe, Accuracy accuracy)
    {
        known[probe] = accuracy;
        file.Write([.. JsonSerializer.SerializeToUtf8Bytes(Line.Of(probe, accuracy)), (byte)'\n']);
        file.Flush(flushToDisk: true);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    /// <summary>A hash of all that a network's answers follow from.</summary>
    public static string Hash(Model model)
    {
        XxHash3 hash = new();
        foreach (Node node in model.Graph.Nodes)
        {
            Append(hash, $"{node.Name}\n{(node.Value is null ? node.Op : "")}\n{node.Info}\n{string.Join('\n', node.Inputs.Select(input => input.Name))}\n\n");
            if (node.Value is { } value) hash.Append(value.Bytes.Span);
        }
        Append(hash, Said(model.Preprocessing));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>A hash of pictures, their classes and how they become inputs where the network doesn't say.</summary>
    public static string Hash(DataSet data)
    {
        XxHash3 hash = new();
        Append(hash, $"{data.Test.Size} {data.Test.Channels} {Truths(data.Test)} {FormattableString.Invariant(Said(data.Preprocessing))}");
        for (int i = 0; i < data.Test.Count; i++) hash.Append(data.Test.Pixels(i));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>A hash of the classes of pictures, in their order, without the pictures: these may take long to read.</summary>
    public static string Hash(Training.Split split)
    {
        XxHash3 hash = new();
        Append(hash, $"{split.Size} {split.Channels} {Truths(split)}");
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static string Truths(Training.Split split) => split.HasMasks ? split.Fingerprint : string.Join(' ', split.Labels);

    private static FormattableString Said(Preprocessing? rule) =>
        rule is null ? $"" : (FormattableString)$"{rule.Channels} {rule.Fit} {string.Join(' ', rule.Mean)} {string.Join(' ', rule.Deviation)}";

    private static void Append(XxHash3 hash, FormattableString text) => hash.Append(Encoding.UTF8.GetBytes(FormattableString.Invariant(text)));

    private sealed record Line(string Network, string Pictures, string By, string Part, double Level, int Right, int Count)
    {
        internal static Line Of(Probe probe, Accuracy accuracy) => new(probe.Network, probe.Pictures, probe.By, probe.Part, probe.Level, accuracy.Right, accuracy.Count);

        internal Probe Probe => new(Network, Pictures, By, Part, Level);

        internal Accuracy Accuracy => new(Right, Count);
    }
}
