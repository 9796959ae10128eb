using System.Collections.Immutable;

namespace Penjing;

/// <summary>Reorderings of one axis that are written as a split of it, a transposition of the parts, and a merge.</summary>
internal static class Shuffles
{
    /// <summary>Axes of channels are no longer than this; a longer order would cost more than it tells.</summary>
    private const int MostChannels = 1 << 16;

    /// <summary>Reshape, Transpose, Reshape => Gather, where all that they do is to reorder one axis.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers)
    {
        if (node is not { Op: Reshape, Inputs: [{ Op: Transpose turn, Inputs: [{ Op: Reshape, Inputs: [{ } x] } split] } turned] }) return null;
        if (node.Shape != x.Shape || x.Shape.Elements == 0) return null;
        ImmutableArray<int> order = turn.Permutation.Items;
        int first = 0, last = order.Length - 1;
        while (first <= last && order[first] == first) first++;
        while (last >= first && order[last] == last) last--;
        if (first > last) return null;
        int before = split.Shape.Product(0, first), parts = split.Shape.Product(first, last + 1);
        if (parts > MostChannels) return null;
        for (int axis = 0; axis < x.Shape.Rank; axis++)
        {
            if (x.Shape[axis] == parts && x.Shape.Product(0, axis) == before)
                return new(node.Name, new Gather(axis, new([.. Sources(split, turned, order, first, last)])), x);
        }
        return null;
    }

    /// <summary>Which element of the axis, as split, comes at each place after the transposition of its parts.</summary>
    private static int[] Sources(Node split, Node turned, ImmutableArray<int> order, int first, int last)
    {
        int[] sources = new int[split.Shape.Product(first, last + 1)];
        for (int place = 0; place < sources.Length; place++)
        {
            for (int axis = last, rest = place; axis >= first; rest /= turned.Shape[axis--])
                sources[place] += rest % turned.Shape[axis] * split.Shape.Product(order[axis] + 1, last + 1);
        }
        return sources;
    }
}
