using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// Stochastic gradient descent with momentum, weight decay, a bound on the gradient's length and the L1 norm of BatchNormalization's scales, on all numbers
/// at once. A codebook entry moves by the mean of its elements' gradients:
/// the step that free elements would take, projected onto the sharing.
/// </summary>
internal sealed class Sgd : IDisposable
{
    private readonly TrainingOptions options;
    private readonly TorchTensor numbers;
    private readonly TorchTensor? scale;
    private readonly TorchTensor? slimming;
    private readonly int decayed, kernels;

    /// <summary>The descent of a network's numbers.</summary>
    /// <exception cref="PenjingException">BatchNormalization's scales are to be driven to 0, but none is trained.</exception>
    public Sgd(TrainableGraph graph, TrainingOptions options)
    {
        this.options = options;
        numbers = graph.Numbers;
        kernels = graph.Decayed;
        decayed = options.DecayAll ? graph.Parameters : kernels;
        Momentum = torch.zeros_like(numbers).DetachFromDisposeScope();
        if (graph.Slots.Any(slot => slot.Members.Length > 0))
            scale = torch.tensor([.. graph.Slots.SelectMany(slot => slot.Initial.Select((_, i) => slot.Members.Length > 0 ? 1f / slot.Members[i] : 1f))]).DetachFromDisposeScope();
        if (options.GammaL1 > 0)
        {
            HashSet<Node> scales = [.. Trained.Scales(graph.Function.Graph)];
            if (!graph.Slots.Any(slot => scales.Contains(slot.Node)))
                throw new PenjingException("the network has no BatchNormalization whose scale is trained: the option GammaL1 has nothing to act on");
            slimming = TorchTensors.Of([.. graph.Slots.Where(slot => !slot.Decays)
                .SelectMany(slot => Enumerable.Repeat(scales.Contains(slot.Node) ? (float)options.GammaL1 : 0, slot.Count))]).DetachFromDisposeScope();
        }
    }

    /// <summary>The direction kept from step to step.</summary>
    public TorchTensor Momentum { get; }

    /// <summary>One step against the gradient, which is used up.</summary>
    public void Step(TorchTensor gradient, double rate)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        if (options.ClipNorm > 0 && gradient.norm().item<float>() is var norm && norm > options.ClipNorm) gradient.Scale(options.ClipNorm / norm);
        if (scale is not null) gradient.mul_(scale);
        if (slimming is not null) gradient.narrow(0, kernels, slimming.NumberOfElements).Accumulate(numbers.narrow(0, kernels, slimming.NumberOfElements).sign().mul_(slimming));
        if (options.WeightDecay > 0 && decayed > 0) gradient.narrow(0, 0, decayed).Accumulate(numbers.narrow(0, 0, decayed), options.WeightDecay);
        Momentum.Scale(options.Momentum).Accumulate(gradient);
        if (options.Nesterov) numbers.Accumulate(gradient.Accumulate(Momentum, options.Momentum), -rate);
        else numbers.Accumulate(Momentum, -rate);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Momentum.Dispose();
        scale?.Dispose();
        slimming?.Dispose();
    }
}
