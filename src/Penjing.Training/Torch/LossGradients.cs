using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>The gradients of a trained network's loss, for importances of first order.</summary>
public static class LossGradients
{
    /// <summary>
    /// The gradients by each trained weight, by its name: of the mean cross entropy of each of some batches of training pictures, drawn by the seed and not varied.
    /// BatchNormalizations are as at inference. Computed one batch after the other, as they are asked for.
    /// </summary>
    /// <exception cref="PenjingException">The network can't be trained, or there are no training pictures.</exception>
    public static IEnumerable<IReadOnlyDictionary<string, Tensor>> Of(Graph graph, DataSet data, Preprocessing preprocessing, int batches = 16, int batch = 64, int seed = 1)
    {
        if (data.Train.Count == 0) throw new PenjingException($"the data set '{data.Name}' ({data.Source}) has no training pictures");
        return Each(graph, data, new(data.Train, preprocessing, graph.Inputs[0].Shape, new() { Batch = batch, Seed = seed }), batches, batch);
    }

    private static IEnumerable<IReadOnlyDictionary<string, Tensor>> Each(Graph graph, DataSet data, Batches source, int batches, int batch)
    {
        using TrainableGraph trainable = new(graph);
        using Objective objective = new(data, new(), data.Classes(graph));
        for (int step = 0; step < batches; step++) yield return Batch(trainable, objective, source, step, batch);
    }

    private static Dictionary<string, Tensor> Batch(TrainableGraph trainable, Objective objective, Batches source, int step, int batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Replica replica = trainable.Master;
        Shape input = trainable.Function.Graph.Inputs[0].Shape;
        TorchTensor pictures = torch.empty(batch, source.PerPicture), truths = torch.empty(source.Truths(batch), dtype: torch.ScalarType.Int64);
        source.Begin(step);
        source.Fill(step, 0, batch, pictures.Floats(), truths.Longs());
        replica.Gradient.zero_();
        TorchTensor logits = replica.Logits(pictures.AsPictures(input));
        objective.Loss(logits, truths).backward();
        float[] gradient = replica.Gradient.Floats().ToArray();
        return trainable.Slots.ToDictionary(slot => slot.Node.Name, slot => Tensor.Of<float>(slot.Node.Shape, gradient.AsSpan(slot.Offset, slot.Count)));
    }
}
