using System.Collections.Concurrent;
using System.Diagnostics;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What a network answered to every picture of a split, on the engine.</summary>
/// <param name="Score">How right the answers are.</param>
/// <param name="MeanMs">The mean time of one run, in milliseconds, while as many ran side by side as there were threads.</param>
/// <param name="Elapsed">The whole time, with reading and preparing the pictures.</param>
public sealed record Evaluation(Score Score, double MeanMs, TimeSpan Elapsed)
{
    private const int FewestClassesForTop5 = 10;

    /// <summary>How each of the sessions runs.</summary>
    public static SessionOptions Options { get; } = new(Threads: 1, Batch: 1);

    /// <summary>The class that it finds likeliest, by picture; empty where each pixel is answered.</summary>
    public int[] Answers { get; init; } = [];

    /// <summary>The probability that it gives that class, by picture.</summary>
    public float[] Confidences { get; init; } = [];

    /// <summary>The fraction of pictures whose class is among the first five answers; null under ten classes, and where each pixel is answered.</summary>
    public double? Top5 { get; init; }

    /// <summary>How often each class was answered as each, where each pixel is answered; else null.</summary>
    public Confusion? Confusion { get; init; }

    /// <summary>Asks the network about every picture, one at a time, on as many sessions of one thread each as there are threads.</summary>
    /// <exception cref="PenjingException">The network doesn't tell this data set's classes apart, or takes no pictures.</exception>
    public static Evaluation Of(Model model, DataSet data, int threads, CancellationToken stop, Tuning? tuning = null, Action<int>? done = null)
    {
        Training.Split split = data.Test;
        Check(model, data);
        Preprocessing preprocessing = model.Preprocessing ?? data.Preprocessing;
        int[] answers = new int[split.HasMasks ? 0 : split.Count];
        float[] confidences = new float[answers.Length];
        Confusion confusion = new(data.Labels.Length);
        int inFive = 0, finished = 0;
        long ticks = 0, start = Stopwatch.GetTimestamp();
        ParallelOptions options = new() { MaxDegreeOfParallelism = threads, CancellationToken = stop };
        // Parallel.For's threads give their places up and take others while it runs; their sessions stay.
        ConcurrentBag<Worker> workers = [];
        try
        {
            Parallel.For(0, split.Count, options, () => workers.TryTake(out Worker? idle) ? idle : new(model, data, tuning), Ask, workers.Add);
        }
        finally
        {
            foreach (Worker worker in workers) worker.Session.Dispose();
        }
        foreach (Worker worker in workers) confusion.Add(worker.Confusion);
        return new(new(confusion.Accuracy, split.HasMasks ? confusion.MeanIoU : null), 1000.0 * ticks / Stopwatch.Frequency / split.Count, Stopwatch.GetElapsedTime(start))
        {
            Answers = answers,
            Confidences = confidences,
            Top5 = !split.HasMasks && data.Labels.Length >= FewestClassesForTop5 ? (double)inFive / split.Count : null,
            Confusion = split.HasMasks ? confusion : null,
        };

        Worker Ask(int index, ParallelLoopState _, Worker worker)
        {
            split.Picture(index).ToInput(preprocessing, worker.Shape, worker.Input);
            long before = Stopwatch.GetTimestamp();
            worker.Session.Run(worker.Input, worker.Output, stop);
            Interlocked.Add(ref ticks, Stopwatch.GetTimestamp() - before);
            if (split.HasMasks) worker.Confusion.Add(Truth(index, worker.Shape), Probabilities.Likeliest(worker.Output, data.Labels.Length));
            else Answer(index, worker);
            done?.Invoke(Interlocked.Increment(ref finished));
            return worker;
        }

        void Answer(int index, Worker worker)
        {
            Probabilities.From(worker.Output);
            int truth = split.Labels[index];
            answers[index] = Array.IndexOf(worker.Output, worker.Output.Max());
            confidences[index] = worker.Output[answers[index]];
            worker.Confusion.Add(truth, answers[index]);
            if (Probabilities.Rank(worker.Output, truth) < 5) Interlocked.Increment(ref inFive);
        }

        ReadOnlySpan<byte> Truth(int index, Shape input) => split.Mask(index, new(input[2], input[3]), preprocessing.Fit);
    }

    /// <summary>Throws where a data set has nothing to ask a network about.</summary>
    /// <exception cref="PenjingException">It has no test pictures.</exception>
    public static void RequirePictures(DataSet data)
    {
        if (data.Test.Count == 0) throw new PenjingException($"the data set '{data.Name}' ({data.Source}) has no test pictures: add them, or give another data set");
    }

    /// <summary>Throws where a network can't be asked about a data set.</summary>
    /// <exception cref="PenjingException">There are no test pictures, or the network takes none or doesn't tell this data set's classes apart.</exception>
    public static void Check(Model model, DataSet data)
    {
        RequirePictures(data);
        if (model.Graph is not { Inputs: [{ Shape.Rank: 4, Info.Type: ElementType.Float32 }], Outputs: [{ Info.Type: ElementType.Float32 } output] })
            throw new ShapeException("the network can't be evaluated: it must take one Float32 picture (N×C×H×W) and yield one Float32 value a class");
        int classes = data.Classes(model.Graph);
        if (classes != data.Labels.Length)
            throw new ShapeException($"the network tells {classes} classes apart ({output.Shape}), but the data set '{data.Name}' has {data.Labels.Length}: give another data set, or, before anything else, a new last layer by `penjing train --new-head`");
    }

    private sealed class Worker
    {
        public Worker(Model model, DataSet data, Tuning? tuning)
        {
            Session = new(model, Options with { Tuning = tuning });
            Shape = Session.Inputs[0].Info.Shape;
            Input = new float[Shape.Elements];
            Output = new float[Session.Outputs[0].Info.Shape.Elements];
            Confusion = new(data.Labels.Length);
        }

        public Session Session { get; }

        public Shape Shape { get; }

        public float[] Input { get; }

        public float[] Output { get; }

        public Confusion Confusion { get; }
    }
}
