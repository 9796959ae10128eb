using System.Collections.Immutable;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Penjing.Training;

/// <summary>All that a training needs to go on as if it had never ended.</summary>
/// <param name="Essence">What it was made with, by name: options, network, data.</param>
/// <param name="Step">Steps done.</param>
/// <param name="LossSum">The sum of the losses of the epoch's pictures so far.</param>
/// <param name="Right">How many of the epoch's pictures so far were answered right; of one whose pixels are answered, the fraction that is right.</param>
/// <param name="Seen">The epoch's pictures so far.</param>
/// <param name="Epochs">The epochs done.</param>
/// <param name="Numbers">The trained numbers.</param>
/// <param name="Momentum">The descent's momentum.</param>
/// <param name="Statistics">BatchNormalization's means and variances.</param>
/// <param name="MeanNumbers">The moving average of the numbers; empty where there is none.</param>
/// <param name="MeanStatistics">The moving average of the statistics; empty where there is none.</param>
/// <remarks>
/// The file: "PENJCKP4"; the essence as count and pairs of strings; step; the epoch's sums; the epochs; five arrays of count and floats; XxHash64 of all before.
/// Little-endian, strings as .NET's BinaryWriter has them.
/// </remarks>
internal sealed record Checkpoint(
    ImmutableArray<(string Name, string Value)> Essence, int Step, double LossSum, double Right, long Seen,
    ImmutableArray<EpochResult> Epochs, float[] Numbers, float[] Momentum, float[] Statistics, float[] MeanNumbers, float[] MeanStatistics)
{
    private const ulong Magic = 0x34504B434A4E4550;

    /// <summary>What a network and its data contribute to <see cref="Essence"/>: their fingerprints.</summary>
    public static IEnumerable<(string Name, string Value)> Fingerprints(Graph graph, TrainableGraph trainable, DataSet data, Preprocessing preprocessing)
    {
        yield return ("network", Fingerprint(graph));
        yield return ("parameterization", string.Join(" ", trainable.Slots.Where(slot => slot.Parameterization != Parameterization.Free).Select(slot => $"{slot.Node.Name}:{(int)slot.Parameterization}")));
        yield return ("preprocessing", FormattableString.Invariant($"{preprocessing.Channels} less {string.Join(' ', preprocessing.Mean)} by {string.Join(' ', preprocessing.Deviation)}, {preprocessing.Fit}"));
        yield return ("data", $"{data.Train.Count} pictures of {data.Size} {data.Channels}, {data.Train.Fingerprint}");
    }

    /// <summary>What tells a graph, its weights included, from any other.</summary>
    public static string Fingerprint(Graph graph)
    {
        using IncrementalHash network = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Node node in graph.Nodes)
        {
            network.AppendData(System.Text.Encoding.UTF8.GetBytes($"{node} ({string.Join(", ", node.Inputs.Select(input => input.Name))}) {node.Op}\n"));
            if (node.Value is { } value) network.AppendData(value.Bytes.Span);
        }
        return Convert.ToHexStringLower(network.GetHashAndReset())[..16];
    }

    /// <summary>Writes the file: whole, or as it was before.</summary>
    /// <exception cref="PenjingException">The folder can't be written to.</exception>
    public void Write(string path)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write(Magic);
        writer.Write(Essence.Length);
        foreach ((string name, string value) in Essence)
        {
            writer.Write(name);
            writer.Write(value);
        }
        writer.Write(Step);
        writer.Write(LossSum);
        writer.Write(Right);
        writer.Write(Seen);
        writer.Write(Epochs.Length);
        foreach (EpochResult epoch in Epochs)
        {
            writer.Write(epoch.Epoch);
            writer.Write(epoch.Loss);
            writer.Write(epoch.TrainAccuracy);
            writer.Write(epoch.TestScore?.Accuracy ?? double.NaN);
            writer.Write(epoch.TestScore?.MeanIoU ?? double.NaN);
        }
        foreach (float[] array in new[] { Numbers, Momentum, Statistics, MeanNumbers, MeanStatistics })
        {
            writer.Write(array.Length);
            writer.Write(MemoryMarshal.AsBytes(array.AsSpan()));
        }
        writer.Flush();
        writer.Write(XxHash64.HashToUInt64(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        writer.Flush();
        AtomicFile.Write(path, file => file.Write(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="PenjingException">It can't be read, is no checkpoint, or is damaged.</exception>
    public static Checkpoint Read(string path)
    {
        try
        {
            byte[] file = File.ReadAllBytes(path);
            if (file.Length < 16 || BitConverter.ToUInt64(file) != Magic || XxHash64.HashToUInt64(file.AsSpan(..^8)) != BitConverter.ToUInt64(file.AsSpan(^8..)))
                throw new PenjingException($"'{path}' is no checkpoint of this version, or is damaged: delete it to train from the start");
            using BinaryReader reader = new(new MemoryStream(file));
            _ = reader.ReadUInt64();
            ImmutableArray<(string, string)> essence = [.. Many(reader.ReadInt32(), () => (reader.ReadString(), reader.ReadString()))];
            int step = reader.ReadInt32();
            double lossSum = reader.ReadDouble();
            double right = reader.ReadDouble();
            long seen = reader.ReadInt64();
            ImmutableArray<EpochResult> epochs = [.. Many(reader.ReadInt32(), () =>
                new EpochResult(reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble(), Number(reader) is var accuracy && Number(reader) is var meanIoU && accuracy is { } known ? new Score(known, meanIoU) : null))];
            return new(essence, step, lossSum, right, seen, epochs, Floats(reader), Floats(reader), Floats(reader), Floats(reader), Floats(reader));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the checkpoint '{path}' can't be read: {error.Message}", error);
        }
    }

    /// <summary>Throws unless the checkpoint was made with the same as is now wanted.</summary>
    /// <exception cref="PenjingException">Something differs; the message names all that does, then and now.</exception>
    public void Match(string path, ImmutableArray<(string Name, string Value)> wanted)
    {
        var made = Essence.ToDictionary(pair => pair.Name, pair => pair.Value);
        string[] differences = [.. wanted.Where(pair => made.GetValueOrDefault(pair.Name) != pair.Value).Select(pair => $"{pair.Name} was {made.GetValueOrDefault(pair.Name)}, is now {pair.Value}")];
        if (differences.Length > 0)
            throw new PenjingException($"the checkpoint '{path}' belongs to another training: {string.Join("; ", differences)}. Give the same options, or train from the start without resuming");
    }

    private static IEnumerable<T> Many<T>(int count, Func<T> read) => Enumerable.Range(0, count).Select(_ => read());

    private static double? Number(BinaryReader reader) => reader.ReadDouble() is var number && double.IsNaN(number) ? null : number;

    private static float[] Floats(BinaryReader reader)
    {
        var array = new float[reader.ReadInt32()];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(array.AsSpan()));
        return array;
    }
}
