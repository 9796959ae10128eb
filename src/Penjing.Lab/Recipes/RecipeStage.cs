using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What a stage has to work with.</summary>
/// <param name="Data">The pictures.</param>
/// <param name="Common">What all trainings share.</param>
/// <param name="Original">The uncompressed network, which teaches where a stage asks for a teacher and there is no other.</param>
/// <param name="Work">Where the stage's unfinished work is kept.</param>
/// <param name="Progress">Is told after every step of training.</param>
/// <param name="Settle">Is told what the stage has settled that its options left open.</param>
/// <param name="Stop">Ends the work after a step.</param>
internal sealed record RecipeContext(DataSet Data, TrainingOptions Common, Model Original, WorkFolder Work, Action<RetrainingProgress>? Progress, Action<RecipeStage> Settle, CancellationToken Stop);

/// <summary>One stage of a recipe: a method of compression and how the network is trained with it.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(TrainStage), "train")]
[JsonDerivedType(typeof(SparsifyStage), "sparsify")]
[JsonDerivedType(typeof(PruneStage), "prune")]
[JsonDerivedType(typeof(SlimStage), "slim")]
[JsonDerivedType(typeof(ShareStage), "share")]
[JsonDerivedType(typeof(QuantizeStage), "quantize")]
public abstract record RecipeStage
{
    private protected RecipeStage()
    {
    }

    /// <summary>How the stage trains.</summary>
    public Retraining Training { get; init; } = new();

    /// <summary>The stage's name, a verb.</summary>
    public abstract string Name { get; }

    /// <summary>What the stage does, in words.</summary>
    public abstract string Detail { get; }

    /// <summary>Passes over the training pictures in the whole stage.</summary>
    public virtual double Epochs => Training.Epochs;

    /// <summary>Whether a teacher's answers are learnt from.</summary>
    public virtual bool IsTaught => Training.IsTaught;

    /// <summary>The stage with the epochs of its training multiplied.</summary>
    public virtual RecipeStage WithEffort(double factor) => this with { Training = Training.Times(factor) };

    /// <summary>The graph after the stage's surgery without any training: its shapes and zeros, not its accuracy.</summary>
    /// <exception cref="PenjingException">An option is out of its range or names what the graph hasn't.</exception>
    public abstract Graph Outline(Graph graph);

    /// <summary>Does the stage.</summary>
    internal abstract Model Apply(Model model, RecipeContext context);

    /// <summary>The share of all layers, and how many have their own.</summary>
    private protected static string Shares(double ratio, int own) =>
        own == 0 ? Say($"{100 * ratio:0.##} %") : ratio == 0 ? Say($"shares of their own in {own} layers") : Say($"{100 * ratio:0.##} %, and shares of their own in {own} layers,");

    /// <summary>Words with numbers as everywhere.</summary>
    private protected static string Say(FormattableString words) => words.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Trains, and changes nothing else.</summary>
public sealed record TrainStage : RecipeStage
{
    /// <inheritdoc/>
    public override string Name => "train";

    /// <inheritdoc/>
    public override string Detail => Say($"trained for {Training.Epochs:0.##} epochs");

    /// <inheritdoc/>
    public override Graph Outline(Graph graph) => graph;

    internal override Model Apply(Model model, RecipeContext context) =>
        Retrainer.Train(model, context.Data, Training.Options(context.Common, context.Original), context.Work, context.Progress, context.Stop);
}

/// <summary>Makes the smallest weights zero in rounds of one training (weight-level pruning, Han et al. 2015).</summary>
public sealed record SparsifyStage : RecipeStage
{
    /// <summary>The share of the weights that is zero in the end.</summary>
    public double Ratio { get; init; } = 0.9;

    /// <summary>Other shares for single layers, by their names.</summary>
    public ImmutableSortedDictionary<string, double> Ratios { get; init => field = value.WithComparers(StringComparer.Ordinal); } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>Layers that stay as they are, by their names.</summary>
    public ImmutableSortedSet<string> Keep { get; init => field = value.WithComparer(StringComparer.Ordinal); } = [];

    /// <summary>Whether depthwise layers take part.</summary>
    public bool Depthwise { get; init; }

    /// <summary>Among which weights the smallest are sought.</summary>
    public SparsityScope Scope { get; init; }

    /// <summary>Where zeros stand; see <see cref="SparsityPattern.Parse"/>.</summary>
    public string Pattern { get; init; } = "unstructured";

    /// <summary>How the share rises over the rounds: cubic, linear, geometric or constant.</summary>
    public string Schedule { get; init; } = "cubic";

    /// <summary>In how many rounds.</summary>
    public int Rounds { get; init; } = 8;

    /// <inheritdoc/>
    public override string Name => "sparsify";

    /// <inheritdoc/>
    public override string Detail => Say($"{Shares(Ratio, Ratios.Count)} of the weights zero{(Scope is SparsityScope.Layer ? " in each layer" : " over all layers")}, {Pattern}, in {Rounds} round{(Rounds == 1 ? "" : "s")} ({Schedule})");

    /// <summary>What the stage asks of the last cut.</summary>
    /// <exception cref="PenjingException">There is no such pattern.</exception>
    public SparsityOptions Options => new()
    {
        Ratio = Ratio,
        Ratios = Ratios,
        Keep = [.. Keep],
        Scope = Scope,
        Depthwise = Depthwise,
        Pattern = SparsityPattern.Parse(Pattern),
    };

    /// <inheritdoc/>
    public override Graph Outline(Graph graph)
    {
        _ = SparsitySchedules.Named(Schedule);
        if (Rounds < 1) throw new PenjingException($"weights become zero in at least one round, not {Rounds}");
        return Sparsifier.Sparsify(graph, Options);
    }

    internal override Model Apply(Model model, RecipeContext context)
    {
        TrainingOptions whole = Training.Options(context.Common, context.Original);
        return Retrainer.Sparsify(model, context.Data, Options, SparsitySchedules.Named(Schedule), Rounds, round => whole.Part(round, Rounds), context.Work, context.Progress, context.Stop);
    }
}

/// <summary>How the channels that stay are rounded.</summary>
public enum ChannelRounding
{
    /// <summary>To a multiple.</summary>
    Multiple,
    /// <summary>To where the layers around them take least time for a channel, as measured on this machine.</summary>
    Time,
}

/// <summary>Cuts channels for good in rounds, each followed by its share of the training (filter pruning, Li et al. 2017).</summary>
public sealed record PruneStage : RecipeStage
{
    /// <summary>The share of the channels that is cut in the end.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>In how many rounds.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>How the channels that stay are rounded.</summary>
    public ChannelRounding Round { get; init; }

    /// <summary>What kept channels are rounded to a multiple of, less where a layer has few, unless by time.</summary>
    public int Multiple { get; init; } = 16;

    /// <summary>Among which layers channels compete.</summary>
    public Ranking Ranking { get; init; }

    /// <summary>Other shares for single layers, by the names of the values that they yield.</summary>
    public ImmutableSortedDictionary<string, double> Ratios { get; init => field = value.WithComparers(StringComparer.Ordinal); } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>The most that single layers give, by the names of the values that they yield.</summary>
    public ImmutableSortedDictionary<string, double> Caps { get; init => field = value.WithComparers(StringComparer.Ordinal); } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>What ranks channels: one of <see cref="Scores.Names"/>.</summary>
    public string Score { get; init; } = "l1";

    /// <summary>Values whose channels all stay, by their names.</summary>
    public ImmutableSortedSet<string> Keep { get; init => field = value.WithComparer(StringComparer.Ordinal); } = [];

    /// <inheritdoc/>
    public override string Name => "prune";

    /// <inheritdoc/>
    public override string Detail => Say($"{Shares(Ratio, Ratios.Count)} of the channels cut by {Score}{(Ranking is Ranking.PerFamily ? " in each layer" : Ranking is Ranking.Global ? ", over all layers" : ", over layers in the same place")}, in {Rounds} round{(Rounds == 1 ? "" : "s")}, {(Round is ChannelRounding.Time ? "rounded by measured time" : Say($"multiples of {Multiple}"))}");

    /// <summary>What the stage asks of each cut.</summary>
    /// <param name="model">The network.</param>
    /// <param name="data">The pictures that the score may ask about.</param>
    /// <param name="seed">Which pictures, and where the score is chance, which channels.</param>
    /// <param name="stop">Ends the measuring of times.</param>
    public PruningOptions Options(Model model, DataSet data, int seed, CancellationToken stop = default) =>
        Options(Scores.Of(Score, model, data, seed)) with { Milliseconds = Round is ChannelRounding.Time ? new LayerClock(new(Threads: 1, Batch: 1), stop).Milliseconds : null };

    private PruningOptions Options(Importance importance) => new()
    {
        Multiple = Multiple, Ranking = Ranking, Absolute = Score == Scores.BatchNorm, Ratios = Ratios, Caps = Caps, Importance = importance, Keep = Keep,
    };

    /// <inheritdoc/>
    public override Graph Outline(Graph graph)
    {
        _ = PruningSchedule.Geometric(Ratio, Rounds);
        return Pruner.Prune(graph, Options(Scores.WithoutData(Score)) with { Ratio = Ratio });
    }

    internal override Model Apply(Model model, RecipeContext context)
    {
        TrainingOptions whole = Training.Options(context.Common, context.Original);
        return Retrainer.Prune(model, context.Data, Options(model, context.Data, context.Common.Seed, context.Stop), PruningSchedule.Geometric(Ratio, Rounds), round => whole.Part(round, Rounds), context.Work, context.Progress, context.Stop);
    }
}

/// <summary>Trains BatchNormalization's scales towards zero, cuts the channels of the smallest, trains on, in passes (network slimming, Liu et al. 2017).</summary>
public sealed record SlimStage : RecipeStage
{
    /// <summary>The share of all channels that is cut in the end.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>How often it is trained, cut, and trained again.</summary>
    public int Passes { get; init; } = 1;

    /// <summary>The weight of the scales' magnitudes in the loss before each cut.</summary>
    public double GammaL1 { get; init; } = 1e-4;

    /// <summary>How the network is trained before each cut.</summary>
    public Retraining Before { get; init; } = new();

    /// <summary>What kept channels are rounded to a multiple of, less where a layer has few.</summary>
    public int Multiple { get; init; } = 16;

    /// <inheritdoc/>
    public override string Name => "slim";

    /// <inheritdoc/>
    public override string Detail => Say($"{100 * Ratio:0.##} % of all channels cut by BatchNormalization's scales, trained under {GammaL1} of their L1 norm, in {Passes} passes");

    /// <inheritdoc/>
    public override double Epochs => Before.Epochs + Training.Epochs;

    /// <inheritdoc/>
    public override bool IsTaught => base.IsTaught || Before.IsTaught;

    /// <inheritdoc/>
    public override RecipeStage WithEffort(double factor) => this with { Before = Before.Times(factor), Training = Training.Times(factor) };

    private PruningOptions Options => new() { Multiple = Multiple };

    /// <inheritdoc/>
    public override Graph Outline(Graph graph)
    {
        _ = PruningSchedule.Geometric(Ratio, Passes);
        return Pruner.Prune(graph, Options with { Ratio = Ratio, Ranking = Ranking.Global, Absolute = true, Importance = Importances.BatchNormScale });
    }

    internal override Model Apply(Model model, RecipeContext context)
    {
        TrainingOptions before = Before.Options(context.Common, context.Original) with { GammaL1 = GammaL1 }, after = Training.Options(context.Common, context.Original);
        return Retrainer.Slim(model, context.Data, Options, PruningSchedule.Geometric(Ratio, Passes),
            pass => Passed(before, 2 * pass), pass => Passed(after, 2 * pass + 1), context.Work, context.Progress, context.Stop);

        TrainingOptions Passed(TrainingOptions options, int training) => options with { Epochs = options.Epochs / Passes, WarmUp = options.WarmUp / Passes, Seed = options.Seed + training };
    }
}

/// <summary>Lets the weights of each layer share few values and trains these (trained quantization, Han et al. 2016); the last stage of a recipe.</summary>
public sealed record ShareStage : RecipeStage
{
    private const int MostMeasuredBits = 8;

    /// <summary>The shared values of a layer: 2 to the power of this many.</summary>
    public int Bits { get; init; } = 5;

    /// <summary>The same for depthwise layers.</summary>
    public int DepthwiseBits { get; init; } = 5;

    /// <summary>Other bits for single layers, by the names of the layers or of their weights.</summary>
    public ImmutableSortedDictionary<string, int> BitsOf { get; init => field = value.WithComparers(StringComparer.Ordinal); } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>How much error a bit of the file is worth: 0 is plain k-means, 0.01 mild, 0.1 strong; a third of it holds for depthwise layers.</summary>
    public double Rate { get; init; } = 0.03;

    /// <summary>Where k-means begins.</summary>
    public Seeding Seeding { get; init; }

    /// <summary>How many groups of output channels a layer falls into, each with values of its own.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>To how many bits behind the leading one biases and scales are rounded; 10 is Float16.</summary>
    public int VectorBits { get; init; } = 5;

    /// <inheritdoc/>
    public override string Name => "share";

    /// <inheritdoc/>
    public override string Detail => Say($"{1 << Bits} values {(Groups == 1 ? "a layer" : $"in each of {Groups} groups of channels")}, {1 << DepthwiseBits} a depthwise one{(BitsOf.IsEmpty ? "" : Say($", numbers of their own in {BitsOf.Count} layers"))}, at the price {Rate}, trained for {Training.Epochs:0.##} epochs, then entropy-coded");

    /// <inheritdoc/>
    public override Graph Outline(Graph graph) => Sharing.Finish(Sharing.Share(BatchNorms.Equalize(graph), Options(graph)), VectorBits);

    internal override Model Apply(Model model, RecipeContext context) =>
        Retrainer.Share(model, context.Data, Options(model.Graph), Training.Options(context.Common, context.Original), VectorBits, context.Work, context.Progress, context.Stop);

    /// <summary>
    /// The stage with the fewest bits for each layer, from <see cref="Bits"/> or <see cref="DepthwiseBits"/> down, with which the layer alone loses no more than a bound; layers that have
    /// bits of their own keep them.
    /// </summary>
    /// <param name="loss">The bound, a fraction of the pictures.</param>
    /// <param name="model">The network.</param>
    /// <param name="data">Whose test pictures are asked.</param>
    /// <param name="cache">The file in which what is measured is kept.</param>
    /// <param name="tell">Is told how many networks are measured, of how many, and how long the others take.</param>
    /// <param name="stop">Ends the work between two networks.</param>
    public ShareStage Within(double loss, Model model, DataSet data, string cache, Action<int, int, TimeSpan?> tell, CancellationToken stop = default)
    {
        using SensitivityCache known = new(cache);
        ImmutableArray<double> levels = [.. Enumerable.Range(1, Math.Min(Math.Max(Bits, DepthwiseBits), MostMeasuredBits)).Reverse().Select(bits => (double)bits)];
        Dictionary<string, int> most = Layers(model.Graph).DistinctBy(layer => layer.Inputs[1].Name).ToDictionary(layer => layer.Inputs[1].Name, layer => IsDepthwise(layer) ? DepthwiseBits : Bits);
        SensitivityResult measured = new SensitivityRun(model, data, Environment.ProcessorCount, known, stop).Measure(SensitivityBy.Bits, levels, "", null, tell);
        return this with { BitsOf = new Strength(measured).At(loss).ToImmutableSortedDictionary(layer => layer.Key, layer => Math.Min(most[layer.Key], (int)layer.Value)).SetItems(BitsOf) };
    }

    private static IEnumerable<Node> Layers(Graph graph)
    {
        HashSet<string> weights = [.. Sparsifier.Describe(graph).Select(weight => weight.Name)];
        return graph.Nodes.Where(node => node.Inputs.Length > 1 && weights.Contains(node.Inputs[1].Name));
    }

    private static bool IsDepthwise(Node layer) => layer.Op is Conv { Groups: > 1 } && layer.Inputs[1].Shape[1] == 1;

    /// <summary>What the stage asks of the network's layers.</summary>
    /// <exception cref="PenjingException">Bits are out of their range, or the network has no such layer.</exception>
    public SharingOptions Options(Graph graph)
    {
        foreach (int bits in BitsOf.Values.Append(Bits).Append(DepthwiseBits))
            if (bits is < 1 or > 12) throw new PenjingException($"weights can't share values of {bits} bits: give 1 to 12");
        Node[] layers = [.. Layers(graph)];
        HashSet<string> known = [.. layers.SelectMany(layer => new[] { layer.Name, layer.Inputs[1].Name })];
        if (BitsOf.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new PenjingException($"the network has no layer '{unknown}' with weights: its layers are {string.Join(", ", layers.Select(layer => layer.Name))}");
        Clustering dense = new(1 << Bits, Rate, KeepZeros: true, Seeding, Groups: Groups);
        return new()
        {
            Dense = dense,
            Depthwise = dense with { Clusters = 1 << DepthwiseBits, Rate = Rate / 3 },
            Layer = (node, kind) => BitsOf.TryGetValue(node.Name, out int own) || BitsOf.TryGetValue(node.Inputs[1].Name, out own) ? kind! with { Clusters = 1 << own } : kind,
        };
    }
}
