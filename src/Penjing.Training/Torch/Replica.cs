using System.Collections.Immutable;
using TorchSharp;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>What a pass through a network is for.</summary>
internal enum Pass
{
    /// <summary>Its answer: BatchNormalization by its statistics, no dropout.</summary>
    Inference,
    /// <summary>Its gradient: BatchNormalization over the batch, whose statistics follow; dropout.</summary>
    Training,
    /// <summary>Its statistics: BatchNormalization over the batch, whose statistics become the batch's; no dropout.</summary>
    Estimation,
}

/// <summary>What one thread needs to train a share of each batch: leaves over the common numbers, its own flat gradient, its own statistics.</summary>
internal sealed class Replica : IDisposable
{
    private const double Momentum = 0.1;

    private readonly GraphFunction function;
    private readonly ImmutableArray<WeightSlot> slots;
    private readonly TorchTensor[] leaves;
    private readonly Dictionary<Node, int> trained = [];
    private readonly Dictionary<Node, TorchTensor> buffers = [];
    private readonly Dictionary<Node, TorchTensor> fixedValues = [];
    private readonly torch.Generator generator;

    /// <summary>A replica of a graph.</summary>
    public Replica(TrainableGraph owner, ImmutableArray<Node> statistics, ImmutableDictionary<Node, int> offsets)
    {
        function = owner.Function;
        slots = owner.Slots;
        generator = new(0);
        using DisposeScope scope = torch.NewDisposeScope();
        Gradient = Kept(torch.zeros(owner.Numbers.NumberOfElements));
        Statistics = Kept(TorchTensors.Of([.. statistics.SelectMany(node => node.Value!.Floats.ToArray())]));
        leaves = new TorchTensor[slots.Length];
        for (int i = 0; i < slots.Length; i++)
        {
            leaves[i] = Kept(owner.Numbers.narrow(0, slots[i].Offset, slots[i].Count).view(slots[i].LeafShape).detach().requires_grad_(true));
            leaves[i].grad = Gradient.narrow(0, slots[i].Offset, slots[i].Count).view(slots[i].LeafShape);
            trained[slots[i].Node] = i;
        }
        foreach (Node node in statistics) buffers[node] = Kept(Statistics.narrow(0, offsets[node], node.Shape.Elements));
        foreach (Node node in function.Graph.Weights)
            if (!trained.ContainsKey(node) && !buffers.ContainsKey(node)) fixedValues[node] = Kept(node.Value!.ToTorch());
    }

    /// <summary>The gradient of all numbers; a backward pass adds to it.</summary>
    public TorchTensor Gradient { get; }

    /// <summary>All means and variances.</summary>
    public TorchTensor Statistics { get; }

    /// <summary>The graph's outputs.</summary>
    /// <param name="inputs">The inputs, of one batch size; pictures may lie channels-last in memory.</param>
    /// <param name="training">Batch statistics and dropout; else as at inference.</param>
    /// <param name="seed">What dropout follows from.</param>
    public TorchTensor[] Forward(ReadOnlySpan<TorchTensor> inputs, bool training, ulong seed = 0)
    {
        TorchTensor[] values = Evaluate(inputs, training ? Pass.Training : Pass.Inference, seed, mixed: false);
        return [.. function.Outputs.Select(index => values[index])];
    }

    /// <summary>The logits of the first output at inference, as <see cref="Answer"/> has them.</summary>
    public TorchTensor Logits(TorchTensor input) => Answer(input, Pass.Inference).Logits;

    /// <summary>The logits of the first output, batch × classes, or batch × classes × height × width where each pixel has an answer; and the values that are wanted besides.</summary>
    /// <param name="input">The pictures.</param>
    /// <param name="pass">What the answer is for.</param>
    /// <param name="seed">What dropout follows from.</param>
    /// <param name="mixed">Whether products and convolutions take what <see cref="TorchOps.Mixed"/> makes of their inputs.</param>
    public (TorchTensor Logits, TorchTensor[] Kept) Answer(TorchTensor input, Pass pass, ulong seed = 0, bool mixed = false)
    {
        TorchTensor[] values = Evaluate([input], pass, seed, mixed);
        TorchTensor logits = values[function.Logits].AsFloat32();
        return (logits.dim() == 4 && logits.shape[2] * logits.shape[3] > 1 ? logits : logits.flatten(1), [.. function.Kept.Select(index => values[index].AsFloat32())]);
    }

    /// <summary>Makes <see cref="Statistics"/> the means and unbiased variances of this batch, each layer normalized by the batch's.</summary>
    public void Estimate(TorchTensor input)
    {
        Statistics.zero_();
        Evaluate([input], Pass.Estimation, 0, mixed: false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TorchTensor tensor in leaves.Concat(buffers.Values).Concat(fixedValues.Values)) tensor.Dispose();
        Gradient.Dispose();
        Statistics.Dispose();
        generator.Dispose();
    }

    private static TorchTensor Kept(TorchTensor tensor) => tensor.DetachFromDisposeScope();

    private TorchTensor[] Evaluate(ReadOnlySpan<TorchTensor> inputs, Pass pass, ulong seed, bool mixed)
    {
        bool training = pass is Pass.Training, releases = !training && !torch.is_grad_enabled();
        if (training) generator.manual_seed((long)seed);
        var values = new TorchTensor[function.Steps.Length];
        for (int i = 0; i < inputs.Length; i++)
            values[function.Inputs[i]] = inputs[i].dim() == 4 && inputs[i].shape[1] > 1 && inputs[i].stride(1) != 1 ? inputs[i].ChannelsLast() : inputs[i];
        var arguments = new TorchTensor[8];
        for (int i = 0; i < values.Length; i++)
        {
            (Node node, ImmutableArray<int> from, bool inPlace, ImmutableArray<int> dead) = function.Steps[i];
            if (from.Length > arguments.Length) arguments = new TorchTensor[from.Length];
            for (int k = 0; k < from.Length; k++) arguments[k] = mixed ? TorchOps.Mixed(node, values[from[k]]) : values[from[k]];
            values[i] = node.Op switch
            {
                Input => values[i],
                Constant => trained.TryGetValue(node, out int slot) ? slots[slot].Value(leaves[slot]) : buffers.TryGetValue(node, out TorchTensor? buffer) ? buffer : fixedValues[node],
                BatchNormalization normalization => functional.batch_norm(arguments[0], arguments[3], arguments[4], arguments[1], arguments[2],
                    pass is not Pass.Inference, pass is Pass.Estimation ? 1 : Momentum, normalization.Epsilon),
                Dropout dropout => training && dropout.Ratio > 0 ? Dropped(arguments[0], dropout.Ratio) : arguments[0].alias(),
                _ => TorchOps.Evaluate(node, inPlace, arguments.AsSpan(0, from.Length)),
            };
            if (!releases) continue;
            for (int k = 0; k < from.Length; k++)
                if (!ReferenceEquals(arguments[k], values[from[k]])) arguments[k].Dispose();
            foreach (int index in dead)
                if (!ReferenceEquals(values[index], values[i])) values[index].Dispose();
        }
        return values;
    }

    private TorchTensor Dropped(TorchTensor x, float ratio) => (x * torch.rand(x.shape, generator: generator).IsBelow(ratio).logical_not()).Over(1 - ratio);
}
