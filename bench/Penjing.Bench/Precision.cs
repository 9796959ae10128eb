using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Interop;
using Penjing.Lab;
using Penjing.Training;

namespace Penjing.Bench;

/// <summary>How near do the answers of 8-bit integers come to those of floats, by each way to find ranges and each refinement?</summary>
internal static class Precision
{
    private const int Seen = 256, Photos = 64;
    private const string SqueezeNet = "squeezenet-v1.0-deepcompression";

    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter() } };
    private static readonly Refinements[] combinations =
    [
        Refinements.None, Refinements.Equalize, Refinements.Bias, Refinements.Equalize | Refinements.Bias, Refinements.Normalize, Refinements.Round, Refinements.Round | Refinements.Bias,
        Refinements.Equalize | Refinements.Round | Refinements.Bias,
    ];

    /// <summary>One way to integers; same: of how many pictures the first answer is the floats'; right: how many are, and of the floats'; of own: how many of the network's own pictures.</summary>
    private sealed record Row(string Network, string Method, Refinements Refined, double Decibels, int Same, int Asked, int? Right, int? RightReal, string Own, double Seconds);

    /// <summary>A network, inputs to calibrate with, inputs to ask, and either their classes or how many of them are the network's own pictures.</summary>
    private sealed record Case(Model Model, IReadOnlyCollection<Tensor> Seen, ImmutableArray<Tensor> Asked, ImmutableArray<int> Labels, int Own);

    /// <summary>Measures what hasn't been and writes precision.md and precision.json.</summary>
    public static int Run(Arguments arguments)
    {
        string file = Path.Combine(Directory.CreateDirectory(arguments.Results).FullName, "precision.json");
        ImmutableArray<Row> rows = File.Exists(file) ? JsonSerializer.Deserialize<ImmutableArray<Row>>(File.ReadAllText(file), json) : [];
        string[] networks = arguments.Networks("mobilenet-1", "resnet-20-1", "shufflenet-1", SqueezeNet);
        foreach (string network in networks)
        {
            Case one = Named(network, arguments);
            Graph prepared = PostTraining.Prepare(one.Model.Graph);
            Calibration calibration = new(prepared, one.Seen);
            Tensor[] real = Answers(prepared, one.Asked);
            foreach (string method in Ranges.Names)
                foreach (Refinements refined in combinations)
                {
                    if (rows.Any(row => (row.Network, row.Method, row.Refined) == (network, method, refined)) || refined.HasFlag(Refinements.Round) && method != Ranges.Names[0]) continue;
                    long start = Stopwatch.GetTimestamp();
                    Calibrated calibrated = calibration.Run(Ranges.Named(method), refined, []);
                    double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                    Tensor[] answers = Answers(calibrated.Quantized, one.Asked);
                    bool[] same = [.. answers.Zip(real, (answer, other) => Best(answer) == Best(other))];
                    Row row = new(network, method, refined, Lab.Precision.Decibels(Lab.Precision.Noise(real, answers)), same.Count(yes => yes), same.Length, Right(answers), Right(real),
                        one.Own == 0 ? "" : $"{same.Take(one.Own).Count(yes => yes)} of {one.Own}", Math.Round(seconds));
                    Console.WriteLine(Line(row));
                    rows = [.. rows.Add(row).OrderBy(each => each.Network, StringComparer.Ordinal).ThenBy(each => Ranges.Names.IndexOf(each.Method)).ThenBy(each => Array.IndexOf(combinations, each.Refined))];
                    File.WriteAllText(file, JsonSerializer.Serialize(rows, json) + "\n");
                    File.WriteAllText(Path.ChangeExtension(file, ".md"), Text(rows));

                    int? Right(Tensor[] given) => one.Labels.IsEmpty ? null : given.Zip(one.Labels).Count(pair => Best(pair.First) == pair.Second);
                }
        }
        return 0;
    }

    private static Case Named(string network, Arguments arguments)
    {
        if (network == SqueezeNet)
        {
            string folder = arguments.Data(network);
            Model model = ModelFile.Read(Path.Combine(folder, "compressed_SqueezeNet.net"), new() { Prototxt = Path.Combine(folder, "SqueezeNet_deploy.prototxt") });
            Shape shape = model.Graph.WithBatch(1).Inputs[0].Shape;
            Tensor[] photos = [.. Directory.EnumerateFiles(Path.Combine(arguments.Data("clothing-parsing-18"), "photos")).Order().Take(2 * Photos).Select(photo => Pictures.Load(photo).ToInput(model.Preprocessing!, shape))];
            Tensor[] own = [.. File.ReadAllBytes(Path.Combine(folder, "inputs_227_f32_nchw_bgr.raw")).Chunk(shape.Elements * sizeof(float)).Select(bytes => new Tensor(ElementType.Float32, shape, bytes))];
            return new(model, photos[..Photos], [.. own, .. photos[Photos..]], [], own.Length);
        }
        string path = Path.Combine("artifacts", "claims", network, "whole.penjing");
        if (!File.Exists(path)) throw new PenjingException($"{path} doesn't exist: make it by 'claims --networks {network[..network.LastIndexOf('-')]}'");
        Model trained = PenjingFile.Read(path);
        DataSet data = DataSets.Open("fashion-mnist");
        Shape input = trained.Graph.WithBatch(1).Inputs[0].Shape;
        return new(trained, Inputs(data.Train.Sample(Seen, 1)), [.. Inputs(data.Test)], data.Test.Labels, 0);

        Tensor[] Inputs(Training.Split split) => [.. Enumerable.Range(0, split.Count).Select(picture => split.Picture(picture).ToInput(trained.Preprocessing ?? data.Preprocessing, input))];
    }

    private static Tensor[] Answers(Graph graph, ImmutableArray<Tensor> fed) => [.. fed.Chunk(fed.Length / Environment.ProcessorCount + 1).AsParallel().AsOrdered().SelectMany(part =>
    {
        using Session session = new(graph, new(Threads: 1, Batch: 1));
        return part.Select(input => session.Run([input])[0]).ToArray();
    })];

    private static int Best(Tensor answer)
    {
        ReadOnlySpan<float> floats = answer.Floats;
        return floats.IndexOf(floats.ToArray().Max());
    }

    private static string Text(ImmutableArray<Row> rows)
    {
        var text = new StringBuilder($"""
            # Answers of 8-bit integers against those of floats

            `dotnet run -c Release --project bench/Penjing.Bench -- precision`; what has been measured stays, precision.json deleted measures anew. No training, no layer left real.

            MobileNet v1 0.5, ResNet-20 and ShuffleNet v1 at 56×56 of [claims.md](claims/claims.md) on Fashion-MNIST: calibrated with {Seen} training pictures, asked about all 10,000 test pictures. SqueezeNet v1.0 of
            Deep Compression's author: calibrated with {Photos} street photos, asked about the network's own five pictures and {Photos} other street photos. dB: the answers' signal-to-noise ratio,
            floats against integers. Same: of how many pictures the first answer is the same. Points: top-1, less that of floats. Seconds: what calibration took, beside other work on the machine.

            | network | ranges | refined | dB | same | of | its own | top-1 | points | seconds |
            | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static string Line(Row row) => string.Create(CultureInfo.InvariantCulture, $"| {row.Network} | {row.Method} | {(row.Refined is Refinements.None ? "" : row.Refined.ToString().ToLowerInvariant())} | {row.Decibels:F1} | {row.Same} | {row.Asked} | {row.Own} "
        + $"| {100.0 * row.Right / row.Asked:F2} | {100.0 * (row.Right - row.RightReal) / row.Asked:+0.00;-0.00;0.00} | {row.Seconds:F0} |");
}
