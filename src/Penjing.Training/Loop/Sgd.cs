using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// Stochastic gradient descent with momentum and weight decay, on all numbers at once. A codebook entry moves by the mean of its elements' gradients:
/// the step that free elements would take, projected onto the sharing.
/// </summary>
internal sealed class Sgd : IDisposable
{
    private readonly TrainingOptions options;
    private readonly TorchTensor numbers;
    private readonly TorchTensor? scale;
    private readonly int decayed;

    /// <summary>The descent of a network's numbers.</summary>
    public Sgd(TrainableGraph graph, TrainingOptions options)
    {
        this.options = options;
        numbers = graph.Numbers;
        decayed = options.DecayAll ? graph.Parameters : graph.Decayed;
        Momentum = torch.zeros_like(numbers).DetachFromDisposeScope();
        if (graph.Slots.Any(slot => slot.Members.Length > 0))
            scale = torch.tensor([.. graph.Slots.SelectMany(slot => slot.Initial.Select((_, i) => slot.Members.Length > 0 ? 1f / slot.Members[i] : 1f))]).DetachFromDisposeScope();
    }

    /// <summary>The direction kept from step to step.</summary>
    public TorchTensor Momentum { get; }

    /// <summary>One step against the gradient, which is used up.</summary>
    public void Step(TorchTensor gradient, double rate)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        if (scale is not null) gradient.mul_(scale);
        if (options.WeightDecay > 0 && decayed > 0) gradient.narrow(0, 0, decayed).add_(numbers.narrow(0, 0, decayed), options.WeightDecay);
        Momentum.mul_(options.Momentum).add_(gradient);
        if (options.Nesterov) numbers.add_(gradient.add_(Momentum, options.Momentum), -rate);
        else numbers.add_(Momentum, -rate);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Momentum.Dispose();
        scale?.Dispose();
    }
}
