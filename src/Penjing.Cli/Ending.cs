using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The end of a verb that makes a network: its file is written, read again and measured on the engine.</summary>
internal static class Ending
{
    /// <summary>Ships the model and shows what its file is worth; the unfinished work is done.</summary>
    public static void Write(Screen screen, Model model, DataSet data, string target, WorkFolder work, Stage stage, CancellationToken stop)
    {
        (Model shipped, Evaluation? evaluation) = Ship(model, stage, data, target, Storage.Smallest, stop);
        work.Delete();
        screen.WhenStopped = $"'{target}' is written";
        using Session session = new(shipped, new SessionOptions(Threads: 1, Batch: 1));
        Latency latency = Measurement.Time([session], 100, stop)[0];
        long bytes = new FileInfo(target).Length, macs = Cost.Macs(shipped.Graph.WithBatch(1));
        screen.Show(new
        {
            Output = target, Model = shipped.Name, evaluation?.Top1, Images = data.Test.Count, Bytes = bytes, shipped.Graph.Parameters, Macs = macs, latency.MedianMs, session.ArenaBytes,
        }, () => [Screen.Facts(
            ("written", target),
            ("top-1", evaluation is null ? "not measured: the data set has no test pictures" : $"{Quantity.Percent(evaluation.Top1)} of {Quantity.Exact(data.Test.Count)} test pictures, on the engine"),
            ("file", $"{Quantity.Exact(bytes)} bytes"),
            ("parameters", Quantity.Exact(shipped.Graph.Parameters)),
            ("multiply-accumulates", Quantity.Exact(macs)),
            ("median latency", $"{Quantity.Milliseconds(latency.MedianMs)}, one picture, one thread"),
            ("arena", $"{Quantity.Exact(session.ArenaBytes)} bytes"))]);
    }

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
