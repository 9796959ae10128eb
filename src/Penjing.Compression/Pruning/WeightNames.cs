namespace Penjing.Compression;

/// <summary>Makes changed weights for a graph under edit: a weight that several layers share and each changes in its own way gets names of its own.</summary>
internal sealed class WeightNames(Graph graph)
{
    private readonly HashSet<string> taken = [.. graph.Nodes.Select(node => node.Name)];
    private readonly Dictionary<string, List<Node>> made = [];

    /// <summary>The node of a changed weight: it keeps the old one's name where that is free.</summary>
    public Node Weight(Node old, Tensor value)
    {
        if (!made.TryGetValue(old.Name, out List<Node>? versions)) made.Add(old.Name, versions = []);
        if (versions.Find(version => version.Value!.BitsEqual(value)) is { } same) return same;
        bool stays = versions.Count > 0 || graph.Nodes.Count(node => node.Inputs.Contains(old)) > 1;
        Node node = Node.Weight(stays ? Fresh(old.Name) : old.Name, value);
        versions.Add(node);
        return node;
    }

    /// <summary>A name that no node bears: the given one or, where it is taken, with a number behind it.</summary>
    public string Fresh(string name)
    {
        string free = name;
        for (int number = 2; !taken.Add(free); number++) free = $"{name}.{number}";
        return free;
    }
}
