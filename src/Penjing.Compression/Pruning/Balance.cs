using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Groups that grouped convolutions tie together, in cells: the groups of one cell stand at the same places of all these convolutions, so that as many
/// of each cell may be cut and every convolution keeps equally many channels per group.
/// </summary>
internal sealed record Balance(ImmutableArray<ImmutableArray<int>> Cells)
{
    /// <summary>The cells of every set of tied groups; where no such cells exist, its groups are marked as staying.</summary>
    /// <param name="ties">What a grouped convolution reads or yields, in so many groups.</param>
    /// <param name="stays">Which groups must stay; more are added.</param>
    public static ImmutableArray<Balance> Of(ImmutableArray<(ImmutableArray<int> Channels, int Groups)> ties, bool[] stays)
    {
        // A signature counts, for each place (tie, group of the convolution), how often a group of channels stands there.
        var signatures = new SortedDictionary<int, SortedDictionary<(int Tie, int Part), int>>();
        UnionFind connected = new();
        for (int i = 0; i < stays.Length; i++) connected.Add();
        for (int tie = 0; tie < ties.Length; tie++)
        {
            (ImmutableArray<int> channels, int parts) = ties[tie];
            int first = channels.FirstOrDefault(group => !stays[group], -1);
            for (int position = 0; position < channels.Length; position++)
            {
                int group = channels[position];
                if (stays[group]) continue;
                connected.Union(first, group);
                if (!signatures.TryGetValue(group, out SortedDictionary<(int, int), int>? signature)) signatures.Add(group, signature = []);
                (int, int) place = (tie, position / (channels.Length / parts));
                signature[place] = signature.GetValueOrDefault(place) + 1;
            }
        }
        List<Balance> balances = [];
        foreach (IGrouping<int, int> component in signatures.Keys.GroupBy(connected.Find))
        {
            IGrouping<string, int>[] cells = [.. component.GroupBy(group => string.Join(';', signatures[group]))];
            if (Even(cells.Select(cell => signatures[cell.First()]), ties)) balances.Add(new([.. cells.Select(cell => cell.ToImmutableArray())]));
            else
                foreach (int group in component) stays[group] = true;
        }
        return [.. balances];
    }

    /// <summary>One group of each cell, the least important ones together; the first bundle is the least important.</summary>
    public IEnumerable<ImmutableArray<int>> Bundles(IReadOnlyList<double> importance)
    {
        int[][] sorted = [.. Cells.Select(cell => cell.OrderBy(group => importance[group]).ThenBy(group => group).ToArray())];
        return Enumerable.Range(0, sorted.Min(cell => cell.Length)).Select(i => sorted.Select(cell => cell[i]).ToImmutableArray());
    }

    /// <summary>Whether one group out of each cell takes equally many channels from every group of every convolution.</summary>
    private static bool Even(IEnumerable<SortedDictionary<(int Tie, int Part), int>> cells, ImmutableArray<(ImmutableArray<int> Channels, int Groups)> ties)
    {
        ILookup<int, (int Part, int Count)> places = cells.SelectMany(cell => cell).GroupBy(place => place.Key, place => place.Value)
            .ToLookup(place => place.Key.Tie, place => (place.Key.Part, place.Sum()));
        return places.All(tie => tie.Count() == ties[tie.Key].Groups && tie.All(place => place.Count == tie.First().Count));
    }
}
