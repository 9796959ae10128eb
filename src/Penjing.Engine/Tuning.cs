using System.Collections.Immutable;
using System.Diagnostics;

namespace Penjing.Engine;

/// <summary>
/// Which kernel computes each layer of a network fastest on this machine, as measured. Layers are told apart by what the choice depends on and nothing
/// else, so that equal layers are measured once and a tuning serves every network that has such layers.
/// </summary>
/// <param name="layers">What was measured; of two of one layer the later one counts.</param>
public sealed class Tuning(ImmutableArray<TunedLayer> layers)
{
    private const double Noise = 0.02, MillisecondsPerKernel = 100;
    private const long MostBetween = 64 << 20;

    private readonly Dictionary<(string, Isa, int), TunedLayer> known =
        layers.GroupBy(layer => (layer.Layer, layer.Isa, layer.Threads)).ToDictionary(same => same.Key, same => same.Last());

    /// <summary>What was measured.</summary>
    public ImmutableArray<TunedLayer> Layers { get; } = layers;

    /// <summary>Nothing measured yet.</summary>
    public static Tuning Empty { get; } = new([]);

    /// <summary>
    /// Measures the kernels that can compute each layer of a network, on this machine, with the options' threads and vectors, after the memory that the network's other
    /// layers read has passed through the caches. Where the cost model's choice is within 2 % of the fastest, it is kept. What <see cref="SessionOptions.Tuning"/>
    /// knows already is not measured again.
    /// </summary>
    /// <returns>The options' tuning and what was measured.</returns>
    /// <exception cref="OperationCanceledException">The measuring was cancelled.</exception>
    /// <exception cref="PenjingException">The options don't fit the network.</exception>
    public static Tuning Measure(Graph graph, SessionOptions options, Action<TuningProgress>? progress = null, CancellationToken cancellation = default)
    {
        Tuning tuning = options.Tuning ?? Empty;
        (ImmutableArray<Site> sites, long bytes) = Sites(graph, options);
        (string Layer, Site Site, ImmutableArray<KernelRow> Rows)[] open =
        [
            .. sites.Select(site => (Layer: LayerKey.Of(site), Site: site, Rows: Trial.Candidates(site))).DistinctBy(one => one.Layer)
                .Where(one => one.Rows.Length > 1 && tuning.Find(one.Layer, one.Site.Isa, options.Workers, one.Rows) is null),
        ];
        var layers = tuning.Layers.ToBuilder();
        double all = open.Sum(one => one.Rows.Length), done = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < open.Length; i++)
        {
            (string layer, Site site, ImmutableArray<KernelRow> rows) = open[i];
            progress?.Invoke(new(i, open.Length, layer, done / all, done == 0 ? null : Stopwatch.GetElapsedTime(start) * ((all - done) / done)));
            ImmutableArray<Trial> trials = Trial.Of(rows, site, MillisecondsPerKernel, Math.Min(bytes, MostBetween), cancellation);
            KernelRow model = KernelTable.Choose(site);
            layers.Add(new(layer, site.Isa, options.Workers, Best(trials, model).Row.Name, model.Name, trials.ToImmutableSortedDictionary(trial => trial.Row.Name, trial => trial.Ms, StringComparer.Ordinal)));
            done += rows.Length;
        }
        progress?.Invoke(new(open.Length, open.Length, "", 1, TimeSpan.Zero));
        return new(layers.ToImmutable());
    }

    /// <summary>The file in which the tuning of a model's file is kept: beside it, under its name and .tuned.json.</summary>
    public static string PathFor(string model) => model + ".tuned.json";

    /// <summary>The tuning that was written on this machine.</summary>
    /// <exception cref="PenjingException">The file can't be read, is damaged, or was written on another machine or by another build of the engine: its times don't hold here.</exception>
    public static Tuning Read(string path) => TuningFile.Read(path);

    /// <summary>The tuning beside a model's file; null where there is none, or none that can be used here, which <paramref name="remark"/> then says in one line.</summary>
    public static Tuning? Beside(string model, out string? remark)
    {
        string path = PathFor(model);
        remark = null;
        if (!File.Exists(path)) return null;
        try
        {
            return Read(path);
        }
        catch (PenjingException error)
        {
            remark = $"{error.Message}; it is not used";
            return null;
        }
    }

    /// <summary>Writes the tuning with this machine's description, whole or not at all.</summary>
    /// <exception cref="PenjingException">The file can't be written.</exception>
    public void Write(string path) => TuningFile.Write(path, this);

    /// <summary>The row that was measured to be the fastest for a site, of those that fit it in this process; null where that isn't known.</summary>
    internal KernelRow? Row(Site site)
    {
        ImmutableArray<KernelRow> rows = Trial.Candidates(site);
        if (Find(LayerKey.Of(site), site.Isa, site.Seats, rows) is not { } layer) return null;
        return rows.FirstOrDefault(row => row.Name == layer.Kernel) ?? rows.MinBy(row => layer.Milliseconds[row.Name]);
    }

    /// <summary>The sites of a network, as its session would compute them, and the bytes that a run passes through.</summary>
    internal static (ImmutableArray<Site> Sites, long Bytes) Sites(Graph graph, SessionOptions options)
    {
        var sites = ImmutableArray.CreateBuilder<Site>();
        using Plan plan = Lower.Of(Session.Prepare(graph, options).Rewrite(Passes.ForInference), options, sites.Add);
        return (sites.ToImmutable(), plan.ArenaBytes + plan.Steps.Sum(step => step.Info.WeightBytes));
    }

    /// <summary>The trial of the row that is to be taken.</summary>
    internal static Trial Best(ImmutableArray<Trial> trials, KernelRow model)
    {
        Trial best = trials.MinBy(trial => trial.Ms)!, own = trials.FirstOrDefault(trial => trial.Row == model, best);
        return own.Ms <= best.Ms * (1 + Noise) ? own : best;
    }

    /// <summary>What is known of a layer, if all these rows were measured: a new kernel may be the fastest.</summary>
    private TunedLayer? Find(string layer, Isa isa, int threads, ImmutableArray<KernelRow> rows) =>
        known.TryGetValue((layer, isa, threads), out TunedLayer? found) && rows.All(row => found.Milliseconds.ContainsKey(row.Name)) ? found : null;
}

/// <summary>What was measured of a layer.</summary>
/// <param name="Layer">What the choice depends on: the operation, and the shapes, pitches and share of zeros of what it is applied to.</param>
/// <param name="Isa">The vectors that were computed with.</param>
/// <param name="Threads">The threads that shared a run.</param>
/// <param name="Kernel">The kernel that is taken, by the name of its row of the table; one of those measured.</param>
/// <param name="Untuned">The kernel that the cost model chose when the layer was measured.</param>
/// <param name="Milliseconds">The time of each kernel that can compute the layer.</param>
public sealed record TunedLayer(string Layer, Isa Isa, int Threads, string Kernel, string Untuned, ImmutableSortedDictionary<string, double> Milliseconds);

/// <summary>How far <see cref="Tuning.Measure"/> is.</summary>
/// <param name="Done">Layers that are measured.</param>
/// <param name="Count">Layers to be measured in all.</param>
/// <param name="Layer">The layer that is being measured; empty at the end.</param>
/// <param name="Fraction">How much of the work is done, from 0 to 1.</param>
/// <param name="Remaining">About how long the rest takes; null where nothing is known yet.</param>
public sealed record TuningProgress(int Done, int Count, string Layer, double Fraction, TimeSpan? Remaining);
