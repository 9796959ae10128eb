using System.CommandLine;
using System.Globalization;
using Penjing.Engine;
using Penjing.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing run: a network's answers to pictures or arrays.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();
    private static readonly Argument<string[]> inputs = Given.Path(new Argument<string[]>("INPUT")
    {
        Description = "Pictures (.png, .jpg, …) or .npy arrays of floats in the network's input shape, with any batch size.",
        Arity = ArgumentArity.OneOrMore,
    });
    private static readonly Option<string> output = Given.Out("OUT.npy", "Where the raw outputs are written, as one .npy array with a row for each input.", required: false);
    private static readonly Option<int> top = Given.Number("--top", "N", 5, 1, 1_000_000, "How many of the likeliest classes are shown.");
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Tune tune = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("run", "Runs a network on pictures or .npy arrays, and shows the likeliest classes.",
        ["penjing run model.penjing shoe.png coat.jpg --top 3", "penjing run model.penjing batch.npy -o logits.npy"], Run, [model, inputs, output, top, threads, tune.Symbol, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string[] files = parsed.GetRequiredValue(inputs);
        string? path = parsed.GetValue(output) is { } given
            ? Destination.File(given, [parsed.GetRequiredValue(model), reading.Prototxt(parsed), .. files]) : null;
        Model network = reading.Read(parsed, parsed.GetRequiredValue(model));
        Graph graph = network.Graph;
        if (graph is not { Inputs: [{ Info.Type: ElementType.Float32 } entry], Outputs: [{ Info.Type: ElementType.Float32 }] })
            throw new ShapeException($"the network has {graph.Inputs.Length} inputs and {graph.Outputs.Length} outputs ({string.Join(", ", graph.Inputs.Concat(graph.Outputs))}): "
                + "run takes networks of one Float32 input and one Float32 output");
        (string Name, Tensor Value)[] values = [.. files.Select(name => (name, Inputs.Read(name, network, entry)))];
        using Session session = new(network, tune.Apply(parsed, screen, parsed.GetRequiredValue(model), network, new(parsed.GetValue(threads) ?? 0, Batch: 1), stop));
        int taken = session.Inputs[0].Info.Shape.Elements;
        Shape one = session.Outputs[0].Info.Shape;
        List<(string Name, float[] Output)> answers = [];
        foreach ((string name, Tensor value) in values)
            for (int row = 0; row < value.Shape[0]; row++)
            {
                float[] answer = new float[one.Elements];
                session.Run(value.Floats.Slice(row * taken, taken), answer, stop);
                answers.Add((value.Shape[0] == 1 ? name : $"{name}[{row}]", answer));
            }
        if (path is not null) Npy.Write(path, Tensor.Of(one.With(0, answers.Count), [.. answers.SelectMany(answer => answer.Output)]));
        Show(screen, network, answers, one, path, parsed.GetValue(top));
    }

    private static void Show(Screen screen, Model network, List<(string Name, float[] Output)> answers, Shape one, string? path, int count)
    {
        bool classes = one.Rank > 0 && one.Max() == one.Elements;
        var results = answers.Select(answer =>
        {
            float[] likely = [.. answer.Output];
            if (classes) Probabilities.From(likely);
            return new { Input = answer.Name, Top = classes ? Probabilities.Top(likely, count).Select(index => new { Index = index, Label = Label(network, index), Confidence = (double)likely[index] }).ToArray() : [] };
        }).ToArray();
        screen.Show(new { Model = network.Name, OutputShape = one.With(0, answers.Count).Extents, Output = path, Results = results }, Draw);

        IEnumerable<IRenderable> Draw()
        {
            if (classes)
            {
                Table table = Screen.Table("Input", "Class", ">Confidence");
                foreach (var result in results)
                    foreach (var (rank, guess) in result.Top.Index())
                        table.AddRow(new Text(rank == 0 ? result.Input : ""), new Text(guess.Label), new Text(Quantity.Percent(guess.Confidence)));
                yield return table;
            }
            else
            {
                foreach ((string name, float[] values) in answers)
                    yield return Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{name}: {one}, from {values.Min():G4} to {values.Max():G4}, mean {values.Average():G4}"));
            }
            if (path is not null) yield return Screen.Line($"wrote {path}: Float32 {one.With(0, answers.Count)}");
        }
    }

    private static string Label(Model network, int index) => index < network.Labels.Length ? network.Labels[index] : $"class {index}";
}
