using System.Diagnostics;
using System.Globalization;
using Penjing.Training;
using Spectre.Console;

namespace Penjing.Cli;

/// <summary>Shows how long work goes on: a moving bar on a terminal, elsewhere a plain line every few seconds. All of it goes to the standard error.</summary>
internal sealed class Watch
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Screen screen;
    private readonly ProgressTask? task;
    private readonly string title;
    private long last = Stopwatch.GetTimestamp();
    private double shown = -1;

    private Watch(Screen screen, ProgressTask? task, string title) => (this.screen, this.task, this.title) = (screen, task, title);

    /// <summary>Does the work under a bar or lines of this title.</summary>
    public static void Over(Screen screen, string title, Action<Watch> work)
    {
        if (!screen.IsLive)
        {
            work(new(screen, null, title));
            return;
        }
        screen.Notes.Progress().AutoClear(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Spectre.Console.Markup.Escape(title), maxValue: 1);
                work(new(screen, task, title));
                task.Value = 1;
                task.StopTask();
            });
    }

    /// <summary>Tells how far the work is, 0 to 1, and what there is to say.</summary>
    public void Tell(double fraction, string words)
    {
        if (task is not null)
        {
            task.Value = fraction;
            task.Description = Spectre.Console.Markup.Escape(words.Length > 0 ? $"{title}  {words}" : title);
            return;
        }
        bool end = fraction >= 1 && shown < 1;
        if (!end && Stopwatch.GetElapsedTime(last) < Pause) return;
        last = Stopwatch.GetTimestamp();
        shown = fraction;
        screen.Note(string.Create(CultureInfo.InvariantCulture, $"{title}  {100 * fraction,3:F0} %  {words}"));
    }

    /// <summary>Tells how many networks are measured, of how many, and how long the others take.</summary>
    public void Tell(int done, int all, TimeSpan? left) => Tell(all == 0 ? 1 : (double)done / all,
        all == 0 ? "all is known" : $"{done} of {all} networks{(left is { } time ? $"  {Quantity.Duration(time)} left" : "")}");

    /// <summary>Tells how many of the test pictures are answered.</summary>
    public void Tell(int done, DataSet data) => Tell((double)done / data.Test.Count, $"{Quantity.Exact(done)} of {Quantity.Exact(data.Test.Count)} pictures");

    /// <summary>Tells how far a recipe is, by the epochs of its stages.</summary>
    public void Tell(RetrainingProgress progress, Recipe recipe, int stage, DataSet data)
    {
        double[] epochs = [.. recipe.Stages.Select(one => one.Epochs)];
        double later = epochs.Skip(stage + 1).Sum();
        Tell((epochs.Take(stage).Sum() + progress.Fraction * epochs[stage]) / epochs.Sum(), $"{stage + 1}/{epochs.Length} {recipe.Stages[stage].Name}  {Words(progress, later * data.Train.Count)}");
    }

    /// <summary>Tells how far a work of several trainings of about equal length is.</summary>
    public void Tell(RetrainingProgress progress) => Tell(progress, 0);

    /// <summary>Tells how far a work of several trainings of about equal length is, behind which other work will train on so many more pictures.</summary>
    public void Tell(RetrainingProgress progress, double later) =>
        Tell(progress.Fraction, Words(progress, later));

    private static string Words(RetrainingProgress progress, double later)
    {
        TrainingProgress training = progress.Training;
        TimeSpan left = progress.Remaining + TimeSpan.FromSeconds(training.ImagesPerSecond > 0 ? later / training.ImagesPerSecond : 0);
        string part = progress.Parts > 1 ? $"round {progress.Part}/{progress.Parts}  " : "";
        string test = training.TestScore is { } score ? $"  test {score}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{part}epoch {training.Epoch}/{training.Epochs}  loss {training.Loss:F3}  train {100 * training.TrainAccuracy:F1} %{test}  {training.ImagesPerSecond:N0} images/s  {Quantity.Duration(left)} left");
    }
}
