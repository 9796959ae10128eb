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
}
