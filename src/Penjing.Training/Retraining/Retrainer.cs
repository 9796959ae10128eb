using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Training;

/// <summary>Where work of several trainings stands.</summary>
/// <param name="Part">The training under way, from 1.</param>
/// <param name="Parts">All trainings.</param>
/// <param name="Training">How far it is.</param>
/// <param name="Remaining">The time that all that remains will take at this pace.</param>
public readonly record struct RetrainingProgress(int Part, int Parts, TrainingProgress Training, TimeSpan Remaining)
{
    /// <summary>How much is done, 0 to 1, as if all trainings were of one length.</summary>
    public double Fraction => (Part - 1 + (double)Training.Step / Training.Steps) / Parts;
}

/// <summary>Compression with retraining: what pruning and sharing take from a network's accuracy, training gives back.</summary>
public static class Retrainer
{
    /// <summary>Trains a network; see <see cref="Trainer.Train"/>.</summary>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Train(
        Model model, DataSet data, TrainingOptions options, WorkFolder work, Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        Step("trained", 1, [options], () => model, data, work, progress, cancellation);

    /// <summary>
    /// Prunes in rounds (iterative pruning, Han et al. 2015): each cuts the least important channels for good, then trains what is left. The last stage of the
    /// result's history says which channels all rounds cut together.
    /// </summary>
    /// <param name="model">A trained network.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">What is cut by what rule; its ratio doesn't matter, and those of single layers are reached together with the last of the following.</param>
    /// <param name="ratios">The fraction of the network's channels that is gone after each round; see <see cref="PruningSchedule"/>.</param>
    /// <param name="training">How to train after each round, counted from 0.</param>
    /// <param name="work">Where the rounds are kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Prune(
        Model model, DataSet data, PruningOptions options, IReadOnlyList<double> ratios, Func<int, TrainingOptions> training, WorkFolder work,
        Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (ratios.Count == 0) throw new PenjingException("pruning takes at least one round");
        Graph original = model.Graph;
        ImmutableArray<Stage> history = model.History;
        TrainingOptions[] trainings = [.. ratios.Select((_, round) => training(round))];
        for (int round = 0; round < ratios.Count; round++)
        {
            Model before = model;
            double part = ratios[^1] > 0 ? ratios[round] / ratios[^1] : (round + 1.0) / ratios.Count;
            PruningOptions cut = options with
            {
                Ratio = ratios[round],
                Ratios = options.Ratios.ToDictionary(layer => layer.Key, layer => part * layer.Value),
                Original = original,
            };
            model = Step($"pruned-{round + 1}", round + 1, trainings, () => Cut(before, cut, work, round + 1), data, work, progress, cancellation);
        }
        return Joined(model, original, history);
    }

    /// <summary>Makes weights zero in rounds (weight pruning, Han et al. 2015): each zeroes the smallest ones, then trains the others, while all zeros stay zero.</summary>
    /// <param name="model">A trained network.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">How many weights are zero in the end, and by what rule.</param>
    /// <param name="schedule">How the share of zeros rises from round to round; see <see cref="SparsitySchedules"/>.</param>
    /// <param name="rounds">How many rounds there are.</param>
    /// <param name="training">How to train after each round, counted from 0; see <see cref="TrainingOptions.Part"/>.</param>
    /// <param name="work">Where the rounds are kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Sparsify(
        Model model, DataSet data, SparsityOptions options, SparsitySchedule schedule, int rounds, Func<int, TrainingOptions> training, WorkFolder work,
        Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (rounds < 1) throw new PenjingException($"weights become zero in at least one round, not {rounds}");
        HashSet<string> kernels = [.. Sparsifier.Describe(model.Graph).Select(weight => weight.Name)];
        TrainingOptions[] trainings = [.. Enumerable.Range(0, rounds).Select(round => training(round) with
        {
            Parameterize = weight => kernels.Contains(weight.Name) ? Parameterization.KeepZeros : Parameterization.Free,
        })];
        for (int round = 1; round <= rounds; round++)
        {
            Model before = model;
            SparsityOptions now = options.At(schedule, (double)round / rounds);
            model = Step($"sparse-{round}", round, trainings, () => before with { Graph = Sparsifier.Sparsify(before.Graph, now) }, data, work, progress, cancellation);
        }
        return model;
    }

    /// <summary>
    /// Network slimming in passes (Liu et al. 2017): each trains under the L1 norm of BatchNormalization's scales, cuts the channels of the smallest scales of the
    /// whole network, and trains what is left. Where residual sums and concatenations share channels, the mean of their scales decides. The history is as <see cref="Prune"/> has it.
    /// </summary>
    /// <param name="model">A network with BatchNormalization, trained or not.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">What is cut; its ratio, importance and ranking don't matter.</param>
    /// <param name="ratios">The fraction of the network's channels that is gone after each pass; see <see cref="PruningSchedule"/>.</param>
    /// <param name="sparsifying">How to train before each pass's cut, counted from 0; with a <see cref="TrainingOptions.GammaL1"/>.</param>
    /// <param name="training">How to train after it.</param>
    /// <param name="work">Where the passes are kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Slim(
        Model model, DataSet data, PruningOptions options, IReadOnlyList<double> ratios, Func<int, TrainingOptions> sparsifying, Func<int, TrainingOptions> training,
        WorkFolder work, Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (ratios.Count == 0) throw new PenjingException("slimming takes at least one pass");
        TrainingOptions[] trainings = [.. ratios.SelectMany((_, pass) => (TrainingOptions[])[sparsifying(pass), training(pass)])];
        if (trainings.Where((one, part) => part % 2 == 0 && !(one.GammaL1 > 0)).Any())
            throw new PenjingException("slimming trains with the option GammaL1 above 0 before it cuts, 1e-4 for example");
        Graph original = model.Graph;
        ImmutableArray<Stage> history = model.History;
        for (int pass = 0; pass < ratios.Count; pass++)
        {
            Model dense = model;
            PruningOptions cut = options with { Ratio = ratios[pass], Original = original, Importance = Importances.BatchNormScale, Ranking = Ranking.Global, Absolute = true };
            Model sparse = Step($"slimming-{pass + 1}", 2 * pass + 1, trainings, () => dense, data, work, progress, cancellation);
            model = Step($"slimmed-{pass + 1}", 2 * pass + 2, trainings, () => Cut(sparse, cut, work, pass + 1), data, work, progress, cancellation);
        }
        return Joined(model, original, history);
    }

    /// <summary>
    /// Lets weights share values and trains the shared values (trained quantization, Han et al. 2016), then rounds what remains to Float16: the network is ready
    /// to ship, and trains no further.
    /// </summary>
    /// <param name="model">A trained network.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">Which weights share values, and how.</param>
    /// <param name="training">How to train the shared values.</param>
    /// <param name="vectorBits">To how many bits vectors are rounded behind the training; see <see cref="Sharing.Finish"/>.</param>
    /// <param name="work">Where the work is kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Share(
        Model model, DataSet data, SharingOptions options, TrainingOptions training, int vectorBits, WorkFolder work,
        Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        HashSet<string> kernels = [.. Sparsifier.Describe(model.Graph).Select(weight => weight.Name)];
        TrainingOptions shared = training with { Parameterize = weight => kernels.Contains(weight.Name) ? Parameterization.Shared | Parameterization.KeepZeros : Parameterization.Free };
        Model trained = Step("shared", 1, [shared], () => model with { Graph = Sharing.Share(BatchNorms.Equalize(model.Graph), options) },
            data, work, progress, cancellation);
        return trained with { Graph = Sharing.Finish(trained.Graph, vectorBits) };
    }

    /// <summary>
    /// Quantizes a network and trains it under the rounding of its 8-bit integers, whose scales are trained too (quantization-aware training: Jacob et al. 2018, Esser et al. 2020). The
    /// result is one of integers, ready to ship, and trains no further. It trains in Float32: what integers stand for is finer than bfloat16.
    /// </summary>
    /// <param name="model">A trained network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="ranges">The ranges of its values, which the scales begin with.</param>
    /// <param name="floats">Layers that stay real, by their names.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="training">How to train.</param>
    /// <param name="work">Where the work is kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Quantize(
        Model model, DataSet data, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits, TrainingOptions training, WorkFolder work,
        Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        Step("quantized", 1, [training with { BFloat16 = false }], () => model with { Graph = QuantizationAware.Begin(model.Graph, ranges, floats, weightBits) }, data, work, progress, cancellation,
            trained => trained with { Graph = QuantizationAware.End(trained.Graph) });

    /// <summary>The model with its least important channels cut, once and for all: measured times and gradients may choose others another time.</summary>
    private static Model Cut(Model model, PruningOptions options, WorkFolder work, int round) => work.Step($"cut-{round}", _ =>
    {
        ChannelGroups groups = ChannelGroups.Of(model.Graph);
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, options);
        return Noted(model with { Graph = Pruner.Remove(model.Graph, doomed) }, model.History, PruningHistory.Cuts(groups, doomed));
    });

    /// <summary>The model with one stage for all that was cut since this history, of this network.</summary>
    private static Model Joined(Model model, Graph original, ImmutableArray<Stage> history)
    {
        ChannelGroups groups = ChannelGroups.Of(original);
        return Noted(model, history, PruningHistory.Cuts(groups, PruningHistory.Doomed(groups, model.History.Skip(history.Length))));
    }

    private static Model Noted(Model model, ImmutableArray<Stage> history, ImmutableArray<ChannelCut> cuts) =>
        model with { History = history.Add(new("prune", "channels cut", null, model.Graph.Parameters, Cost.Macs(model.Graph.WithBatch(1))) { Cuts = cuts }) };

    private static Model Step(
        string name, int part, TrainingOptions[] parts, Func<Model> begin, DataSet data, WorkFolder work, Action<RetrainingProgress>? progress, CancellationToken cancellation,
        Func<Model, Model>? end = null) =>
        work.Step(name, checkpoint =>
        {
            TrainingOptions kept = parts[part - 1] with { Checkpoint = checkpoint, Resume = true };
            double later = parts.Skip(part).Sum(options => options.Steps * (double?)options.Batch ?? options.Epochs * data.Train.Count);
            TrainingResult result = Trainer.Train(begin(), data, kept, progress is null ? null : new Teller(Tell), cancellation);
            return !result.Completed ? throw new OperationCanceledException(cancellation) : end is null ? result.Model : end(result.Model);

            void Tell(TrainingProgress training) => progress(new(part, parts.Length, training,
                training.Remaining + TimeSpan.FromSeconds(training.ImagesPerSecond > 0 ? later / training.ImagesPerSecond : 0)));
        });

    private sealed class Teller(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
