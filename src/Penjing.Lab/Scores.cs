using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What makes a channel important, by the names that recipes and the command line know.</summary>
public static class Scores
{
    /// <summary>The name of BatchNormalization's scale.</summary>
    public const string BatchNorm = "batchnorm";

    /// <summary>The names; the first is the usual one.</summary>
    public static ImmutableArray<string> Names { get; } = ["l1", "l2", "geometric-median", BatchNorm, "contribution", "taylor", "random"];

    /// <summary>The importance of a name; what it asks of data, it asks of the training pictures.</summary>
    /// <exception cref="PenjingException">There is none of this name.</exception>
    public static Importance Of(string name, Model model, DataSet data, int seed) => name switch
    {
        "taylor" => Importances.Taylor(graph => LossGradients.Of(graph, data, model.Preprocessing ?? data.Preprocessing, seed: seed)),
        _ => WithoutData(name, seed),
    };

    /// <summary>The importance of a name; in place of one that asks data, that of the weights, which cuts as many channels.</summary>
    /// <exception cref="PenjingException">There is none of this name.</exception>
    internal static Importance WithoutData(string name, int seed = 1) => name switch
    {
        "l1" or "taylor" => Importances.L1,
        "l2" => Importances.L2,
        "geometric-median" => Importances.GeometricMedian,
        BatchNorm => Importances.BatchNormScale,
        "contribution" => Importances.Contribution,
        "random" => Importances.Random(seed),
        _ => throw new PenjingException($"there is no score '{name}': give {string.Join(", ", Names)}"),
    };
}
