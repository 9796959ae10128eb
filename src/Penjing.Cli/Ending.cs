using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The end of a verb that makes a network: its file is written, read again and measured on the engine.</summary>
internal static class Ending
{
    /// <summary>Ships the model and shows what its file is worth, and what got worse against the file that it was made from; the unfinished work is done.</summary>
    public static void Write(Screen screen, Model model, DataSet data, string target, WorkFolder work, Stage stage, CancellationToken stop, (string Path, Model Model)? source = null)
    {
        // The result may take its source's place, which is measured first.
        (long Bytes, double? Top1) then = source is null ? default : (new FileInfo(source.Value.Path).Length, Top1(source.Value.Model, data, stop));
        (Model shipped, Evaluation? evaluation) = Ship(model, stage, data, target, Storage.Smallest, stop);
        work.Delete();
        screen.WhenStopped = $"'{target}' is written";
        using Session session = new(shipped, new SessionOptions(Threads: 1, Batch: 1));
        using Session? earlier = source is null ? null : new(source.Value.Model, new SessionOptions(Threads: 1, Batch: 1));
        Latency[] latencies = Measurement.Time(earlier is null ? [session] : [session, earlier], 100, stop);
        StageResult result = Result(shipped, evaluation?.Top1, new FileInfo(target).Length, latencies[0], session);
        ImmutableArray<string> worse = earlier is null ? [] : result.WorseThan(Result(source!.Value.Model, then.Top1, then.Bytes, latencies[1], earlier));
        ImmutableArray<SparseTensor> weights = Sparsifier.Describe(shipped.Graph);
        double zeros = weights.Sum(weight => (double)weight.Zeros) / Math.Max(1, weights.Sum(weight => (double)weight.Elements));
        screen.Show(new
        {
            Output = target, Model = shipped.Name, evaluation?.Top1, Images = data.Test.Count, result.Bytes, result.Parameters, Zeros = zeros, result.Macs, result.MedianMs, result.ArenaBytes, Worse = worse,
        }, () => [Screen.Facts(
            [
                ("written", target),
                ("top-1", evaluation is null ? "not measured: the data set has no test pictures" : $"{Quantity.Percent(evaluation.Top1)} of {Quantity.Exact(data.Test.Count)} test pictures, on the engine"),
                ("file", $"{Quantity.Exact(result.Bytes)} bytes"),
                ("parameters", Quantity.Exact(result.Parameters) + (zeros > 0 ? $"; {Quantity.Percent(zeros)} of those in kernels and matrices are zero" : "")),
                ("multiply-accumulates", Quantity.Exact(result.Macs)),
                ("median latency", $"{Quantity.Milliseconds(result.MedianMs)}, one picture, one thread"),
                ("arena", $"{Quantity.Exact(result.ArenaBytes)} bytes"),
                .. worse.Select(phrase => ("worse", phrase)),
            ])]);
    }

    private static StageResult Result(Model model, double? top1, long bytes, Latency latency, Session session) =>
        new(model.Name, top1 ?? 0, bytes, model.Graph.Parameters, Cost.Macs(model.Graph.WithBatch(1)), latency.MedianMs, session.ArenaBytes);

    private static double? Top1(Model model, DataSet data, CancellationToken stop) =>
        data.Test.Count == 0 ? null : Evaluation.Of(model, data, Environment.ProcessorCount, stop).Top1;

    /// <summary>
    /// Writes a model's file with a stage behind its history, loads it, asks it on the engine about all test pictures, and notes the accuracy in the file,
    /// whose weights stay the same bits. Without test pictures nothing is noted.
    /// </summary>
    public static (Model Shipped, Evaluation? Evaluation) Ship(Model model, Stage stage, DataSet data, string path, Storage storage, CancellationToken stop)
    {
        stage = stage with { Parameters = model.Graph.Parameters, Macs = Cost.Macs(model.Graph.WithBatch(1)) };
        Model shipped = Written(stage);
        if (data.Test.Count == 0) return (shipped, null);
        Evaluation evaluation = Evaluation.Of(shipped, data, Environment.ProcessorCount, stop);
        return (Written(stage with { Top1 = evaluation.Top1 }), evaluation);

        Model Written(Stage last)
        {
            PenjingFile.Write(path, model with { History = model.History.Add(last) }, storage);
            return PenjingFile.Read(path);
        }
    }
}
