using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>Memory wanted from step <paramref name="First"/> to step <paramref name="Last"/>, both included.</summary>
internal readonly record struct Block(long Bytes, int First, int Last)
{
    /// <summary>Whether both are wanted during some step.</summary>
    public bool Meets(Block other) => First <= other.Last && other.First <= Last;
}

/// <summary>
/// Where each block lies in one piece of memory, no two that meet overlapping: greedy in several orders, the largest or the longest-lived first, each
/// block into the tightest gap that its neighbours in time leave (Pisarchyk and Lee 2020). While the bound is missed, the block that ends last moves to
/// the front of the order.
/// </summary>
internal sealed record Arena(ImmutableArray<long> Offsets, long Bytes)
{
    private const int Attempts = 100;

    /// <summary>The smallest arena found for these blocks; offsets and size are multiples of 64 bytes.</summary>
    public static Arena Of(ReadOnlySpan<Block> blocks)
    {
        Block[] all = blocks.ToArray();
        long bound = Bound(all);
        IEnumerable<int> indices = Enumerable.Range(0, all.Length).OrderBy(i => all[i].First);
        Arena? best = null;
        foreach (Func<Block, double> weight in (Func<Block, double>[])[block => block.Bytes, block => Life(block) * (double)block.Bytes, block => Life(block), _ => 0])
        {
            int[] order = [.. indices.OrderByDescending(i => weight(all[i]))];
            for (int attempt = 0; attempt < Attempts && (best is null || best.Bytes > bound); attempt++)
            {
                Arena arena = Placed(all, order);
                if (best is null || arena.Bytes < best.Bytes) best = arena;
                int last = Array.FindIndex(order, i => arena.Offsets[i] + RoundUp(all[i].Bytes) == arena.Bytes);
                if (last <= 0) break;
                order = [order[last], .. order[..last], .. order[(last + 1)..]];
            }
        }
        return best!;

        static int Life(Block block) => block.Last - block.First + 1;
    }

    private static Arena Placed(Block[] all, int[] order)
    {
        var offsets = new long[all.Length];
        var placed = new List<int>();
        long bytes = 0;
        foreach (int block in order)
        {
            long size = RoundUp(all[block].Bytes), best = -1, tightest = long.MaxValue, end = 0;
            foreach (int other in placed.Where(other => all[other].Meets(all[block])).OrderBy(other => offsets[other]))
            {
                long gap = offsets[other] - end;
                if (gap >= size && gap < tightest) (best, tightest) = (end, gap);
                end = Math.Max(end, offsets[other] + RoundUp(all[other].Bytes));
            }
            offsets[block] = best >= 0 ? best : end;
            bytes = Math.Max(bytes, offsets[block] + size);
            placed.Add(block);
        }
        return new([.. offsets], bytes);
    }

    /// <summary>The most bytes that are wanted during one step: no arena can be smaller.</summary>
    public static long Bound(ReadOnlySpan<Block> blocks)
    {
        var changes = new SortedDictionary<int, long>();
        foreach (Block block in blocks)
        {
            changes[block.First] = changes.GetValueOrDefault(block.First) + RoundUp(block.Bytes);
            changes[block.Last + 1] = changes.GetValueOrDefault(block.Last + 1) - RoundUp(block.Bytes);
        }
        long live = 0, most = 0;
        foreach (long change in changes.Values) most = Math.Max(most, live += change);
        return most;
    }

    private static long RoundUp(long bytes) => (bytes + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;
}
