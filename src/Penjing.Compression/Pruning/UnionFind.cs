namespace Penjing.Compression;

/// <summary>Disjoint sets of integers from 0 on (Tarjan 1975, with path halving); the smallest member stands for a set.</summary>
internal sealed class UnionFind
{
    private readonly List<int> parents = [];

    /// <summary>How many integers there are.</summary>
    public int Count => parents.Count;

    /// <summary>A new integer, in a set of its own.</summary>
    public int Add()
    {
        parents.Add(parents.Count);
        return parents.Count - 1;
    }

    /// <summary>The integer that stands for the set.</summary>
    public int Find(int item)
    {
        while (parents[item] != item) item = parents[item] = parents[parents[item]];
        return item;
    }

    /// <summary>Makes one set of two.</summary>
    public void Union(int left, int right)
    {
        int a = Find(left), b = Find(right);
        if (a < b) parents[b] = a;
        else parents[a] = b;
    }
}
