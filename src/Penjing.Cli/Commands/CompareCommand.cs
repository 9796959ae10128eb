using System.CommandLine;
using System.Globalization;
using Penjing.Engine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing compare: two networks on the same inputs, and where they part.</summary>
internal static class CompareCommand
{
    private static readonly Argument<string> first = Given.Path(new Argument<string>("A")
    {
        Description = $"The network that the other is held against: {Given.ReadableEndings}.",
    });
    private static readonly Argument<string> second = Given.Path(new Argument<string>("B") { Description = "The other network, of any of these formats." });
    private static readonly Option<string[]> inputs = Given.Path(new Option<string[]>("--inputs")
    {
        HelpName = "FILE...",
        Description = "Pictures (.png, .jpg, …) or .npy arrays to run both on; for networks of several inputs one .npy array for each "
            + "(default: seeded random numbers).",
        AllowMultipleArgumentsPerToken = true,
    });
    private static readonly Option<int> seed = Given.Number("--seed", "N", 1, 0, int.MaxValue,
        "What the random inputs follow from, where no --inputs are given.");
    private static readonly Option<double> tolerance = Given.Number("--tolerance", "SHARE", 1e-4, 0, 1e9,
        "How far values may part and still count as equal: the largest difference as a share of the value's range.");
    private static readonly Option<int> runs = Given.Runs(20);
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("compare",
        "Runs two networks on the same inputs, and shows each layer's error and time and the first layer where they part; exit code 1 if the outputs differ.",
        [
            "penjing compare model.onnx model.penjing",
            "penjing compare trained.penjing shared.penjing --inputs cat.jpg dog.jpg --tolerance 0.05",
            "penjing compare a.onnx b.onnx --json | jq .firstDifference",
        ], Run, [first, second, inputs, seed, tolerance, runs, threads, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        (string pathA, string pathB) = (parsed.GetRequiredValue(first), parsed.GetRequiredValue(second));
        Model a = reading.Read(parsed, pathA, beside: pathB), b = reading.Read(parsed, pathB, beside: pathA);
        string[] files = parsed.GetValue(inputs) ?? [];
        if (files.Length > 0) Given.RefuseBeside(parsed, inputs.Name, seed);
        if (files.Length > 0 || !a.Graph.Inputs.Select(input => input.Shape).SequenceEqual(b.Graph.Inputs.Select(input => input.Shape)))
            (a, b) = (a with { Graph = a.Graph.WithBatch(1) }, b with { Graph = b.Graph.WithBatch(1) });
        NetworkComparison.RequireSameInputs(a.Graph, b.Graph);
        List<Tensor[]> samples = files.Length == 0 ? [Noise.For(a.Graph.Inputs.Select(input => input.Info), parsed.GetValue(seed))]
            : [.. Samples(files, a with { Preprocessing = a.Preprocessing ?? b.Preprocessing })];
        (int count, int most) = (parsed.GetValue(threads) ?? 0, parsed.GetValue(runs));
        NetworkComparison comparison = NetworkComparison.Of(a.Graph, b.Graph, samples, count, stop);
        View view = new(comparison, LayerTimes.Of(a, count, most), LayerTimes.Of(b, count, most), parsed.GetValue(tolerance));
        string sampled = files.Length == 0 ? $"random inputs of seed {parsed.GetValue(seed)}"
            : $"{samples.Count} given sample{(samples.Count == 1 ? "" : "s")}";
        screen.Show(new
        {
            A = a.Name, B = b.Name, Samples = samples.Count, Seed = files.Length > 0 ? null : (int?)parsed.GetValue(seed), view.Tolerance,
            Agree = view.Apart is null, FirstDifference = view.Parting?.Pair.A.Name, Outputs = comparison.Outputs.Select(view.Json),
            MatchedByName = comparison.ByName, Layers = comparison.Layers.Select(view.Json), OnlyInA = comparison.OnlyA.Select(node => node.Name),
            OnlyInB = comparison.OnlyB.Select(node => node.Name), TotalMsA = view.A.TotalMs, TotalMsB = view.B.TotalMs, view.A.Threads,
        }, () => view.Draw(sampled));
        if (view.Verdict is { } verdict) throw new PenjingException(verdict);
    }

    /// <summary>The samples in files: each row of each file, or for several inputs one array each.</summary>
    private static IEnumerable<Tensor[]> Samples(string[] files, Model model)
    {
        if (model.Graph.Inputs is [var entry])
        {
            foreach (string file in files)
            {
                Tensor rows = Inputs.Read(file, model, entry);
                int bytes = rows.Shape[0] == 0 ? 0 : rows.Bytes.Length / rows.Shape[0];
                for (int row = 0; row < rows.Shape[0]; row++) yield return [new(rows.Type, rows.Shape.With(0, 1), rows.Bytes.Slice(row * bytes, bytes))];
            }
            yield break;
        }
        if (files.Length != model.Graph.Inputs.Length)
            throw new PenjingException($"the network takes {model.Graph.Inputs.Length} inputs "
                + $"({string.Join(", ", model.Graph.Inputs.Select(input => input.Name))}), "
                + $"but there are {files.Length} --inputs: give one .npy array for each, in this order");
        yield return [.. files.Zip(model.Graph.Inputs, (file, input) => Inputs.Read(file, model, input))];
    }

    /// <summary>What came of it, in words and figures.</summary>
    private sealed record View(NetworkComparison Comparison, LayerTimes A, LayerTimes B, double Tolerance)
    {
        /// <summary>The first layer that parts, in the order of a run.</summary>
        public Difference? Parting { get; } = Comparison.Layers.FirstOrDefault(layer => layer.Exceeds(Tolerance));

        /// <summary>The first output that is apart.</summary>
        public Difference? Apart { get; } = Comparison.Outputs.FirstOrDefault(output => output.Exceeds(Tolerance));

        /// <summary>Why the networks don't agree; null where they do.</summary>
        public string? Verdict => Apart switch
        {
            null => null,
            { MaxError: null, Pair: (var first, var second) } =>
                $"the outputs differ: '{first.Name}' is {first.Info} in the first network, {second.Info} in the second",
            _ => $"the outputs differ: '{Apart.Pair.A.Name}' by {Number(Apart.RelativeError)} of its range (tolerance {Number(Tolerance)})"
                + (Parting is null ? "" : $"; the first layer that parts is '{Parting.Pair.A.Name}' ({Parting.Pair.A.Op.Name}), {How(Parting)}"),
        };

        public object Json(Difference layer)
        {
            (Node a, Node b) = layer.Pair;
            return new
            {
                a.Name, NameInB = b.Name, Op = a.Op.Name, Shape = a.Shape.Extents, ShapeInB = b.Shape.Extents, layer.MaxError, layer.RelativeError, MsA =
                    A[a], MsB = B[b],
            };
        }

        public IEnumerable<IRenderable> Draw(string samples)
        {
            yield return Screen.Line($"{samples}; " + (Comparison.ByName ? "layers of one name are held against each other"
                : "the names differ, so layers of one operation and shape are held against each other, in order"));
            Table table = Screen.Table("<Layer", "Op", ">Shape", ">Largest difference", ">Of the range", ">Time A", ">Time B", "");
            foreach (Difference layer in Comparison.Layers)
            {
                (Node a, Node b) = layer.Pair;
                table.AddRow(new Text(a.Name == b.Name ? a.Name : $"{a.Name} ↔ {b.Name}"), new Text(a.Op.Name),
                    new Text(a.Shape == b.Shape ? $"{a.Shape}" : $"{a.Shape} / {b.Shape}"),
                    new Text(Number(layer.MaxError)), new Text(Number(layer.RelativeError)), Time(A[a]), Time(B[b]),
                    layer == Parting ? new Text(layer.MaxError is null ? "◀ parts here: shapes or types differ" : "◀ parts here", new Style(Color.Red))
                        : new Text(layer.MaxError is null ? "shapes or types differ" : layer.Exceeds(Tolerance) ? "apart" : ""));
            }
            yield return table;
            if (Comparison.OnlyA.Count > 0) yield return Screen.Line($"Only in A: {Some(Comparison.OnlyA)}");
            if (Comparison.OnlyB.Count > 0) yield return Screen.Line($"Only in B: {Some(Comparison.OnlyB)}");
            yield return Screen.Line($"Times are of the networks as they run, {A.Threads} thread{(A.Threads == 1 ? "" : "s")}: "
                + $"{Quantity.Milliseconds(A.TotalMs)} and "
                + $"{Quantity.Milliseconds(B.TotalMs)} in all; a layer without one is fused into a later one. "
                + "Differences inside are taken with every value kept, so that nothing is fused.");
            foreach (Difference output in Comparison.Outputs)
                yield return Screen.Line($"Output {output.Pair.A.Name}: " + (output.MaxError is null ? $"{output.Pair.A.Info} against {output.Pair.B.Info}"
                    : $"the largest difference is {Number(output.MaxError)}, {Number(output.RelativeError)} of the range: "
                        + $"{(output.Exceeds(Tolerance) ? "apart" : "they agree")}"));
        }

        private static string How(Difference layer) => layer.RelativeError is { } error ? $"by {Number(error)}"
            : $"which is {layer.Pair.A.Info} in the first network, {layer.Pair.B.Info} in the second";

        private static string Number(double? value) => value is { } number ? number.ToString("0.##E+0", CultureInfo.InvariantCulture) : "–";

        private static Text Time(double? milliseconds) => new(milliseconds is { } time ? Quantity.Milliseconds(time) : "");

        private static string Some(IReadOnlyList<Node> nodes) =>
            string.Join(", ", nodes.Take(8).Select(node => $"{node.Name} ({node.Op.Name})")) + (nodes.Count > 8 ? $" and {nodes.Count - 8} more" : "");
    }
}
