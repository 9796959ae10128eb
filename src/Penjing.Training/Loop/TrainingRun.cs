using System.Collections.Immutable;
using System.Diagnostics;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>A training under way: the network, its replicas, and how far it has come.</summary>
internal sealed class TrainingRun : IDisposable
{
    private const int TestBatch = 200, MostFloats = 1 << 20;
    private const ulong DropoutStream = 3, EstimationStream = 5;

    private readonly DataSet data;
    private readonly Batches batches;
    private readonly TrainingOptions options;
    private readonly TrainableGraph trainable;
    private readonly Replica[] replicas;
    private readonly Sgd descent;
    private readonly MovingAverage? average;
    private readonly Distiller? distiller;
    private readonly Objective objective;
    private readonly Crew crew;
    private readonly Pace pace = new();
    private readonly ImmutableArray<(string, string)> essence;
    private readonly (double Loss, double Right)[] shares;
    private double lossSum, right;
    private long seen;

    /// <summary>A training that has not begun, or, where asked to resume, has come as far as its checkpoint.</summary>
    public TrainingRun(Graph graph, DataSet data, Batches batches, TrainingOptions options)
    {
        TorchRuntime.Start();
        this.data = data;
        this.batches = batches;
        this.options = options;
        Schedule = Schedule.Of(options, batches.StepsPerEpoch);
        int classes = data.Classes(graph);
        if (classes < data.Labels.Length) throw new PenjingException($"the network tells {classes} classes apart, but the data set '{data.Name}' has {data.Labels.Length}");
        objective = new(data, options, classes);
        if (options.Distillation is { } distillation) distiller = new(distillation, graph, batches.Preprocessing);
        trainable = new(graph, options.Parameterize, Distiller.Features(options.Distillation, graph));
        descent = new(trainable, options);
        replicas = [trainable.Master, .. Enumerable.Range(1, options.Threads - 1).Select(_ => trainable.NewReplica())];
        if (options.Average > 0) average = new(trainable, replicas, options.Average);
        shares = new (double, double)[options.Threads];
        essence = options.Checkpoint is null ? [] : [.. options.Essence(), .. Checkpoint.Fingerprints(graph, trainable, data, batches.Preprocessing)];
        crew = new(options.Threads);
        try
        {
            if (options.Resume && File.Exists(options.Checkpoint)) Restore(options.Checkpoint);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The learning rates.</summary>
    public Schedule Schedule { get; }

    /// <summary>Steps done.</summary>
    public int Step { get; private set; }

    /// <summary>The epochs done, the last perhaps a part of one.</summary>
    public ImmutableArray<EpochResult> Epochs { get; private set; } = [];

    /// <summary>Pictures trained on per second.</summary>
    public double ImagesPerSecond => pace.StepsPerSecond * options.Batch;

    /// <summary>The network as it is now; on average over the steps, where asked for.</summary>
    public Graph ToGraph() => average?.Show(trainable.ToGraph) ?? trainable.ToGraph();

    /// <summary>Does the steps that remain, or those until cancellation.</summary>
    public void Run(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        if (options.Batch / options.Threads < 2 && trainable.Function.Graph.Nodes.FirstOrDefault(node => node.Op is BatchNormalization && node.Shape.Product(2, node.Shape.Rank) == 1) is { } single)
            throw new PenjingException($"'{single.Name}' normalizes one pixel of each picture, so that each of {options.Threads} threads needs at least two pictures of a batch, not of {options.Batch}: take a larger batch or fewer threads");
        long written = Stopwatch.GetTimestamp();
        if (Step == 0) Begin();
        while (Step < Schedule.Steps && !cancellation.IsCancellationRequested)
        {
            pace.Step(Advance);
            progress?.Report(Progress());
            bool epochEnds = Step % batches.StepsPerEpoch == 0 || Step == Schedule.Steps;
            if (epochEnds)
            {
                EndEpoch();
                progress?.Report(Progress());
            }
            if (options.Checkpoint is { } path && (epochEnds || Stopwatch.GetElapsedTime(written) >= options.CheckpointEvery
                || (options.CheckpointEverySteps > 0 && Step % options.CheckpointEverySteps == 0)))
            {
                Save(path);
                written = Stopwatch.GetTimestamp();
            }
        }
        if (Step < Schedule.Steps && options.Checkpoint is { } last) Save(last);
        RequireFinite();
    }

    /// <summary>Throws where a number or statistic is no longer finite, as after a gradient that was not while the loss still was.</summary>
    private void RequireFinite()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        if (new[] { trainable.Numbers, trainable.Master.Statistics }.All(values => values.isfinite().all().item<bool>())) return;
        throw new PenjingException($"weights are no longer finite at step {Step} of {Schedule.Steps}: lower the learning rate ({options.LearningRate}), lengthen the warm-up, or bound the gradient's norm");
    }

    /// <summary>Estimates BatchNormalization's means and variances over training pictures drawn by the seed; see <see cref="BatchNormStatistics"/>.</summary>
    /// <exception cref="PenjingException">There are not two pictures.</exception>
    public void Estimate()
    {
        var order = new int[data.Train.Count];
        new Chance((ulong)options.Seed, EstimationStream, 0).Shuffle(order);
        int count = Math.Min(options.EstimateOver, order.Length), chunks = Math.Min(count / 2, Chunks(count, Estimation.Batch));
        if (count < 2) throw new PenjingException($"BatchNormalization's statistics can't be estimated over {count} training pictures: the data set '{data.Name}' must have at least two");
        var parts = new (int Pictures, float[] Statistics)[chunks];
        crew.Do(number =>
        {
            for (int chunk = number; chunk < chunks; chunk += options.Threads)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                using IDisposable mode = torch.no_grad();
                int from = (int)((long)chunk * count / chunks), end = (int)((chunk + 1L) * count / chunks);
                TorchTensor pictures = torch.empty(end - from, batches.PerPicture);
                for (int i = from; i < end; i++) batches.FillPlain(data.Train, order[i], order[i] + 1, pictures.Floats()[((i - from) * batches.PerPicture)..]);
                replicas[number].Estimate(Input(pictures));
                parts[chunk] = (end - from, Copy(replicas[number].Statistics));
            }
        });
        float[] merged = Estimation.Merge(trainable, parts);
        foreach (Replica replica in replicas) Put(merged, replica.Statistics);
    }

    /// <summary>How right the answers to pictures are.</summary>
    public Score Score(Split split)
    {
        int chunks = Chunks(split.Count, TestBatch);
        Confusion[] counts = [.. Enumerable.Range(0, options.Threads).Select(_ => new Confusion(data.Classes(trainable.Function.Graph)))];
        crew.Do(number =>
        {
            for (int chunk = number; chunk < chunks; chunk += options.Threads)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                using IDisposable mode = torch.inference_mode();
                int from = (int)((long)chunk * split.Count / chunks), end = (int)((chunk + 1L) * split.Count / chunks);
                TorchTensor pictures = torch.empty(end - from, batches.PerPicture);
                batches.FillPlain(split, from, end, pictures.Floats());
                TorchTensor answers = replicas[number].Logits(Input(pictures)).argmax(1);
                for (int i = from; i < end; i++)
                    if (split.HasMasks) counts[number].Add(batches.FittedMask(split, i), answers[i - from].to_type(torch.ScalarType.Byte).contiguous().data<byte>().ToArray());
                    else counts[number].Add(split.Labels[i], (int)answers[i - from].item<long>());
            }
        });
        foreach (Confusion other in counts.AsSpan(1)) counts[0].Add(other);
        return new(counts[0].Accuracy, split.HasMasks ? counts[0].MeanIoU : null);
    }

    /// <summary>Into how many parts pictures are divided so that none has more than so many, or, of large ones, more floats than fit well into memory.</summary>
    private int Chunks(int pictures, int most)
    {
        int part = Math.Clamp(MostFloats / batches.PerPicture, 2, most);
        return (pictures + part - 1) / part;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        crew.Dispose();
        descent.Dispose();
        average?.Dispose();
        distiller?.Dispose();
        objective.Dispose();
        trainable.Dispose();
    }

    private void Begin()
    {
        if (options.EstimateOver == 0) return;
        Estimate();
        average?.Begin();
    }

    private void Advance()
    {
        batches.Begin(Step);
        crew.Do(Share);
        Gather();
        double loss = 0;
        foreach ((double Loss, double Right) share in shares)
        {
            loss += share.Loss;
            right += share.Right;
        }
        if (!double.IsFinite(loss))
            throw new PenjingException($"the loss is no longer finite at step {Step + 1} of {Schedule.Steps}: lower the learning rate ({options.LearningRate}) or lengthen the warm-up");
        lossSum += loss * options.Batch;
        seen += options.Batch;
        descent.Step(replicas[0].Gradient, Schedule[Step]);
        Step++;
        average?.Follow(Step);
    }

    /// <summary>One thread's share of a step: forward and backward.</summary>
    private void Share(int number)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        int from = number * options.Batch / options.Threads, end = (number + 1) * options.Batch / options.Threads;
        TorchTensor pictures = torch.empty(end - from, batches.PerPicture), truths = torch.empty(batches.Truths(end - from), dtype: torch.ScalarType.Int64);
        batches.Fill(Step, from, end, pictures.Floats(), truths.Longs());
        Replica replica = replicas[number];
        replica.Gradient.zero_();
        TorchTensor input = Input(pictures);
        ulong seed = new Chance((ulong)options.Seed, DropoutStream, (ulong)Step * (ulong)options.Threads + (ulong)number).Next();
        (TorchTensor logits, TorchTensor[] features) = replica.Answer(input, Pass.Training, seed, options.BFloat16);
        TorchTensor loss = objective.Loss(logits, truths);
        if (distiller is not null) loss = distiller.Loss(input, logits, features, loss, options.BFloat16);
        loss = loss.Times((double)(end - from) / options.Batch);
        loss.backward();
        shares[number] = (loss.item<float>(), (end - from) * Right(logits, truths));
    }

    /// <summary>Sums the replicas' gradients into the first's, and averages their statistics, in their order.</summary>
    private void Gather()
    {
        if (replicas.Length == 1) return;
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        TorchTensor gradient = replicas[0].Gradient, statistics = replicas[0].Statistics;
        foreach (Replica replica in replicas.AsSpan(1))
        {
            gradient.Accumulate(replica.Gradient);
            statistics.Accumulate(replica.Statistics);
        }
        statistics.Scale(1.0 / replicas.Length);
        foreach (Replica replica in replicas.AsSpan(1)) replica.Statistics.copy_(statistics);
    }

    private void EndEpoch()
    {
        Score? score = null;
        int epoch = Epochs.Length + 1;
        bool measured = options.ValidateEvery > 0 && data.Test.Count > 0 && (epoch % options.ValidateEvery == 0 || Step == Schedule.Steps);
        if (measured) pace.Measure(() => score = average?.Show(() => Score(data.Test)) ?? Score(data.Test));
        Epochs = Epochs.Add(new(epoch, lossSum / seen, right / seen, score));
        (lossSum, right, seen) = (0, 0, 0);
    }

    private TrainingProgress Progress()
    {
        int all = (Schedule.Steps + batches.StepsPerEpoch - 1) / batches.StepsPerEpoch;
        int measurements = options.ValidateEvery == 0 || data.Test.Count == 0 ? 0 : Math.Max((all + options.ValidateEvery - 1) / options.ValidateEvery - Epochs.Length / options.ValidateEvery, 0);
        TimeSpan remaining = pace.Remaining(Schedule.Steps - Step, Step == Schedule.Steps && Epochs.Length == all ? 0 : measurements, (double)data.Test.Count / options.Batch);
        Score? score = Epochs.LastOrDefault(epoch => epoch.TestScore is not null).TestScore;
        bool between = seen == 0 && Epochs.Length > 0;
        (double loss, double accuracy) = between ? (Epochs[^1].Loss, Epochs[^1].TrainAccuracy) : (lossSum / Math.Max(1, seen), right / Math.Max(1, seen));
        return new(Epochs.Length + (between ? 0 : 1), all, Step, Schedule.Steps, loss, accuracy, score, Schedule[Math.Max(0, Step - 1)],
            pace.PerStep > 0 ? options.Batch / pace.PerStep : 0, remaining);
    }

    private TorchTensor Input(TorchTensor pictures) => pictures.AsPictures(trainable.Function.Graph.Inputs[0].Shape);

    /// <summary>The fraction of known truths that are answered right.</summary>
    private static double Right(TorchTensor logits, TorchTensor truths)
    {
        using IDisposable mode = torch.no_grad();
        return (double)logits.argmax(1).eq(truths).sum().item<long>() / Math.Max(1, truths.Is(Batches.Ignored).logical_not().sum().item<long>());
    }

    private void Save(string path)
    {
        RequireFinite();
        new Checkpoint(essence, Step, lossSum, right, seen, Epochs, Copy(trainable.Numbers), Copy(descent.Momentum), Copy(replicas[0].Statistics),
            average is null ? [] : Copy(average.Means[0]), average is null ? [] : Copy(average.Means[1])).Write(path);
    }

    private void Restore(string path)
    {
        Checkpoint checkpoint = Checkpoint.Read(path);
        checkpoint.Match(path, essence);
        checkpoint.Numbers.CopyTo(trainable.Numbers.Floats());
        checkpoint.Momentum.CopyTo(descent.Momentum.Floats());
        foreach (Replica replica in replicas) Put(checkpoint.Statistics, replica.Statistics);
        Put(checkpoint.MeanNumbers, average?.Means[0]);
        Put(checkpoint.MeanStatistics, average?.Means[1]);
        (Step, lossSum, right, seen, Epochs) = (checkpoint.Step, checkpoint.LossSum, checkpoint.Right, checkpoint.Seen, checkpoint.Epochs);
    }

    private static void Put(float[] values, TorchTensor? tensor)
    {
        if (values.Length > 0) values.CopyTo(tensor!.Floats());
    }

    private static float[] Copy(TorchTensor tensor) => tensor.NumberOfElements == 0 ? [] : tensor.Floats().ToArray();
}
