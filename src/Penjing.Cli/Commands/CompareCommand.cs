using System.CommandLine;
using System.Globalization;
using Penjing.Engine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing compare: two networks on the same inputs, and where they part.</summary>
internal static class CompareCommand
{
    private static readonly Argument<string> first = Given.Path(new Argument<string>("A") { Description = $"The network that the other is held against: {Given.ReadableEndings}." });
    private static readonly Argument<string> second = Given.Path(new Argument<string>("B") { Description = "The other network, of any of these formats." });
    private static readonly Option<string[]> inputs = Given.Path(new Option<string[]>("--inputs")
    {
        HelpName = "FILE...",
        Description = "Pictures (.png, .jpg, …) or .npy arrays to run both on; for networks of several inputs one .npy array for each (default: seeded random numbers).",
        AllowMultipleArgumentsPerToken = true,
    });
    private static readonly Option<int> seed = Given.Number("--seed", "N", 1, 0, int.MaxValue, "What the random inputs follow from, where no --inputs are given.");
    private static readonly Option<double> tolerance = Given.Number("--tolerance", "SHARE", 1e-4, 0, 1e9, "How far values may part and still count as equal: the largest difference as a share of the value's range.");
    private static readonly Option<int> runs = Given.Runs(20);
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("compare", "Runs two networks on the same inputs, and shows each layer's error and time and the first layer where they part; exit code 1 if the outputs differ.",
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
        double most = parsed.GetValue(tolerance);
        if (files.Length > 0 || !a.Graph.Inputs.Select(input => input.Shape).SequenceEqual(b.Graph.Inputs.Select(input => input.Shape)))
            (a, b) = (a with { Graph = a.Graph.WithBatch(1) }, b with { Graph = b.Graph.WithBatch(1) });
        NetworkComparison.RequireSameInputs(a.Graph, b.Graph);
        List<Tensor[]> samples = files.Length > 0 ? [.. Samples(files, a with { Preprocessing = a.Preprocessing ?? b.Preprocessing })] : [Random(a.Graph, parsed.GetValue(seed))];
        NetworkComparison comparison = NetworkComparison.Of(a.Graph, b.Graph, samples, parsed.GetValue(threads) ?? 0, stop);
        Times timesA = Times.Of(a, parsed.GetValue(threads) ?? 0, parsed.GetValue(runs)), timesB = Times.Of(b, parsed.GetValue(threads) ?? 0, parsed.GetValue(runs));
        Difference? parting = comparison.Layers.FirstOrDefault(layer => layer.MaxError is not null && layer.Exceeds(most));
        Difference[] apart = [.. comparison.Outputs.Where(output => output.Exceeds(most))];
        screen.Show(new
        {
            A = a.Name, B = b.Name, Samples = samples.Count, Seed = files.Length > 0 ? null : (int?)parsed.GetValue(seed), Tolerance = most, Agree = apart.Length == 0,
            FirstDifference = parting?.Pair.A.Name, Outputs = comparison.Outputs.Select(Row), MatchedByName = comparison.ByName, Layers = comparison.Layers.Select(Row),
            OnlyInA = comparison.OnlyA.Select(node => node.Name), OnlyInB = comparison.OnlyB.Select(node => node.Name), TotalMsA = timesA.TotalMs, TotalMsB = timesB.TotalMs, timesA.Threads,
        }, Draw);
        if (apart is [var worst, ..])
            throw new PenjingException(worst.MaxError is null
                ? $"the outputs differ: '{worst.Pair.A.Name}' is {worst.Pair.A.Info} in the first network, {worst.Pair.B.Info} in the second"
                : $"the outputs differ: '{worst.Pair.A.Name}' by {Share(worst.RelativeError)} of its range (tolerance {Share(most)})"
                    + (parting is null ? "" : $"; the first layer that parts is '{parting.Pair.A.Name}' ({parting.Pair.A.Op.Name}), by {Share(parting.RelativeError)}"));

        object Row(Difference layer) => new
        {
            layer.Pair.A.Name, NameInB = layer.Pair.B.Name, Op = layer.Pair.A.Op.Name, Shape = layer.Pair.A.Shape.Extents, ShapeInB = layer.Pair.B.Shape.Extents, layer.MaxError, layer.RelativeError,
            MsA = timesA[layer.Pair.A], MsB = timesB[layer.Pair.B],
        };

        IEnumerable<IRenderable> Draw()
        {
            yield return Screen.Line($"{(files.Length > 0 ? $"{samples.Count} given sample{(samples.Count == 1 ? "" : "s")}" : $"random inputs of seed {parsed.GetValue(seed)}")}; "
                + (comparison.ByName ? "layers of one name are held against each other" : "the names differ, so layers of one operation and shape are held against each other, in order"));
            Table table = Screen.Table("Layer", "Op", ">Shape", ">Largest difference", ">Of the range", ">Time A", ">Time B", "");
            foreach (Difference layer in comparison.Layers)
                table.AddRow(new Text(layer.Pair.A.Name == layer.Pair.B.Name ? layer.Pair.A.Name : $"{layer.Pair.A.Name} ↔ {layer.Pair.B.Name}"), new Text(layer.Pair.A.Op.Name),
                    new Text(layer.MaxError is null ? $"{layer.Pair.A.Shape} / {layer.Pair.B.Shape}" : layer.Pair.A.Shape.ToString()), new Text(Number(layer.MaxError)), new Text(Share(layer.RelativeError)),
                    Time(timesA[layer.Pair.A]), Time(timesB[layer.Pair.B]),
                    layer == parting ? new Text("◀ parts here", new Style(Color.Red)) : new Text(layer.MaxError is null ? "shapes or types differ" : layer.Exceeds(most) ? "apart" : ""));
            yield return table;
            if (comparison.OnlyA.Count > 0) yield return Screen.Line($"Only in A: {Some(comparison.OnlyA)}");
            if (comparison.OnlyB.Count > 0) yield return Screen.Line($"Only in B: {Some(comparison.OnlyB)}");
            yield return Screen.Line($"Times are of the networks as they run, {timesA.Threads} thread{(timesA.Threads == 1 ? "" : "s")}: {Quantity.Milliseconds(timesA.TotalMs)} and {Quantity.Milliseconds(timesB.TotalMs)} in all; "
                + "a layer without one is fused into a later one. Differences inside are taken with every value kept, so that nothing is fused.");
            foreach (Difference output in comparison.Outputs)
                yield return Screen.Line(output.MaxError is null ? $"Output {output.Pair.A.Name}: {output.Pair.A.Info} against {output.Pair.B.Info}"
                    : $"Output {output.Pair.A.Name}: the largest difference is {Number(output.MaxError)}, {Share(output.RelativeError)} of the range: {(output.Exceeds(most) ? "apart" : "they agree")}");
        }
    }

    /// <summary>The samples in files: each row of each file, or for several inputs one array each.</summary>
    private static IEnumerable<Tensor[]> Samples(string[] files, Model model)
    {
        if (model.Graph.Inputs is [var entry])
        {
            foreach (string file in files)
            {
                Tensor rows = RunCommand.Read(file, model, entry);
                int bytes = rows.Shape[0] == 0 ? 0 : rows.Bytes.Length / rows.Shape[0];
                for (int row = 0; row < rows.Shape[0]; row++) yield return [new(rows.Type, rows.Shape.With(0, 1), rows.Bytes.Slice(row * bytes, bytes))];
            }
            yield break;
        }
        if (files.Length != model.Graph.Inputs.Length)
            throw new PenjingException($"the network takes {model.Graph.Inputs.Length} inputs ({string.Join(", ", model.Graph.Inputs.Select(input => input.Name))}), but there are {files.Length} --inputs: give one .npy array for each, in this order");
        yield return [.. files.Zip(model.Graph.Inputs, (file, input) => RunCommand.Read(file, model, input))];
    }

    private static Tensor[] Random(Graph graph, int seed)
    {
        Random random = new(seed);
        return [.. graph.Inputs.Select(input => input.Info.Type != ElementType.Float32 ? Tensor.Zeros(input.Info.Type, input.Shape) : Tensor.Build<float>(input.Shape, values =>
        {
            foreach (ref float value in values) value = 2 * random.NextSingle() - 1;
        }))];
    }

    private static string Number(double? value) => value is { } number ? number.ToString("0.##E+0", CultureInfo.InvariantCulture) : "–";

    private static string Share(double? share) => Number(share);

    private static Text Time(double? milliseconds) => new(milliseconds is { } time ? Quantity.Milliseconds(time) : "");

    private static string Some(IReadOnlyList<Node> nodes) => $"{string.Join(", ", nodes.Take(8).Select(node => $"{node.Name} ({node.Op.Name})"))}{(nodes.Count > 8 ? $" and {nodes.Count - 8} more" : "")}";

    /// <summary>What each step of a network takes as it ships.</summary>
    private sealed record Times(double TotalMs, int Threads, Dictionary<string, double> Steps)
    {
        public double? this[Node node] => Steps.TryGetValue(node.Name, out double time) ? time : null;

        public static Times Of(Model model, int threads, int runs)
        {
            using Session session = new(model, new SessionOptions(threads));
            StepTime[] steps = [.. session.Profile(runs)];
            return new(steps.Sum(step => step.MedianMs), session.Threads, steps.Where(step => step.Step.Op is not ("Input" or "Output")).GroupBy(step => step.Step.Name)
                .ToDictionary(group => group.Key, group => group.Sum(step => step.MedianMs)));
        }
    }
}
