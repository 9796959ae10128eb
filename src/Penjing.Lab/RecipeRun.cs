using System.Collections.Immutable;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What was measured of one file on a network's way to the device.</summary>
/// <param name="Stage">The stage that made it; null for the network that the way began with.</param>
/// <param name="File">The file.</param>
/// <param name="Result">What was measured.</param>
/// <param name="Worse">What got worse against the file before, one phrase each; default for the first.</param>
public sealed record Milestone(RecipeStage? Stage, Shipped File, StageResult Result, ImmutableArray<string> Worse);

/// <summary>A recipe at work: every stage's file is written, read again and measured on the engine.</summary>
public static class RecipeRun
{
    /// <summary>How often each file is timed.</summary>
    public const int TimedRuns = 200;

    /// <summary>
    /// Compresses a network. Broken off at any moment and begun again with the same arguments, the work goes on where it stood and ends with the same files;
    /// at most the training since the last checkpoint is lost. What has the ending .work may be deleted when all is done.
    /// </summary>
    /// <param name="model">A trained network.</param>
    /// <param name="recipe">What is done.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="common">What all trainings share: batch, seed, threads, augmentation; where it has a teacher, that one teaches in place of the uncompressed network.</param>
    /// <param name="folder">Where the files are written, 0-original.penjing first, and unfinished work is kept.</param>
    /// <param name="progress">Is told after every step of training, with the stage's number from 0.</param>
    /// <param name="stop">Ends the work after a step.</param>
    /// <returns>The network as it was, then each stage; all timed in turns at the end.</returns>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Recipe, network and data don't fit, or the folder can't be written to.</exception>
    public static ImmutableArray<Milestone> Run(
        Model model, Recipe recipe, DataSet data, TrainingOptions common, string folder, Action<int, RetrainingProgress>? progress = null, CancellationToken stop = default)
    {
        recipe.Outline(model.Graph);
        Evaluation.Check(model, data);
        Directory.CreateDirectory(folder);
        (string Name, object? Value)[] origin =
        [
            ("network", SensitivityCache.Hash(model)), ("pictures", SensitivityCache.Hash(data)), ("classes to train on", SensitivityCache.Hash(data.Train)),
            .. common.Essence().Select(option => (option.Name, (object?)option.Value)),
        ];
        // What is there of other arguments is refused before anything is written.
        string[] names = [.. recipe.Stages.Select((stage, i) => Path.Combine(folder, $"{i + 1}-{stage.Name}"))];
        WorkFolder[] works = [.. recipe.Stages.Zip(names, (stage, name) => WorkFolder.Open(name + ".work", [("stage", Recipe.ToJson(stage).ReplaceLineEndings(" ")), .. origin]))];
        List<Shipped> files = [Shipped.Write(model, null, data, Path.Combine(folder, "0-original.penjing"), Storage.Smallest, stop)];
        for (int i = 0; i < works.Length; i++)
        {
            (RecipeStage stage, int number) = (recipe.Stages[i], i);
            RecipeStage settled = stage;
            Model before = files[^1].Model, made = stage.Apply(before, new(data, common, model, works[i], progress is null ? null : told => progress(number, told), said => settled = said, stop));
            // The rounds' own stages become one, which says all that they cut.
            ImmutableArray<ChannelCut> cuts = made.History.Length > before.History.Length ? made.History[^1].Cuts : [];
            files.Add(Shipped.Write(made with { History = before.History }, new(stage.Name, settled.Detail, null, 0, 0) { Cuts = cuts }, data, names[i] + ".penjing", Storage.Smallest, stop));
        }
        string what = string.Join('\n', origin.Select(one => $"{one.Name} = {one.Value}").Append(recipe.ToJson()));
        ImmutableArray<StageResult> results = Measured(Path.Combine(folder, "results.json"), what, () => Shipped.Measure(files, TimedRuns, stop));
        return [.. files.Select((file, i) => new Milestone(i == 0 ? null : recipe.Stages[i - 1], file, results[i], i == 0 ? default : results[i].WorseThan(results[i - 1])))];
    }

    /// <summary>What was measured once stays so: a search that is gone on with must decide as before.</summary>
    private static ImmutableArray<StageResult> Measured(string path, string what, Func<ImmutableArray<StageResult>> measure)
    {
        if (File.Exists(path) && JsonSerializer.Deserialize<Record>(File.ReadAllBytes(path)) is { } kept && kept.What == what) return kept.Results;
        Record record = new(what, measure());
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, record));
        return record.Results;
    }

    private sealed record Record(string What, ImmutableArray<StageResult> Results);
}
