using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>A network as it ships: its file, read again, and what the engine answered to all test pictures.</summary>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Model">The network that the file holds.</param>
/// <param name="Evaluation">The answers; null where the data set has no test pictures.</param>
public sealed record Shipped(string Path, long Bytes, Model Model, Evaluation? Evaluation)
{
    /// <summary>The network of a file that is there.</summary>
    /// <exception cref="PenjingException">Network and data don't fit.</exception>
    public static Shipped Of(string path, Model model, DataSet data, CancellationToken stop = default) =>
        new(path, new FileInfo(path).Length, model, data.Test.Count == 0 ? null : Evaluation.Of(model, data, Environment.ProcessorCount, stop));

    /// <summary>
    /// Writes a network's file with a stage behind its history, loads it, asks it on the engine about all test pictures, and notes the accuracy in the file,
    /// whose weights stay the same bits. Without test pictures nothing is noted. The path has the whole of it or what it had before: until the last answer it is a draft beside it.
    /// </summary>
    /// <param name="model">The network.</param>
    /// <param name="stage">What was done last; its parameters, multiply-accumulates and accuracy are filled in. Null to add nothing to the history.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="path">The file.</param>
    /// <param name="storage">How tensors are stored.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">Network and data don't fit, or the file can't be written.</exception>
    public static Shipped Write(Model model, Stage? stage, DataSet data, string path, Storage storage = Storage.Smallest, CancellationToken stop = default)
    {
        stage = stage is null ? null : stage with { Parameters = model.Graph.Parameters, Macs = Cost.Macs(model.Graph.WithBatch(1)) };
        string draft = path + ".draft";
        try
        {
            Shipped shipped = Of(draft, Written(stage), data, stop);
            if (stage is not null && shipped.Evaluation is { } evaluation) shipped = shipped with { Model = Written(stage with { Score = evaluation.Score }) };
            using (FileStream whole = File.OpenRead(draft)) AtomicFile.Write(path, whole.CopyTo);
            return shipped with { Path = path, Bytes = new FileInfo(path).Length };
        }
        finally
        {
            File.Delete(draft);
        }

        Model Written(Stage? last)
        {
            PenjingFile.Write(draft, last is null ? model : model with { History = model.History.Add(last) }, storage);
            return PenjingFile.Read(draft);
        }
    }

    /// <summary>What is to say of each file: one picture at a time on one thread, all timed in turns, so that each meets the same conditions.</summary>
    /// <param name="files">The files.</param>
    /// <param name="runs">How often each is timed.</param>
    /// <param name="stop">Ends the work.</param>
    public static ImmutableArray<StageResult> Measure(IReadOnlyList<Shipped> files, int runs, CancellationToken stop = default)
    {
        Session[] sessions = [.. files.Select(file => new Session(file.Model, Evaluation.Options))];
        try
        {
            Latency[] latencies = Latency.Of(sessions, runs, stop);
            return
            [
                .. files.Select((file, i) => new StageResult(file.Model.History is [.., { Name: var last }] ? last : file.Model.Name, file.Evaluation?.Score ?? default, file.Bytes,
                    file.Model.Graph.Parameters, Cost.Macs(file.Model.Graph.WithBatch(1)), latencies[i].MedianMs, sessions[i].ArenaBytes)),
            ];
        }
        finally
        {
            foreach (Session session in sessions) session.Dispose();
        }
    }
}
