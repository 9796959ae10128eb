using System.Collections.Immutable;
using System.Numerics;

namespace Penjing.Compression;

/// <summary>
/// Groups of channels that grouped convolutions tie together: each of these convolutions must lose equally many channels from each of its groups. A cell
/// holds those that stand at the same places of all these convolutions, so that they may take each other's place.
/// </summary>
internal sealed class Balance
{
    private static readonly double[] steps = [0, 0.5, 1];

    private readonly ImmutableArray<Cell> cells;

    // Of each tie: where its parts begin among all places; one more at the end.
    private readonly ImmutableArray<int> starts;

    // What one channel of each cell makes of squared imbalance by itself.
    private readonly ImmutableArray<double> weights;

    private Balance(ImmutableArray<Cell> cells, ImmutableArray<int> starts)
    {
        this.cells = cells;
        this.starts = starts;
        weights = [.. cells.Select(Weight)];
    }

    /// <summary>All tied groups.</summary>
    public IEnumerable<int> Members => cells.SelectMany(cell => cell.Members);

    /// <summary>Every set of tied groups; where no cut keeps the balance, its groups are marked as staying.</summary>
    /// <param name="ties">What a grouped convolution reads or yields, in so many groups.</param>
    /// <param name="stays">Which groups must stay; more are added.</param>
    public static ImmutableArray<Balance> Of(ImmutableArray<(ImmutableArray<int> Channels, int Groups)> ties, bool[] stays)
    {
        ImmutableArray<int> starts = [0, .. ties.Select((_, tie) => ties.Take(tie + 1).Sum(each => each.Groups))];
        // A signature counts, for each place (a group of a convolution), how often a group of channels stands there.
        var signatures = new SortedDictionary<int, SortedDictionary<int, int>>();
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
                if (!signatures.TryGetValue(group, out SortedDictionary<int, int>? signature)) signatures.Add(group, signature = []);
                int place = starts[tie] + position / (channels.Length / parts);
                signature[place] = signature.GetValueOrDefault(place) + 1;
            }
        }
        List<Balance> balances = [];
        foreach (IGrouping<int, int> component in signatures.Keys.GroupBy(connected.Find))
        {
            ImmutableArray<Cell> cells = [.. component.GroupBy(group => string.Join(';', signatures[group]))
                .Select(cell => new Cell([.. cell], [.. signatures[cell.First()].Select(place => (place.Key, place.Value))]))];
            HashSet<int> touched = [.. cells.SelectMany(cell => cell.Places).Select(place => place.Place)];
            int[] own = [.. Enumerable.Range(0, ties.Length).Where(tie => touched.Overlaps(Enumerable.Range(starts[tie], ties[tie].Groups)))];
            Balance balance = Compact(cells, own, starts);
            if (balance.Bundles(new double[stays.Length]).Any()) balances.Add(balance);
            else
                foreach (int group in component) stays[group] = true;
        }
        return [.. balances];
    }

    /// <summary>
    /// Sets of groups that keep the balance when they go together: each begins with the least important channel that is left, and takes one channel after the
    /// other from where most are lacking. Where that leads too far, a set that was found before is taken again, from other channels of the same cells.
    /// </summary>
    public IEnumerable<ImmutableArray<int>> Bundles(IReadOnlyList<double> importance)
    {
        Queue[] queues = [.. cells.Select(cell => new Queue([.. cell.Members.OrderBy(group => importance[group]).ThenBy(group => group)]))];
        List<int[]> patterns = [];
        bool known = false;
        bool[] stuck = new bool[cells.Length];
        while (true)
        {
            int first = -1;
            for (int cell = 0; cell < cells.Length; cell++)
            {
                if (!stuck[cell] && queues[cell].Left > 0 && (first < 0 || importance[queues[cell].Peek(0)] < importance[queues[first].Peek(0)])) first = cell;
            }
            if (first < 0) yield break;
            if (Grow(first, queues, importance) is { } grown)
            {
                if (!patterns.Exists(pattern => pattern.AsSpan().SequenceEqual(grown))) patterns.Add(grown);
                yield return Take(grown, queues);
            }
            else if (Known().Where(pattern => pattern[first] > 0 && Fits(pattern, queues)).MinBy(pattern => pattern.Sum()) is { } pattern)
                yield return Take(pattern, queues);
            else stuck[first] = true;
        }

        List<int[]> Known()
        {
            if (!known && Proportions() is { } proportions) patterns.AddRange([.. Rays(), proportions]);
            known = true;
            return patterns;
        }
    }

    private static bool Fits(int[] pattern, Queue[] queues) => !pattern.Where((count, cell) => count > queues[cell].Left).Any();

    private static ImmutableArray<int> Take(int[] pattern, Queue[] queues) => [.. pattern.SelectMany((count, cell) => queues[cell].Take(count))];

    /// <summary>The smallest set that takes the same fraction of every cell; null where it isn't balanced, because some of the channels must stay.</summary>
    private int[]? Proportions()
    {
        int divisor = cells.Aggregate(0, (divisor, cell) => (int)BigInteger.GreatestCommonDivisor(divisor, cell.Members.Length));
        int[] gone = new int[starts[^1]];
        foreach (Cell cell in cells)
        {
            foreach ((int place, int count) in cell.Places) gone[place] += count * cell.Members.Length / divisor;
        }
        return Spread(gone, new double[gone.Length]) ? [.. cells.Select(cell => cell.Members.Length / divisor)] : null;
    }

    /// <summary>The same with the places of these ties only.</summary>
    private static Balance Compact(ImmutableArray<Cell> cells, int[] ties, ImmutableArray<int> starts)
    {
        Dictionary<int, int> renumbered = [];
        List<int> begins = [0];
        foreach (int tie in ties)
        {
            for (int place = starts[tie]; place < starts[tie + 1]; place++) renumbered.Add(place, renumbered.Count);
            begins.Add(renumbered.Count);
        }
        return new([.. cells.Select(cell => cell with { Places = [.. cell.Places.Select(place => (renumbered[place.Place], place.Count))] })], [.. begins]);
    }

    /// <summary>Small balanced sets that make up the whole, if that is balanced.</summary>
    private ImmutableArray<int[]> Rays()
    {
        List<double[]> equations = [];
        for (int tie = 0; tie + 1 < starts.Length; tie++)
        {
            for (int place = starts[tie] + 1; place < starts[tie + 1]; place++)
                equations.Add([.. cells.Select(cell => (double)cell.At(place) - cell.At(starts[tie]))]);
        }
        return Decomposition.Of([.. equations], [.. cells.Select(cell => cell.Members.Length)]);
    }

    /// <summary>How many of each cell make a balanced set that begins in a cell; null where none is found that is small.</summary>
    private int[]? Grow(int first, Queue[] queues, IReadOnlyList<double> importance) =>
        steps.Select(step => Grow(first, step, queues, importance)).FirstOrDefault(grown => grown is not null);

    private int[]? Grow(int first, double step, Queue[] queues, IReadOnlyList<double> importance)
    {
        int[] taken = new int[cells.Length], gone = new int[starts[^1]];
        double[] means = new double[gone.Length];
        int most = Math.Max(2 * starts.Zip(starts.Skip(1), (from, to) => to - from).Max(), cells.Sum(cell => cell.Members.Length) / 8);
        for (int cell = first, size = 0; cell >= 0 && size < most; cell = Lacking(step), size++)
        {
            taken[cell]++;
            foreach ((int place, int count) in cells[cell].Places) gone[place] += count;
            if (Spread(gone, means)) return taken;
        }
        return null;

        // The cell whose next channel lessens the squared imbalance most, as seen after a step of this length; −1 where none does.
        int Lacking(double step)
        {
            int best = -1;
            double least = double.PositiveInfinity;
            for (int cell = 0; cell < cells.Length; cell++)
            {
                if (queues[cell].Left <= taken[cell]) continue;
                double slope = 0;
                foreach ((int place, int count) in cells[cell].Places) slope += count * (gone[place] - means[place]);
                if (slope > -1e-9) continue;
                slope += step * weights[cell];
                bool better = slope < least - 1e-9
                    || slope < least + 1e-9 && importance[queues[cell].Peek(taken[cell])] < importance[queues[best].Peek(taken[best])];
                if (better) (best, least) = (cell, slope);
            }
            return best;
        }
    }

    private double Weight(Cell cell)
    {
        double weight = 0;
        for (int tie = 0; tie + 1 < starts.Length; tie++)
        {
            int[] counts = [.. cell.Places.Where(place => place.Place >= starts[tie] && place.Place < starts[tie + 1]).Select(place => place.Count)];
            weight += counts.Sum(count => count * count) - (double)counts.Sum() * counts.Sum() / (starts[tie + 1] - starts[tie]);
        }
        return weight;
    }

    /// <summary>Whether every tie has lost equally many in each of its parts; sets each place's mean over its tie.</summary>
    private bool Spread(int[] gone, double[] means)
    {
        bool even = true;
        for (int tie = 0; tie + 1 < starts.Length; tie++)
        {
            ReadOnlySpan<int> parts = gone.AsSpan(starts[tie]..starts[tie + 1]);
            even &= !parts.ContainsAnyExcept(parts[0]);
            int sum = 0;
            foreach (int part in parts) sum += part;
            means.AsSpan(starts[tie]..starts[tie + 1]).Fill((double)sum / parts.Length);
        }
        return even;
    }

    /// <summary>Groups that may take each other's place, and where they stand.</summary>
    private sealed record Cell(ImmutableArray<int> Members, ImmutableArray<(int Place, int Count)> Places)
    {
        /// <summary>How often each member stands at a place.</summary>
        public int At(int place) => Places.FirstOrDefault(entry => entry.Place == place).Count;
    }

    /// <summary>The members of a cell that are left, least important first.</summary>
    private sealed class Queue(ImmutableArray<int> members)
    {
        private int gone;

        public int Left => members.Length - gone;

        public int Peek(int ahead) => members[gone + ahead];

        public ImmutableArray<int> Take(int count) => members[gone..(gone += count)];
    }
}
