using System.Collections.Immutable;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>BatchNormalization after surgery: what its layers read has changed, but not the means and variances they keep of it.</summary>
public static class BatchNormStatistics
{
    /// <summary>
    /// The network with all of BatchNormalization's means and variances estimated anew, without gradients, over training pictures drawn by the seed, not
    /// augmented. Each layer is normalized by its batch's statistics, as in training; what is kept are the mean and the unbiased variance over all batches.
    /// </summary>
    /// <param name="model">The network; nothing else of it changes.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="pictures">How many training pictures, at least 2; all where there are no more.</param>
    /// <param name="threads">Threads to use; the result doesn't depend on them.</param>
    /// <param name="seed">What the choice of pictures follows from.</param>
    /// <exception cref="PenjingException">Network and data don't fit, or there are not two pictures.</exception>
    public static Model Estimate(Model model, DataSet data, int pictures = 2048, int threads = 1, int seed = 1)
    {
        TrainingOptions options = new() { Threads = threads, Batch = Math.Max(threads, 128), EstimateOver = pictures, Seed = seed };
        options.Check();
        Batches batches = new(data.Train, model.Preprocessing ?? data.Preprocessing, model.Graph.Inputs[0].Shape, options);
        using TrainingRun run = new(model.Graph, data, batches, options);
        run.Estimate();
        return model with { Graph = run.ToGraph() };
    }

    /// <summary>
    /// The network with means and variances of some BatchNormalizations measured over training pictures, and their scales and biases such that its answers stay what they are: where
    /// weights were taken from a network whose normalizations are folded away, training, which normalizes each batch, goes on from that network's answers.
    /// </summary>
    /// <param name="model">The network.</param>
    /// <param name="normalizations">The nodes, by their names.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="pictures">How many training pictures; all where there are no more.</param>
    /// <param name="seed">What the choice of pictures follows from.</param>
    /// <exception cref="PenjingException">Network and data don't fit, or there are no training pictures.</exception>
    public static Model Renormalize(Model model, ImmutableArray<string> normalizations, DataSet data, int pictures = 32, int seed = 1)
    {
        const int Chunk = 4;
        Split split = data.Train.Sample(pictures, seed);
        if (split.Count == 0) throw new PenjingException($"the data set '{data.Name}' ({data.Source}) has no training pictures");
        ImmutableArray<Node> nodes = [.. normalizations.Select(name => model.Graph[name])];
        Shape input = model.Graph.Inputs[0].Shape;
        Batches batches = new(split, model.Preprocessing ?? data.Preprocessing, input, new());
        using TrainableGraph trainable = new(model.Graph, null, [.. nodes.Select(node => node.Inputs[0])]);
        double[][] means = [.. nodes.Select(node => new double[node.Shape[1]])], squares = [.. nodes.Select(node => new double[node.Shape[1]])];
        for (int from = 0; from < split.Count; from += Chunk)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using IDisposable mode = torch.inference_mode();
            int count = Math.Min(Chunk, split.Count - from);
            TorchTensor seen = torch.empty(count, batches.PerPicture);
            batches.FillPlain(split, from, from + count, seen.Floats());
            TorchTensor[] values = trainable.Master.Answer(seen.AsPictures(input), Pass.Inference).Kept;
            foreach ((int i, TorchTensor value) in values.Index())
            {
                Add(means[i], value.mean([0, 2, 3]), (double)count / split.Count);
                Add(squares[i], value.Power(2).mean([0, 2, 3]), (double)count / split.Count);
            }
        }
        Dictionary<Node, Tensor> changed = [];
        foreach ((int i, Node node) in nodes.Index())
        {
            float[][] old = [.. node.Inputs.Skip(1).Select(vector => vector.Value!.Floats.ToArray())];
            float[][] now = [.. old.Select(vector => vector.ToArray())];
            float epsilon = ((BatchNormalization)node.Op).Epsilon;
            for (int c = 0; c < means[i].Length; c++)
            {
                double gain = old[0][c] / Math.Sqrt(old[3][c] + epsilon), variance = Math.Max(0, squares[i][c] - means[i][c] * means[i][c]);
                now[0][c] = (float)(gain * Math.Sqrt(variance + epsilon));
                now[1][c] = (float)(old[1][c] + gain * (means[i][c] - old[2][c]));
                (now[2][c], now[3][c]) = ((float)means[i][c], (float)variance);
            }
            foreach ((Node vector, float[] values) in node.Inputs.Skip(1).Zip(now)) changed[vector] = Tensor.Of<float>(vector.Shape, values);
        }
        return model with { Graph = model.Graph.Map((node, inputs) => changed.TryGetValue(node, out Tensor? value) ? Node.Weight(node.Name, value) : node.With(inputs)) };

        static void Add(double[] sums, TorchTensor part, double weight)
        {
            ReadOnlySpan<float> values = part.contiguous().Floats();
            for (int i = 0; i < sums.Length; i++) sums[i] += weight * values[i];
        }
    }
}
