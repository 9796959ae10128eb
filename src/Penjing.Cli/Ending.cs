using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The end of a verb that makes a network: its file is written, read again and measured on the engine.</summary>
internal static class Ending
{
    /// <summary>Ships the model and shows what its file is worth, and what got worse against the file that it was made from; the unfinished work is done.</summary>
    /// <param name="screen">Where it is shown.</param>
    /// <param name="model">The network.</param>
    /// <param name="data">The pictures that it is asked about.</param>
    /// <param name="target">The file.</param>
    /// <param name="work">Where unfinished work was kept, if it was.</param>
    /// <param name="stage">What was done, for the history.</param>
    /// <param name="stop">Ends the work.</param>
    /// <param name="source">The file that the network was made from, and what it holds.</param>
    /// <param name="decibels">The answers' signal-to-noise ratio against that one's, where it was measured.</param>
    public static void Write(Screen screen, Model model, DataSet data, string target, WorkFolder? work, Stage stage, CancellationToken stop, (string Path, Model Model)? source = null, double? decibels = null)
    {
        // The result may take its source's place, which is measured first.
        Shipped? then = source is null ? null : Shipped.Of(source.Value.Path, source.Value.Model, data, stop);
        Shipped shipped = Shipped.Write(model, stage, data, target, Storage.Smallest, stop);
        work?.Delete();
        screen.WhenStopped = $"'{target}' is written";
        ImmutableArray<StageResult> results = Shipped.Measure(then is null ? [shipped] : [shipped, then], 100, stop);
        StageResult result = results[0];
        ImmutableArray<string> worse = then is null ? [] : result.WorseThan(results[1]);
        ImmutableArray<SparseTensor> weights = Sparsifier.Describe(shipped.Model.Graph);
        double zeros = weights.Sum(weight => (double)weight.Zeros) / Math.Max(1, weights.Sum(weight => (double)weight.Elements));
        screen.Show(new
        {
            Output = target, Model = shipped.Model.Name, shipped.Evaluation?.Score.Top1, shipped.Evaluation?.Score.MeanIoU, shipped.Evaluation?.Score.PixelAccuracy, Images = data.Test.Count, result.Bytes, result.Parameters, Zeros = zeros, result.Macs, result.MedianMs, result.ArenaBytes, Decibels = decibels, Worse = worse,
        }, () => [Screen.Facts(
            [
                ("written", target),
                ("answers", shipped.Evaluation is not { } evaluation ? "not measured: the data set has no test pictures" : $"{evaluation.Score}; {Quantity.Exact(data.Test.Count)} test pictures, on the engine"),
                ("file", $"{Quantity.Exact(result.Bytes)} bytes"),
                ("parameters", Quantity.Exact(result.Parameters) + (zeros > 0 ? $"; {Quantity.Percent(zeros)} of those in kernels and matrices are zero" : "")),
                ("multiply-accumulates", Quantity.Exact(result.Macs)),
                ("median latency", $"{Quantity.Milliseconds(result.MedianMs)}, one picture, one thread"),
                ("arena", $"{Quantity.Exact(result.ArenaBytes)} bytes"),
                .. decibels is { } ratio ? [("rounding", string.Create(CultureInfo.InvariantCulture, $"changes answers by {ratio:F1} dB less than they are"))] : ((string, string)[])[],
                .. worse.Select(phrase => ("worse", phrase)),
            ])]);
    }
}
