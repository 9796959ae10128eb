using System.CommandLine;
using Penjing.Models;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing models: the networks that can be built by name.</summary>
internal static class ModelsCommand
{
    private static readonly Argument<string?> word = Given.Optional("WORD", "Only networks whose name has this in it.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("models",
        "Lists the networks of the zoo, with what they cost and the paper that each is from; `penjing new NAME` makes a file of one.",
        ["penjing models", "penjing models shufflenet", "penjing models --json | jq -r '.models[].name'"], Run, word, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string part = parsed.GetValue(word) ?? "";
        ZooEntry[] entries = [.. Zoo.All.Where(entry => entry.Name.Contains(part, StringComparison.OrdinalIgnoreCase))];
        if (entries.Length == 0) throw new PenjingException($"no network of the zoo has '{part}' in its name; `penjing models` lists them all");
        var costs = new (long Parameters, long Macs, long Bytes)[entries.Length];
        Parallel.For(0, entries.Length, new ParallelOptions { CancellationToken = stop }, index => costs[index] = Costs(entries[index]));
        screen.Show(new
        {
            Models = entries.Zip(costs, (entry, cost) => new
            {
                entry.Name, entry.Paper, Input = (int[])[1, entry.Channels, entry.Size.Height, entry.Size.Width], entry.Classes, cost.Parameters,
                entry.PublishedParameters, cost.Macs, entry.PublishedMacs, cost.Bytes,
            }),
        }, () => Draw(entries, costs));
    }

    private static (long Parameters, long Macs, long Bytes) Costs(ZooEntry entry)
    {
        Graph graph = entry.Outline().Graph;
        return (Cost.Trainable(graph), Cost.Macs(graph), graph.Weights.Sum(weight => (long)weight.Value!.Bytes.Length));
    }

    private static IEnumerable<IRenderable> Draw(ZooEntry[] entries, (long Parameters, long Macs, long Bytes)[] costs)
    {
        Table table = Screen.Table("Name", "Picture", ">Classes", ">Parameters", ">MACs", ">fp32 bytes", "Paper");
        foreach ((ZooEntry entry, (long parameters, long macs, long bytes)) in entries.Zip(costs))
            table.AddRow(new Text(entry.Name), new Text($"{entry.Channels}×{entry.Size}"), new Text(Quantity.Exact(entry.Classes)),
                new Text(Quantity.Exact(parameters)),
                new Text(Quantity.Exact(macs)), new Text(Quantity.Exact(bytes)), new Text(entry.Paper.Split(',')[0]));
        yield return table;
        foreach (string paper in entries.Select(entry => entry.Paper).Distinct()) yield return Screen.Line(paper);
        yield return Screen.Line("Widths and picture sizes that are not listed can be asked for too, as in mobilenet-v1-0.75-192. "
            + "Parameters are those that training moves.");
    }
}
