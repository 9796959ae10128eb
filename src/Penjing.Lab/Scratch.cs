using Penjing.Models;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>
/// The honest baseline of a pruned network: the same architecture trained from scratch (Liu et al. 2019, Rethinking the Value of Network Pruning). Where it
/// does as well, the pruning found an architecture, and its weights were worth nothing.
/// </summary>
public static class Scratch
{
    /// <summary>
    /// The network with weights as before any training: kernels and matrices normal with variance 2 / fan-in (He et al. 2015), BatchNormalization the identity,
    /// biases zero. Other constants stay.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="seed">What the weights follow from.</param>
    public static Graph Fresh(Graph graph, int seed)
    {
        Initializer initializer = new(seed);
        Dictionary<Node, Tensor> fresh = [];
        foreach (Node node in graph.Nodes)
            for (int i = 1; i < node.Inputs.Length; i++)
                if (node.Inputs[i] is { Value: not null, Info.Type: ElementType.Float32 } weight && Fresh(node, i, initializer) is { } value) fresh.TryAdd(weight, value);
        return graph.Map((node, inputs) => fresh.TryGetValue(node, out Tensor? value) ? Node.Weight(node.Name, value) : node.With(inputs));
    }

    /// <summary>Trains the architecture of a network from scratch.</summary>
    /// <param name="model">The network, pruned as a rule; its weights don't matter.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">How it is trained: the pruned network's whole budget, that of its first training included, makes the comparison fair.</param>
    /// <param name="work">Where unfinished work is kept.</param>
    /// <param name="progress">Is told after every step of training.</param>
    /// <param name="cancellation">Ends the work after a step.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled; the folder holds what it takes to go on.</exception>
    /// <exception cref="PenjingException">Options, network and data don't fit, or the folder can't be written to.</exception>
    public static Model Train(
        Model model, DataSet data, TrainingOptions options, WorkFolder work, Action<RetrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        Retrainer.Train(model with { Graph = Fresh(model.Graph, options.Seed), History = [] }, data, options, work, progress, cancellation);

    private static Tensor? Fresh(Node node, int input, Initializer initializer)
    {
        Shape shape = node.Inputs[input].Shape;
        return (node.Op, input) switch
        {
            (Conv, 1) => Normal(shape.Elements / shape[0]),
            (ConvTranspose { Groups: var groups }, 1) => Normal(shape.Elements / (shape[1] * groups)),
            (Gemm { TransposeB: var transposed }, 1) => Normal(shape[transposed ? 1 : 0]),
            (MatMul, 1) => Normal(shape[shape.Rank - 2]),
            (BatchNormalization, 1 or 4) => Filled(1),
            (BatchNormalization, 2 or 3) or (Conv or ConvTranspose or Gemm, 2) => Filled(0),
            (PRelu, 1) => Filled(0.25f),
            _ => null,
        };

        Tensor Filled(float value) => Tensor.Build<float>(shape, values => values.Fill(value));

        Tensor Normal(int fan) => initializer.Normal(shape, fan);
    }
}
