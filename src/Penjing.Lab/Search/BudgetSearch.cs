using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>A way that a search tried.</summary>
/// <param name="Recipe">The recipe, which makes the same network again.</param>
/// <param name="Way">What came out: the uncompressed network, then each stage's file.</param>
public sealed record Attempt(Recipe Recipe, ImmutableArray<Milestone> Way)
{
    /// <summary>What was measured of the uncompressed network, beside the last file.</summary>
    public StageResult Original => Way[0].Result;

    /// <summary>What was measured of the last file.</summary>
    public StageResult Result => Way[^1].Result;
}

/// <summary>What a search found.</summary>
/// <param name="Attempts">All that was tried, in order.</param>
/// <param name="Best">The one that keeps the budget, or comes nearest to it.</param>
/// <param name="Met">Whether it keeps the budget.</param>
/// <param name="Verdict">Which bound binds, in a sentence.</param>
public sealed record SearchResult(ImmutableArray<Attempt> Attempts, Attempt Best, bool Met, string Verdict)
{
    /// <summary>What was measured of every file of every attempt.</summary>
    public ImmutableArray<StageResult> Measured => [.. Attempts.SelectMany(attempt => attempt.Way).Select(stone => stone.Result)];
}

/// <summary>
/// Searches for the mildest compression that keeps a budget. Integers of 8 bits come first, where the engine is faster with them. What they can't give, cuts must:
/// how far each layer is cut follows from its sensitivity, measured on the engine, by one threshold for channels, one for weights and one for bits; the thresholds
/// follow from the file's bytes and the engine's time, measured before any training. What comes out is trained as a recipe and measured; where it breaks the budget,
/// the next attempt goes further or trains longer.
/// </summary>
/// <param name="Model">A trained network.</param>
/// <param name="Data">The pictures.</param>
/// <param name="Common">What all trainings share.</param>
/// <param name="Folder">Where all that is done is kept: begun again with the same arguments, the search goes on.</param>
public sealed record BudgetSearch(Model Model, DataSet Data, TrainingOptions Common, string Folder)
{
    private const string Score = "contribution";
    private const int ProbeRuns = 30, MostAttempts = 5;
    private const double Soft = 0.8, Temperature = 3;
    private static readonly ImmutableArray<double> channelLevels = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875], weightLevels = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98], bitLevels = [6, 5, 4, 3, 2];

    /// <summary>The epochs of retraining of one method.</summary>
    public double Epochs { get; init; } = 6;

    /// <summary>Test pictures that the sensitivity is measured with.</summary>
    public int Sample { get; init; } = 1000;

    /// <summary>Whether weights and values may become 8-bit integers.</summary>
    public bool Integers { get; init; } = true;

    /// <summary>The time of a network as a share of the uncompressed one's, where it isn't to be measured.</summary>
    internal Func<Graph, double>? Clock { get; init; }

    /// <summary>Is told what is done: in words, the fraction that is done of it, and how long the rest of it takes where that is known.</summary>
    public Action<string, double, TimeSpan?>? Told { get; init; }

    /// <summary>Searches.</summary>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Budget, network and data don't fit, or the network keeps the budget as it is, or the folder can't be written to.</exception>
    public SearchResult Run(Budget budget, CancellationToken stop = default)
    {
        budget.Check();
        Evaluation.Check(Model, Data);
        double bytes = Bytes(Model.Graph);
        if (budget.IsKeptBy(bytes)) throw new PenjingException("the network keeps the budget as it is: ask for fewer bytes or less time");
        _ = WorkFolder.Open(Folder, [("budget", budget), ("epochs", Epochs), ("sample", Sample), ("integers", Integers)]);
        using SensitivityCache cache = new(Path.Combine(Folder, "sensitivity.jsonl"));
        Strengths strengths = new(Of(SensitivityBy.Channels, channelLevels), Of(SensitivityBy.Weights, weightLevels), Of(SensitivityBy.Bits, bitLevels));
        List<Attempt> attempts = [];
        Aim aim = Aim.Of(budget, bytes) with { Integers = Integers };
        while (attempts.Count < MostAttempts)
        {
            Attempt attempt = Try(attempts.Count + 1, () => Choose(aim, strengths, attempts.Count + 1, stop), stop);
            attempts.Add(attempt);
            if (aim.Next(budget, attempt.Original, attempt.Result, attempts.Any(one => Keeps(budget, one)), attempt.Recipe.Stages.Any(stage => stage is QuantizeStage)) is not { } next) break;
            aim = next;
        }
        return Judge(budget, [.. attempts]);

        Lazy<Strength> Of(SensitivityBy by, ImmutableArray<double> levels) => new(() => new(Sensitivity(by, levels, cache, stop)));
    }

    private SensitivityResult Sensitivity(SensitivityBy by, ImmutableArray<double> levels, SensitivityCache cache, CancellationToken stop)
    {
        DataSet sample = Data with { Test = Data.Test.Sample(Sample, Common.Seed) };
        return new SensitivityRun(Model, sample, Environment.ProcessorCount, cache, stop).Measure(by, levels, by is SensitivityBy.Channels ? Score : "", Scores.WithoutData(Score),
            (done, all, left) => Told?.Invoke($"sensitivity to {by.ToString().ToLowerInvariant()}: {done} of {all} networks", all == 0 ? 1 : (double)done / all, left));
    }

    /// <summary>The mildest recipe that reaches the aim, as far as that can be seen without training.</summary>
    private Recipe Choose(Aim aim, Strengths strengths, int number, CancellationToken stop)
    {
        Told?.Invoke($"attempt {number}: choosing how far each layer is cut", 0, null);
        using Session original = new(Model, Evaluation.Options);
        (double most, double longest) = (aim.Bytes ?? double.PositiveInfinity, aim.Latency ?? double.PositiveInfinity);
        Plan plan = new(null, null, null, Integers: false);
        if (aim.Integers && Time(plan with { Integers = true }) < 1) plan = plan with { Integers = true };
        if (Time(plan) > longest) plan = plan with { Channels = strengths.Channels.Value.Least(threshold => Time(plan with { Channels = threshold }), longest) };
        if (Size(plan) > most)
        {
            plan = plan with { Weights = strengths.Weights.Value.Least(threshold => Size(plan with { Weights = threshold, Bits = 0 }), most) };
            plan = plan with { Bits = strengths.Bits.Value.Least(threshold => Size(plan with { Bits = threshold }), most) };
            // What weights and bits can't give, channels must.
            if (Size(plan) > most) plan = plan with { Channels = Math.Max(plan.Channels ?? -1, strengths.Channels.Value.Least(threshold => Size(plan with { Channels = threshold }), most)) };
        }
        return Recipe(plan);

        double Time(Plan plan) => Recipe(plan) is { Stages.IsEmpty: false } recipe ? Slowness(original, recipe.Outline(Model.Graph), stop) : 1;

        double Size(Plan plan) => Bytes(Recipe(plan).Outline(Model.Graph));

        Recipe Recipe(Plan plan)
        {
            double epochs = Epochs * aim.Effort;
            List<RecipeStage> stages = [];
            if (plan.Channels is { } channels && strengths.Channels.Value.At(channels) is { IsEmpty: false } ratios)
                stages.Add(new PruneStage { Ratio = 0, Ratios = ratios, Rounds = 1, Score = Score, Training = new() { Epochs = epochs, LearningRate = 0.03, WarmUp = 0.1, Soft = 0.5 } });
            if (plan.Weights is { } weights && strengths.Weights.Value.At(weights) is { IsEmpty: false } shares)
                stages.Add(new SparsifyStage { Ratio = 0, Ratios = shares, Rounds = 6, Training = new() { Epochs = epochs, LearningRate = 0.03, Soft = Soft, Temperature = Temperature } });
            if (plan.Bits is { } bits)
                stages.Add(new ShareStage { Bits = 6, DepthwiseBits = 6, Rate = 0.01, BitsOf = strengths.Bits.Value.At(bits).ToImmutableSortedDictionary(part => part.Key, part => (int)part.Value), Training = new() { Epochs = epochs / 3, LearningRate = 0.005, WeightDecay = 0, Soft = Soft, Temperature = Temperature } });
            // Integers lose little by themselves, so that only a further attempt trains under their rounding.
            if (plan.Integers)
                stages.Add(new QuantizeStage { Shared = plan.Bits is not null, Training = plan.Bits is null && aim.Effort > 1 ? new() { Epochs = epochs / 3, LearningRate = 0.002, Soft = 0.5 } : new() { Epochs = 0 } });
            return new($"attempt-{number}", [.. stages]);
        }
    }

    private double Slowness(Session original, Graph graph, CancellationToken stop)
    {
        if (Clock is not null) return Clock(graph);
        using Session session = new(Model with { Graph = graph }, Evaluation.Options);
        Latency[] latencies = Latency.Of([original, session], ProbeRuns, stop);
        return latencies[1].MedianMs / latencies[0].MedianMs;
    }

    private double Bytes(Graph graph)
    {
        string probe = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            return PenjingFile.Write(probe, Model with { Graph = graph }).Bytes;
        }
        finally
        {
            File.Delete(probe);
        }
    }

    /// <summary>An attempt: planned, trained and measured, as far as an earlier run of the search hasn't done so.</summary>
    private Attempt Try(int number, Func<Recipe> plan, CancellationToken stop)
    {
        string folder = Path.Combine(Folder, $"attempt-{number}"), planned = Path.Combine(folder, "recipe.json");
        Directory.CreateDirectory(folder);
        if (!File.Exists(planned))
        {
            string json = plan().ToJson();
            AtomicFile.Write(planned, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(json)));
        }
        Recipe recipe = Recipe.Read(planned);
        double[] epochs = [.. recipe.Stages.Select(stage => stage.Epochs)];
        return new(recipe, RecipeRun.Run(Model, recipe, Data, Common, folder, (stage, told) =>
        {
            double done = epochs.Take(stage).Sum() + epochs[stage] * told.Fraction;
            double later = told.Training.ImagesPerSecond > 0 ? epochs.Skip(stage + 1).Sum() * Data.Train.Count / told.Training.ImagesPerSecond : 0;
            Told?.Invoke(string.Create(CultureInfo.InvariantCulture, $"attempt {number}: {recipe.Stages[stage].Name}  loss {told.Training.Loss:F3}  {told.Training.ImagesPerSecond:N0} images/s"),
                done / epochs.Sum(), told.Remaining + TimeSpan.FromSeconds(later));
        }, stop));
    }

    private static bool Keeps(Budget budget, Attempt attempt) => budget.Used(attempt.Original, attempt.Result)[0].Used <= 1;

    private static SearchResult Judge(Budget budget, ImmutableArray<Attempt> attempts)
    {
        Attempt best = attempts.OrderBy(attempt => Math.Max(1, budget.Used(attempt.Original, attempt.Result)[0].Used))
            .ThenByDescending(attempt => budget is { MaxBytes: null, MaxLatency: null } ? -attempt.Result.Bytes : attempt.Result.Score.Value).First();
        (string bound, double used) = budget.Used(best.Original, best.Result)[0];
        string share = used.ToString("P0", CultureInfo.InvariantCulture);
        return new(attempts, best, Keeps(budget, best), Keeps(budget, best) ? $"the budget is kept; the bound of {bound} binds ({share} of it used)"
            : $"the budget was not met in {attempts.Length} attempts; nearest is {share} of the bound of {bound}");
    }

    /// <summary>How sensitive the network is, measured where it matters.</summary>
    private sealed record Strengths(Lazy<Strength> Channels, Lazy<Strength> Weights, Lazy<Strength> Bits);

    /// <summary>What is done to a network: the thresholds of channels, weights and bits, each null where that is left alone, and whether it becomes integers.</summary>
    private sealed record Plan(double? Channels, double? Weights, double? Bits, bool Integers);
}
