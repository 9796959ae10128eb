using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Training;

/// <summary>A value of the student that is drawn to one of the teacher: <see cref="Weight"/> × the mean of their squared differences is added to the loss.</summary>
/// <param name="Student">The name of the student's node.</param>
/// <param name="Teacher">The name of the teacher's node, whose shape is the same but for the batch.</param>
/// <param name="Weight">How much it counts.</param>
public sealed record FeaturePair(string Student, string Teacher, double Weight = 1);

/// <summary>
/// Knowledge distillation (Hinton et al. 2015): a network learns from the answers of a teacher besides the labels. With T the temperature, the loss is
/// (1 − Soft) × the cross-entropy of the labels + Soft × T² × the Kullback–Leibler divergence of softmax(student / T) from softmax(teacher / T), and, of each
/// pair of <see cref="Features"/>, what their difference adds (Romero et al. 2015).
/// </summary>
/// <param name="Teacher">A trained network of the same pictures and classes: the one before pruning, or a larger one; their means and deviations may differ. It is evaluated as at inference and stays as it is.</param>
public sealed record Distillation(Model Teacher)
{
    /// <summary>What logits are divided by: the higher, the more the improbable classes tell.</summary>
    public double Temperature { get; init; } = 4;

    /// <summary>The weight of the teacher's answers, 0 to 1; the labels have the rest.</summary>
    public double Soft { get; init; } = 0.5;

    /// <summary>Values inside that are drawn to the teacher's.</summary>
    public ImmutableArray<FeaturePair> Features { get; init; } = [];

    /// <summary>Throws unless all values make sense.</summary>
    /// <exception cref="PenjingException">One doesn't; the message names it.</exception>
    internal void Check()
    {
        Require(Temperature is > 0 and < 1e6, nameof(Temperature), Temperature);
        Require(Soft is >= 0 and <= 1, nameof(Soft), Soft);
        foreach (FeaturePair pair in Features) Require(pair.Weight is >= 0 and < 1e9, $"a weight of '{pair.Student}' of", pair.Weight);

        static void Require(bool condition, string name, double value)
        {
            if (!condition) throw new PenjingException(string.Create(CultureInfo.InvariantCulture, $"distillation can't have {name} {value}"));
        }
    }

    /// <summary>All that changes the result.</summary>
    internal string Essence() => string.Create(CultureInfo.InvariantCulture,
        $"teacher {Checkpoint.Fingerprint(Teacher.Graph)}{Means}, temperature {Temperature}, soft {Soft}{string.Concat(Features.Select(pair => string.Create(CultureInfo.InvariantCulture, $", {pair.Student} to {pair.Teacher} by {pair.Weight}")))}");

    private string Means => Teacher.Preprocessing is { } own ? string.Create(CultureInfo.InvariantCulture, $" of {string.Join(' ', own.Mean)} and {string.Join(' ', own.Deviation)}") : "";
}
