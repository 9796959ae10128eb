namespace Penjing.Training;

/// <summary>How often each class was answered as each class, and what follows from it. Adding is not for several threads at once.</summary>
/// <param name="classes">How many classes there are.</param>
public sealed class Confusion(int classes)
{
    private readonly long[] counts = new long[(long)classes * classes];

    /// <summary>How many classes there are.</summary>
    public int Classes => classes;

    /// <summary>How often a class was answered as another, or as itself.</summary>
    public long this[int truth, int answer] => counts[truth * classes + answer];

    /// <summary>The fraction of answers that are right; 0 where there is none.</summary>
    public double Accuracy => Ratio(Enumerable.Range(0, classes).Sum(label => this[label, label]), counts.Sum());

    /// <summary>The mean of <see cref="IoU"/> over the classes that are there or were answered; 0 where there is none.</summary>
    public double MeanIoU => Enumerable.Range(0, classes).Select(IoU).Average() ?? 0;

    /// <summary>Counts one answer.</summary>
    public void Add(int truth, int answer) => counts[truth * classes + answer]++;

    /// <summary>Counts a picture's answers, pixel by pixel; those whose truth is <see cref="Split.Unlabelled"/> don't count.</summary>
    /// <exception cref="ShapeException">There are not as many truths as answers.</exception>
    public void Add(ReadOnlySpan<byte> truths, ReadOnlySpan<byte> answers)
    {
        if (truths.Length != answers.Length) throw new ShapeException($"{truths.Length} truths can't be held against {answers.Length} answers");
        for (int i = 0; i < truths.Length; i++)
            if (truths[i] != Split.Unlabelled) counts[truths[i] * classes + answers[i]]++;
    }

    /// <summary>Counts all that another has counted.</summary>
    public void Add(Confusion other)
    {
        for (int i = 0; i < counts.Length; i++) counts[i] += other.counts[i];
    }

    /// <summary>How often a class is the truth.</summary>
    public long Truths(int label) => Enumerable.Range(0, classes).Sum(answer => this[label, answer]);

    /// <summary>How often a class is answered.</summary>
    public long Answers(int label) => Enumerable.Range(0, classes).Sum(truth => this[truth, label]);

    /// <summary>Intersection over union: of all that is of a class or was answered so, the fraction that is both; null where there is neither.</summary>
    public double? IoU(int label) => Truths(label) + Answers(label) - this[label, label] is > 0 and var union ? Ratio(this[label, label], union) : null;

    private static double Ratio(long part, long whole) => whole > 0 ? (double)part / whole : 0;
}
