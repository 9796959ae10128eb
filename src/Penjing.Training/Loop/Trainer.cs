using System.Collections.Immutable;

namespace Penjing.Training;

/// <summary>Trains networks.</summary>
public static class Trainer
{
    /// <summary>Trains a network on a data set's training pictures. The same arguments give the same weights to the bit, resumed or not.</summary>
    /// <param name="model">The network; its preprocessing is used where it has one, else the data set's.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="options">How to train.</param>
    /// <param name="progress">Is told after every step and every measurement, on the caller's thread.</param>
    /// <param name="cancellation">Ends the training after a step: a checkpoint is written where asked for, and the network returned as it is then.</param>
    /// <exception cref="PenjingException">Options, network and data don't fit; the loss is no longer finite; a checkpoint is damaged, of another training, or can't be written.</exception>
    public static TrainingResult Train(Model model, DataSet data, TrainingOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        options.Check();
        if (model.Graph.Inputs.Length != 1) throw new PenjingException($"a network of one input can be trained, not one of {model.Graph.Inputs.Length}");
        Preprocessing preprocessing = model.Preprocessing ?? data.Preprocessing;
        if (data.Train.Count == 0) throw new PenjingException($"the data set '{data.Name}' ({data.Source}) has no training pictures");
        Model trained = model with { Preprocessing = preprocessing, Labels = model.Labels.IsEmpty ? data.Labels : model.Labels, Colors = model.Colors.IsEmpty ? data.Colors : model.Colors };
        using TrainingRun run = new(trained.Graph, data, new(data.Train, preprocessing, model.Graph.Inputs[0].Shape, options), options);
        run.Run(progress, cancellation);
        return new(trained with { Graph = run.ToGraph() }, run.Step, run.Schedule.Steps, run.Epochs, run.ImagesPerSecond);
    }

    /// <summary>How right a network's answers to a split's pictures are, computed by torch; a figure for the engine is measured on the engine.</summary>
    /// <exception cref="PenjingException">Network and data don't fit.</exception>
    public static Score Score(Model model, DataSet data, Split split, int threads = 1)
    {
        TrainingOptions options = new() { Threads = threads };
        Batches batches = new(split, model.Preprocessing ?? data.Preprocessing, model.Graph.Inputs[0].Shape, options);
        using TrainingRun run = new(model.Graph, data, batches, options);
        return run.Score(split);
    }
}
