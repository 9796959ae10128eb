using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Which families stand in the same place of the same topology (Fang et al. 2024, isomorphic pruning): the operations that yield, carry and read their channels,
/// and how these follow one another, whatever their sizes. Told apart by colour refinement (Weisfeiler and Leman 1968).
/// </summary>
internal static class Isomorphism
{
    /// <summary>The class of each family, by the family's number.</summary>
    public static IReadOnlyDictionary<int, int> Classes(ChannelGroups groups)
    {
        Dictionary<(int Family, Node Node), Role> roles = [];
        foreach (Node node in groups.Graph.Nodes)
        {
            foreach (int family in Families(groups, node)) roles[(family, node)] = Role.Has;
            foreach (int family in node.Inputs.SelectMany(input => Families(groups, input)).Distinct())
                roles[(family, node)] = roles.GetValueOrDefault((family, node)) | Role.Reads;
        }
        (int Family, Node Node)[] places = [.. roles.Keys];
        Dictionary<(int, Node), int> numbers = places.Select((place, number) => (place, number)).ToDictionary(entry => entry.place, entry => entry.number);
        List<int>[] before = [.. places.Select(_ => new List<int>())], behind = [.. places.Select(_ => new List<int>())];
        foreach ((int place, (int family, Node node)) in places.Index())
            foreach (Node input in node.Inputs)
            {
                if (!numbers.TryGetValue((family, input), out int source) || !roles[(family, input)].HasFlag(Role.Has)) continue;
                before[place].Add(source);
                behind[source].Add(place);
            }
        (int[] colours, int count) = Numbered([.. places.Select(place => $"{Kind(place.Node)} {roles[place]}")]);
        for (int last = 0; count > last;)
        {
            last = count;
            (colours, count) = Numbered([.. places.Select((_, i) => $"{colours[i]}<{Sorted(before[i], colours)}>{Sorted(behind[i], colours)}")]);
        }
        return places.Index().ToLookup(entry => entry.Item.Family, entry => entry.Index)
            .GroupBy(family => Sorted(family, colours)).Index()
            .SelectMany(same => same.Item.Select(family => (family.Key, same.Index))).ToDictionary(entry => entry.Key, entry => entry.Index);
    }

    private static IEnumerable<int> Families(ChannelGroups groups, Node node) => groups.Channels(node).Select(groups.Family).Distinct();

    private static string Sorted(IEnumerable<int> places, int[] colours) => string.Join(',', places.Select(place => colours[place]).Order());

    private static (int[] Colours, int Count) Numbered(ImmutableArray<string> labels)
    {
        Dictionary<string, int> known = [];
        int[] colours = [.. labels.Select(label => known.TryGetValue(label, out int colour) ? colour : known[label] = known.Count)];
        return (colours, known.Count);
    }

    private static string Kind(Node node) => Mixer.Of(node) is { } mixer ? $"{node.Op.Name}{(mixer.Carries ? " by channels" : mixer.Grouped ? " in groups" : "")}"
        : node.Op is Elementwise ? nameof(Elementwise) : node.Op.Name;

    [Flags]
    private enum Role
    {
        Has = 1,
        Reads = 2,
    }
}
