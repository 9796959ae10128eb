using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The end of a verb that makes a network: its file is written, read again and measured on the engine.</summary>
internal static class Ending
{
    /// <summary>How many times as many right answers as chance gives are no better than chance.</summary>
    private const double Chance = 1.2;

    /// <summary>Of fewer test pictures, so many may be right by luck.</summary>
    private const int FewestForChance = 100;

    /// <summary>Ships the model and shows what its file is worth, and what got worse against the file that it was made from; the unfinished work is done.</summary>
    /// <param name="screen">Where it is shown.</param>
    /// <param name="model">The network.</param>
    /// <param name="data">The pictures that it is asked about.</param>
    /// <param name="target">The file.</param>
    /// <param name="work">Where unfinished work was kept, if it was.</param>
    /// <param name="stage">What was done, for the history.</param>
    /// <param name="stop">Ends the work.</param>
    /// <param name="source">The file that the network was made from, and what it holds.</param>
    /// <param name="rounding">What integers came to, where the network is one of integers.</param>
    public static void Write(Screen screen, Model model, DataSet data, string target, WorkFolder? work, Stage stage, CancellationToken stop, (string Path, Model Model)? source = null, Rounding? rounding = null)
    {
        // The result may take its source's place, which is measured first.
        Shipped? then = source is null ? null : Shipped.Of(source.Value.Path, source.Value.Model, data, stop);
        Shipped shipped = Shipped.Write(model, stage, data, target, Storage.Smallest, stop);
        work?.Delete();
        screen.WhenStopped = $"'{target}' is written";
        ImmutableArray<StageResult> results = Shipped.Measure(then is null ? [shipped] : [shipped, then], 100, stop);
        StageResult result = results[0];
        ImmutableArray<string> worse = then is null ? [] : result.WorseThan(results[1]);
        double? drop = rounding?.MostDrop is not null && shipped.Evaluation is not null ? results[1].Score.Value - result.Score.Value : null;
        bool? kept = drop is { } lost ? lost <= rounding!.MostDrop + 1e-9 : null;
        screen.HasMissed = kept is false;
        if (kept is false) worse = worse.Add(string.Create(CultureInfo.InvariantCulture, $"the bound of {100 * rounding!.MostDrop:0.##} points is not kept: {100 * drop:F2} are lost"));
        if (rounding?.Untrained is { } untrained && shipped.Evaluation?.Score is { } trained && trained.Value < untrained.Value)
            worse = worse.Add(string.Create(CultureInfo.InvariantCulture, $"training under the rounding lost {100 * (untrained.Value - trained.Value):0.####} points of what the integers had before it"));
        if (rounding is null && shipped.Evaluation?.Score.Top1 is { } top1 && data.Test.Count >= FewestForChance && top1 < Chance / data.Labels.Length)
            screen.Note($"{Quantity.Percent(top1)} is what chance gives, the network has not learnt: lower the learning rate (--lr), bound the gradient (--clip), or train longer");
        ImmutableArray<SparseTensor> weights = Sparsifier.Describe(shipped.Model.Graph);
        double zeros = weights.Sum(weight => (double)weight.Zeros) / Math.Max(1, weights.Sum(weight => (double)weight.Elements));
        screen.Show(new
        {
            Output = target, Model = shipped.Model.Name, shipped.Evaluation?.Score.Top1, shipped.Evaluation?.Score.MeanIoU, shipped.Evaluation?.Score.PixelAccuracy, Images = data.Test.Count, result.Bytes, result.Parameters, Zeros = zeros, result.Macs, result.MedianMs, result.ArenaBytes, rounding?.Decibels, Untrained = rounding?.Untrained?.Value, rounding?.Stage.Method, Refine = rounding?.Stage.Refine, Real = rounding?.Stage.Keep, DropKept = kept, Worse = worse,
        }, () => [Screen.Facts(
            [
                ("written", target),
                ("answers", shipped.Evaluation is not { } evaluation ? "not measured: the data set has no test pictures" : $"{evaluation.Score}; {Quantity.Exact(data.Test.Count)} test pictures, on the engine"),
                ("file", $"{Quantity.Exact(result.Bytes)} bytes"),
                ("parameters", Quantity.Exact(result.Parameters) + (zeros > 0 ? $"; {Quantity.Percent(zeros)} of those in kernels and matrices are zero" : "")),
                ("multiply-accumulates", Quantity.Exact(result.Macs)),
                ("median latency", $"{Quantity.Milliseconds(result.MedianMs)}, one picture, one thread"),
                ("arena", $"{Quantity.Exact(result.ArenaBytes)} bytes"),
                .. rounding is null ? ((string, string)[])[] : [("integers", rounding.Stage.Detail), ("rounding", string.Create(CultureInfo.InvariantCulture, $"changes answers by {rounding.Decibels:F1} dB less than they are"))],
                .. rounding?.Untrained is { } before ? [("untrained", $"{before}, the integers before their training")] : ((string, string)[])[],
                .. kept is true ? [("bound", string.Create(CultureInfo.InvariantCulture, $"kept: {100 * drop:F2} of {100 * rounding!.MostDrop:0.##} points lost"))] : ((string, string)[])[],
                .. worse.Select(phrase => ("worse", phrase)),
            ])]);
    }

    /// <summary>What became of a network's reals.</summary>
    /// <param name="Stage">What was settled: ranges, refinements, and the layers that stay real.</param>
    /// <param name="Decibels">The answers' signal-to-noise ratio against the network's.</param>
    /// <param name="MostDrop">The most that the score was to fall, a fraction; null for no bound.</param>
    /// <param name="Untrained">What the integers had before they were trained; null where they weren't.</param>
    public sealed record Rounding(QuantizeStage Stage, double Decibels, double? MostDrop, Score? Untrained);
}
