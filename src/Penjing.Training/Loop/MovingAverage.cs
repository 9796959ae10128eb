using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>The exponential moving average of a network's numbers and statistics over the steps of its training (Polyak and Juditsky 1992).</summary>
internal sealed class MovingAverage : IDisposable
{
    private readonly TorchTensor[] values;
    private readonly Replica[] replicas;
    private readonly double decay;

    /// <summary>An average that begins with the network as it is; see <see cref="TrainingOptions.Average"/> for its decay.</summary>
    public MovingAverage(TrainableGraph graph, Replica[] replicas, double decay)
    {
        this.replicas = replicas;
        this.decay = decay;
        values = [graph.Numbers, replicas[0].Statistics];
        Means = [.. values.Select(value => value.clone().DetachFromDisposeScope())];
    }

    /// <summary>The average of the numbers, and that of the statistics.</summary>
    public TorchTensor[] Means { get; }

    /// <summary>Begins anew with the network as it is.</summary>
    public void Begin()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        foreach ((TorchTensor mean, TorchTensor value) in Means.Zip(values)) mean.copy_(value);
    }

    /// <summary>Takes the network in after a step, counted from 1.</summary>
    public void Follow(int step)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double kept = Math.Min(decay, (step + 1.0) / (step + 10.0));
        foreach ((TorchTensor mean, TorchTensor value) in Means.Zip(values)) mean.Scale(kept).Accumulate(value, 1 - kept);
    }

    /// <summary>Does something with the network as it is on average, in all replicas, and puts it back, to the bit.</summary>
    public T Show<T>(Func<T> action)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        TorchTensor[] kept = [.. values.Select(value => value.clone())];
        Put(Means);
        try
        {
            return action();
        }
        finally
        {
            Put(kept);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TorchTensor mean in Means) mean.Dispose();
    }

    private void Put(TorchTensor[] network)
    {
        values[0].copy_(network[0]);
        foreach (Replica replica in replicas) replica.Statistics.copy_(network[1]);
    }
}
