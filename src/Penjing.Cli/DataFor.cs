using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>A data set for a network, its pictures fitted to the network's input.</summary>
internal static class DataFor
{
    /// <summary>The data set that a network is to be measured on.</summary>
    /// <exception cref="PenjingException">There is none, or it doesn't fit the network; the message says why.</exception>
    public static DataSet Measuring(Model model, string source, Screen screen, CancellationToken stop)
    {
        DataSet set = Opened(model, source, screen, stop);
        Check(model, set, screen);
        if (Differ(model, set)) screen.Note($"the network's classes ({Some(model.Labels)}) are not called as those of '{set.Name}' ({Some(set.Labels)}): they are taken for the same by their numbers");
        return set;
    }

    /// <summary>The same, with training pictures by which a network is measured, too.</summary>
    /// <exception cref="PenjingException">There is none, or it doesn't fit the network; the message says why.</exception>
    public static DataSet Calibrating(Model model, string source, Screen screen, CancellationToken stop) => WithTraining(Measuring(model, source, screen, stop));

    /// <summary>The data set that a network is to be trained on, and the network with what the data set says of its classes, and of its input where the network doesn't.</summary>
    /// <param name="model">The network.</param>
    /// <param name="source">The data set's name or folder.</param>
    /// <param name="screen">Is told what can mislead.</param>
    /// <param name="stop">Ends the opening.</param>
    /// <param name="head">The seed of a new last layer for the data set's classes; null to keep the network's.</param>
    /// <exception cref="PenjingException">There is none, or it doesn't fit the network, or this can't be trained; the message says why.</exception>
    public static (Model Model, DataSet Data) Training(Model model, string source, Screen screen, CancellationToken stop, int? head = null)
    {
        TrainableGraph.Check(model.Graph);
        DataSet set = WithTraining(Opened(model, source, screen, stop));
        if (head is { } seed) model = Head.Replace(model, set.Labels.Length, seed);
        Check(model, set, screen);
        bool renamed = Differ(model, set);
        if (renamed) screen.Note($"the network's classes ({Some(model.Labels)}) get the names of '{set.Name}' ({Some(set.Labels)}), by their numbers");
        return (model with
        {
            Preprocessing = model.Preprocessing ?? set.Preprocessing,
            Labels = renamed || model.Labels.IsEmpty ? set.Labels : model.Labels,
            Colors = model.Colors.IsEmpty ? set.Colors : model.Colors,
        }, set);
    }

    /// <summary>The same data set.</summary>
    /// <exception cref="PenjingException">It has no training pictures.</exception>
    public static DataSet WithTraining(DataSet data)
    {
        if (data.Train.Count == 0)
            throw new PenjingException($"the data set '{data.Name}' ({data.Source}) has no training pictures: add them, or give another data set");
        Evaluation.RequirePictures(data);
        return data;
    }

    private static DataSet Opened(Model model, string source, Screen screen, CancellationToken stop)
    {
        Size? size = model.Graph.Inputs is [{ Shape: { Rank: 4 } shape }] ? new Size(shape[2], shape[3]) : null;
        return DataSets.Open(source, size, model.Preprocessing, screen.Note, stop);
    }

    private static void Check(Model model, DataSet set, Screen screen)
    {
        Evaluation.Check(model, set);
        if (model.Preprocessing is null)
            screen.Note($"the network doesn't say how a picture becomes its input; '{set.Name}' makes it by {PictureRule.Words(set.Preprocessing)} (convert --preprocessing says it once and for all)");
    }

    /// <summary>Whether the network's classes have other names than the data set's, where both have any: numbers are none.</summary>
    private static bool Differ(Model model, DataSet data) =>
        !model.Labels.IsEmpty && !model.Labels.SequenceEqual(data.Labels) && !data.Labels.All(name => name.All(char.IsAsciiDigit));

    private static string Some(ImmutableArray<string> names) => string.Join(", ", names.Take(3)) + (names.Length > 3 ? ", …" : "");
}
