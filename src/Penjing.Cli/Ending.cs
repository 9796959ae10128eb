using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The end of a verb that makes a network: its file is written, read again and measured on the engine.</summary>
internal static class Ending
{
    /// <summary>Writes the file, runs all test pictures on it, and shows what it is worth.</summary>
    public static void Write(Screen screen, Model model, DataSet data, string target, WorkFolder work, Stage stage, CancellationToken stop)
    {
        Model told = Recorded(model, stage, data, stop);
        PenjingFile.Write(target, told);
        work.Delete();
        screen.WhenStopped = $"'{target}' is written";
        Model shipped = PenjingFile.Read(target);
        Evaluation? evaluation = data.Test.Count > 0 ? Evaluation.Of(shipped, data, Environment.ProcessorCount, stop) : null;
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

    /// <summary>The model with a stage of its history behind the others: its accuracy is the engine's.</summary>
    public static Model Recorded(Model model, Stage stage, DataSet data, CancellationToken stop)
    {
        double? top1 = data.Test.Count > 0 ? Evaluation.Of(model, data, Environment.ProcessorCount, stop).Top1 : null;
        return model with { History = model.History.Add(stage with { Top1 = top1, Parameters = model.Graph.Parameters, Macs = Cost.Macs(model.Graph.WithBatch(1)) }) };
    }
}
