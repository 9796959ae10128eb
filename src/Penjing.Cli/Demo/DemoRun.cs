using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>What the demo found: the stages, and the evaluations of the first and the last file.</summary>
internal sealed record DemoOutcome(IReadOnlyList<Finding> Stages, Evaluation Before, Evaluation After, Model Last, FileReport LastFile);

/// <summary>
/// The demo: trains, prunes, shares, and after each stage loads the file that it wrote and asks it about every test picture on the engine. At the end the three files
/// are timed in turns.
/// </summary>
internal sealed class DemoRun(Screen screen, DemoPlan plan, DataSet data, string folder, CancellationToken stop)
{
    /// <summary>How often each file is timed.</summary>
    public const int TimedRuns = 400;

    private readonly List<(string Title, string What, Shipped File)> stages = [];

    /// <summary>Does it all, or what an interrupted demo of the same settings left to do.</summary>
    public DemoOutcome Run()
    {
        WorkFolder work = Work();
        screen.WhenStopped = $"what is done is kept in '{work.Path}': start the demo again to go on";
        Model model = plan.Network(data);
        Train(0, "1/3 training", watch => model = Retrainer.Train(model, data, plan.Train, work, watch, stop));
        model = Measure(model, "Trained", "trained", string.Create(CultureInfo.InvariantCulture, $"A MobileNet v1 of width {plan.Width} trained from nothing for {plan.Train.Epochs} epochs."), Storage.Plain);

        Train(1, "2/3 pruning ", watch => model = Retrainer.Prune(model, data, new() { Multiple = DemoPlan.Multiple }, plan.Ratios, round => plan.Retrain[round], work, watch, stop));
        model = Measure(model with { History = model.History[..^1] }, "Pruned", "pruned", string.Create(CultureInfo.InvariantCulture,
            $"{100 * plan.Ratio} % of the channels cut for good, those with the smallest L1 norm, in {plan.Retrain.Length} rounds with retraining."), Storage.Smallest, model.History[^1].Cuts);

        Train(2, "3/3 sharing ", watch => model = Retrainer.Share(model, data, plan.Sharing, plan.Reshare, DemoPlan.VectorBits, work, watch, stop));
        Measure(model, "Shared and coded", "shared", $"The weights of a layer share at most {plan.Sharing.Dense!.Clusters} values, which were trained; entropy-coded.", Storage.Smallest);

        ImmutableArray<StageResult> results = Shipped.Measure([.. stages.Select(stage => stage.File)], TimedRuns, stop);
        Shipped first = stages[0].File, last = stages[^1].File;
        work.Delete();
        return new([.. stages.Select((stage, i) => new Finding(stage.Title, stage.What, Path.GetFileName(stage.File.Path), results[i], i == 0 ? default : results[i].WorseThan(results[i - 1])))],
            first.Evaluation!, last.Evaluation!, last.Model, PenjingFile.Inspect(last.Path));
    }

    private WorkFolder Work()
    {
        string path = Path.Combine(folder, "unfinished");
        if (WorkFolder.Exists(path))
        {
            try
            {
                WorkFolder work = WorkFolder.Open(path, plan.Settings(data));
                screen.Note($"going on with the demo that was interrupted ('{path}')");
                return work;
            }
            catch (PenjingException)
            {
                screen.Note($"the unfinished demo in '{path}' had other settings: starting anew");
                Directory.Delete(path, recursive: true);
            }
        }
        return WorkFolder.Open(path, plan.Settings(data));
    }

    /// <summary>Shows a stage's training with the time that all stages still take, as if a pruned network trained no faster than the whole one.</summary>
    private void Train(int stage, string title, Action<Action<RetrainingProgress>> work)
    {
        double[] epochs = [plan.Train.Epochs, plan.Retrain.Sum(round => round.Epochs), plan.Reshare.Epochs];
        double later = epochs.Skip(stage + 1).Sum() * data.Train.Count;
        Watch.Over(screen, title, watch => work(progress => watch.Tell(progress, later)));
    }

    /// <summary>Writes a stage's file, loads it again, and asks it about all test pictures.</summary>
    private Model Measure(Model model, string title, string name, string what, Storage storage, ImmutableArray<ChannelCut> cuts = default)
    {
        Shipped shipped = Shipped.Write(model, new(name, what, null, 0, 0) { Cuts = cuts.IsDefault ? [] : cuts }, data, Path.Combine(folder, $"{stages.Count + 1}-{name}.penjing"), storage, stop);
        stages.Add((title, what, shipped));
        screen.Note(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(shipped.Path)}: {shipped.Evaluation!.Score} of {Quantity.Exact(data.Test.Count)} test pictures on the engine, {Quantity.Exact(shipped.Bytes)} bytes"));
        return shipped.Model;
    }
}
