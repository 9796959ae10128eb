using Penjing.Training;

namespace Penjing.Cli;

/// <summary>Picks test pictures that show what compression did to the answers; none where each pixel has one.</summary>
internal static class Samples
{
    /// <summary>One picture of each class, in the classes' order, for which both networks give the same answer; the truth may be another.</summary>
    public static Sample[] Agreeing(DataSet data, Evaluation before, Evaluation after, int most) =>
        [.. Enumerable.Range(0, before.Answers.Length).Where(index => before.Answers[index] == after.Answers[index])
            .DistinctBy(index => data.Test.Labels[index]).OrderBy(index => data.Test.Labels[index]).Take(most).Select(index => Make(data, before, after, index))];

    /// <summary>Pictures for which the answers differ, in turns: the compressed network is wrong where the first was right, the other way round, both are wrong.</summary>
    public static Sample[] Differing(DataSet data, Evaluation before, Evaluation after, int most)
    {
        ILookup<int, int> kinds = Enumerable.Range(0, before.Answers.Length).Where(index => before.Answers[index] != after.Answers[index])
            .ToLookup(index => before.Answers[index] == data.Test.Labels[index] ? 0 : after.Answers[index] == data.Test.Labels[index] ? 1 : 2);
        return [.. kinds.SelectMany(kind => kind.Select((index, turn) => (index, turn, kind.Key))).OrderBy(pick => pick.turn).ThenBy(pick => pick.Key)
            .Take(most).Select(pick => Make(data, before, after, pick.index))];
    }

    /// <summary>On how many test pictures the two networks give different answers.</summary>
    public static int Differences(Evaluation before, Evaluation after) => before.Answers.Zip(after.Answers).Count(pair => pair.First != pair.Second);

    private static Sample Make(DataSet data, Evaluation before, Evaluation after, int index) => new(
        Pictures.ToPng(data.Test.Picture(index)), data.Labels[data.Test.Labels[index]],
        new(data.Labels[before.Answers[index]], before.Confidences[index]), new(data.Labels[after.Answers[index]], after.Confidences[index]));
}
