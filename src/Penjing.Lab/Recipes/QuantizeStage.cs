using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>Turns weights and values into 8-bit integers by what values are seen, and trains under their rounding where epochs are given; the last stage of a recipe.</summary>
public sealed record QuantizeStage : RecipeStage
{
    /// <summary>A stage without training.</summary>
    public QuantizeStage() => Training = new() { Epochs = 0 };

    /// <summary>In place of a method's name: the one whose integers answer other training pictures, where there are so many, most nearly as reals do.</summary>
    public const string Best = "best";

    /// <summary>How ranges are found: one of <see cref="Ranges.Names"/>, or <see cref="Best"/>.</summary>
    public string Method { get; init; } = Best;

    /// <summary>Training pictures that values are measured with.</summary>
    public int Pictures { get; init; } = Calibration.Pictures;

    /// <summary>Bits of a weight, 2 to 8.</summary>
    public int WeightBits { get; init; } = PostTraining.WeightBits;

    /// <summary>What is done besides; null for <see cref="Calibration.Usual"/>, and equalization where that brings the answers nearer.</summary>
    public Refinements? Refine { get; init; }

    /// <summary>Whether weights that share values, by a stage before, go on doing so: the integers of a layer are then as few as its values were, or twice as many where normalization turns signs.</summary>
    public bool Shared { get; init; }

    /// <summary>Whether layers that integers slow down on this machine stay real; see <see cref="SlowLayers"/>.</summary>
    public bool Fastest { get; init; }

    /// <summary>Layers that stay real, by their names.</summary>
    public ImmutableSortedSet<string> Keep { get; init => field = value.WithComparer(StringComparer.Ordinal); } = [];

    /// <inheritdoc/>
    public override string Name => "quantize";

    /// <inheritdoc/>
    public override string Detail =>
        Say($"8-bit integers, weights of {WeightBits}, {(Shared ? "as few as the values that they shared, " : "")}ranges by {Method} over {Pictures} pictures{(Refine is Refinements.None ? "" : $", refined: {Refine?.ToString() ?? "as is best"}".ToLowerInvariant())}{(Training.Epochs > 0 ? Say($", trained for {Training.Epochs:0.##} epochs") : "")}{(Keep.IsEmpty ? "" : $"; real: {string.Join(", ", Keep)}")}");

    /// <inheritdoc/>
    public override Graph Outline(Graph graph)
    {
        if (Method != Best) _ = Ranges.Named(Method);
        if (Pictures < 1) throw new PenjingException($"values are measured with at least one picture, not {Pictures}");
        if (WeightBits is < 2 or > 8) throw new PenjingException($"a weight has 2 to 8 bits, not {WeightBits}");
        if (Fastest && Training.Epochs > 0)
            throw new PenjingException("which layers are fastest as reals may be measured otherwise when training that was broken off goes on: quantize without epochs to see them, then train with these layers kept real");
        if (Shared && (Training.Epochs > 0 || (Refine & ~Refinements.Bias) is not (null or Refinements.None)))
            throw new PenjingException("training and all refinements but that of biases part weights that share a value: leave them out, or don't ask that they go on sharing it");
        Graph prepared = PostTraining.Prepare(graph);
        PostTraining.Check(prepared, Keep);
        ImmutableHashSet<string> real = [.. Keep];
        // Values have not been seen: which range they have changes neither the shapes, nor the weights' integers.
        return PostTraining.Quantize(prepared, PostTraining.Values(prepared, real).ToDictionary(value => value.Name, _ => new ValueRange(-1, 1)), real, WeightBits, Scales(graph, prepared));
    }

    /// <summary>The network's integers, settled by what values are seen.</summary>
    /// <param name="model">The network.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="seed">Which training pictures are asked about.</param>
    /// <param name="drop">How much the score on the test pictures may fall, a fraction: as few more layers stay real as that takes; null for no bound.</param>
    /// <param name="tell">Is told how far a part of the work is, 0 to 1, and which.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">The network has no such layer, a value is not finite, no weights share values, or there are no test pictures for a bound.</exception>
    public Calibrated Calibrate(Model model, DataSet data, int seed, double? drop = null, Action<double, string>? tell = null, CancellationToken stop = default)
    {
        Model prepared = model with { Graph = PostTraining.Prepare(model.Graph) };
        ImmutableDictionary<string, ImmutableArray<float>>? scales = Scales(model.Graph, prepared.Graph);
        Calibration calibration = Calibration.Of(prepared, data, Pictures, seed, tell, stop);
        Refinements usual = Refine ?? Calibration.Usual;
        Calibrated nearest = calibration.Nearest(
            Method == Best ? [.. Ranges.Names.Select(Ranges.Named)] : [Ranges.Named(Method)], Refine is null && !Shared ? [usual, usual | Refinements.Equalize] : [usual], [.. Keep], WeightBits, scales,
            Calibration.Inputs(prepared, data, data.Train.Sample(Precision.Pictures, seed, after: Pictures)));
        Calibrated calibrated = drop is { } most ? Precision.Keep(prepared, [.. Keep], With, data, most, seed, tell, stop) : nearest;
        ImmutableHashSet<string> floats = Fastest ? SlowLayers.Of(calibrated, tell, stop) : calibrated.Floats;
        return floats.SetEquals(calibrated.Floats) ? calibrated : With(floats);

        Calibrated With(ImmutableHashSet<string> real) => real.SetEquals(nearest.Floats) ? nearest : calibration.Run(nearest.Method, nearest.Refinements, real, WeightBits, scales);
    }

    /// <summary>The stage with what it left open: the method, the refinements, and which layers stay real.</summary>
    public QuantizeStage Settled(Calibrated calibrated) => this with { Fastest = false, Keep = [.. calibrated.Floats], Method = Ranges.Name(calibrated.Method), Refine = calibrated.Refinements };

    internal override Model Apply(Model model, RecipeContext context)
    {
        // What was settled once stays so: the fastest layers may be measured otherwise when work that was broken off goes on.
        string path = Path.Combine(context.Work.Path, "settled.json");
        Calibrated? calibrated = null;
        QuantizeStage settled = File.Exists(path) ? (QuantizeStage)Recipe.Read(path).Stages[0] : Kept(Settled(calibrated = Seen(this)));
        context.Settle(settled);
        if (Training.Epochs == 0) return context.Work.Step("quantized", _ => model with { Graph = (calibrated ?? Seen(settled)).Quantized });
        calibrated ??= Seen(settled);
        return Retrainer.Quantize(model with { Graph = calibrated.Graph }, context.Data, calibrated.Ranges, calibrated.Floats, WeightBits, Training.Options(context.Common, context.Original), context.Work, context.Progress, context.Stop);

        Calibrated Seen(QuantizeStage stage) => stage.Calibrate(model, context.Data, context.Common.Seed, stop: context.Stop);

        QuantizeStage Kept(QuantizeStage stage)
        {
            AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(new Recipe("settled", [stage]).ToJson())));
            return stage;
        }
    }

    private ImmutableDictionary<string, ImmutableArray<float>>? Scales(Graph graph, Graph prepared) => !Shared ? null
        : SharedScales.Of(graph, prepared, WeightBits) is { IsEmpty: false } scales ? scales
        : throw new PenjingException("no layer's weights share values: let them (share), or don't ask that they go on doing so");
}
