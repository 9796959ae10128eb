using Penjing.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>How right the answers about one class of pixels are.</summary>
/// <param name="Name">The class.</param>
/// <param name="Share">The fraction of all pixels that are of it.</param>
/// <param name="IoU">Intersection over union; null where it is neither there nor answered.</param>
/// <param name="Precision">Of the pixels answered so, the fraction that are of it; null where there is none.</param>
/// <param name="Recall">Of its pixels, the fraction answered so; null where there is none.</param>
/// <param name="Answers">How many of its pixels were answered as each class.</param>
internal sealed record ClassScore(string Name, double Share, double? IoU, double? Precision, double? Recall, long[] Answers)
{
    /// <summary>The score of one class.</summary>
    public static ClassScore Of(string name, int label, Confusion confusion)
    {
        long right = confusion[label, label], all = Enumerable.Range(0, confusion.Classes).Sum(confusion.Truths);
        return new(name, Ratio(confusion.Truths(label), all) ?? 0, confusion.IoU(label), Ratio(right, confusion.Answers(label)), Ratio(right, confusion.Truths(label)),
            [.. Enumerable.Range(0, confusion.Classes).Select(answer => confusion[label, answer])]);

        static double? Ratio(long part, long whole) => whole > 0 ? (double)part / whole : null;
    }

    /// <summary>All classes as a table.</summary>
    public static IRenderable Table(IEnumerable<ClassScore> classes)
    {
        Table table = Screen.Table("Class", ">IoU", ">Precision", ">Recall", ">Of the pixels");
        foreach (ClassScore one in classes) table.AddRow(one.Name, Percent(one.IoU), Percent(one.Precision), Percent(one.Recall), Percent(one.Share));
        return table;

        static string Percent(double? fraction) => fraction is { } known ? Quantity.Percent(known) : "";
    }
}
