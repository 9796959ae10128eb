using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>The channels of a value: the axis they lie along, and the identity of each in its order; an identity may stand several times.</summary>
internal sealed record Lane(int Axis, ImmutableArray<int> Ids)
{
    /// <summary>How many channels there are.</summary>
    public int Count => Ids.Length;

    /// <summary>The positions of the channels that are not doomed.</summary>
    public ImmutableArray<int> Kept(IReadOnlySet<int> doomed) => [.. Enumerable.Range(0, Count).Where(position => !doomed.Contains(Ids[position]))];

    /// <summary>
    /// The lane after its value of shape <paramref name="from"/> is read, in the same order, as one of shape <paramref name="to"/>:
    /// channels merged with axes behind them repeat, and channels that repeat in equal runs may part again. Null where no axis of the result holds channels.
    /// </summary>
    public Lane? Refold(Shape from, Shape to)
    {
        int before = from.Product(0, Axis), prefix = 1;
        for (int axis = 0; axis < to.Rank && prefix <= before; prefix *= to[axis++])
        {
            if (prefix != before || to[axis] <= 1) continue;
            int extent = to[axis];
            if (extent % Count == 0) return new(axis, [.. Ids.SelectMany(id => Enumerable.Repeat(id, extent / Count))]);
            if (Count % extent != 0) return null;
            int run = Count / extent;
            if (Ids.Where((id, position) => id != Ids[position / run * run]).Any()) return null;
            return new(axis, [.. Enumerable.Range(0, extent).Select(i => Ids[i * run])]);
        }
        return null;
    }
}
