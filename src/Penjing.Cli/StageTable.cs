using System.Globalization;
using Penjing.Compression;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>Stages as every verb that does several shows them.</summary>
internal static class StageTable
{
    /// <summary>The stages as a table, what each made worse, and the whole in a line.</summary>
    public static IEnumerable<IRenderable> Draw(IReadOnlyList<Finding> stages)
    {
        StageResult first = stages[0].Result, last = stages[^1].Result;
        Table table = Screen.Table("Stage", $">{Quantity.Title(first.Score.Metric)}", ">Bytes", ">Ratio", ">Parameters", ">MACs", ">Median latency", ">Arena bytes");
        foreach ((string title, StageResult result) in stages.Select(stage => (stage.Title, stage.Result)))
            table.AddRow(title, Quantity.Percent(result.Score.Value), Quantity.Exact(result.Bytes), Quantity.Times((double)first.Bytes / result.Bytes), Quantity.Exact(result.Parameters),
                Quantity.Exact(result.Macs), Quantity.Milliseconds(result.MedianMs), Quantity.Exact(result.ArenaBytes));
        yield return table;
        foreach (Finding stage in stages.Skip(1)) yield return Screen.Line($"{stage.Title}: {stage.What} {stage.WorseInWords}");
        yield return Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"In all: {Quantity.Times((double)first.Bytes / last.Bytes)} smaller, {Quantity.Times(first.MedianMs / last.MedianMs)} faster, {100 * (last.Score.Value - first.Score.Value):+0.00;-0.00;0.00} points of {first.Score.Metric}."));
    }

    /// <summary>The same for machines.</summary>
    /// <param name="stages">The stages.</param>
    /// <param name="folder">Where their files are; null where only the last one stays.</param>
    public static IEnumerable<object> Json(IReadOnlyList<Finding> stages, string? folder = null) => stages.Select(stage => new
    {
        stage.Title, stage.What, stage.Result.Name, stage.Result.Score.Top1, stage.Result.Score.MeanIoU, stage.Result.Score.PixelAccuracy, stage.Result.Bytes, stage.Result.Parameters, stage.Result.Macs, stage.Result.MedianMs, stage.Result.ArenaBytes,
        File = folder is null ? null : Path.Combine(folder, stage.File), Ratio = (double)stages[0].Result.Bytes / stage.Result.Bytes, Worse = stage.Worse.IsDefault ? [] : stage.Worse,
    });

    /// <summary>A network's history for machines.</summary>
    public static IEnumerable<object> Json(Model model) => model.History.Select(stage =>
        new { stage.Name, stage.Detail, stage.Score?.Top1, stage.Score?.MeanIoU, stage.Score?.PixelAccuracy, stage.Parameters, stage.Macs, stage.Cuts });
}
