using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>Where a value lies: in which node's memory, how many elements from its beginning, and with how many elements from pixel to pixel.</summary>
/// <param name="Root">The node whose value has memory of its own.</param>
/// <param name="Offset">Elements before the value's first one.</param>
/// <param name="Pitch">Elements from pixel to pixel where it has rank 4; else 0.</param>
internal readonly record struct Place(Node Root, long Offset, int Pitch);

/// <summary>
/// Where values lie. Which lie within others, so that nothing is copied: what only renames its input's elements, slices within what they are cut from,
/// and the parts of a concatenation within it. A value goes into another only where the kernels of all that write or read it can do with the
/// pitch that it has there, at no more than the copy's cost. Pixels of many channels have a gap between them, for the caches' sake.
/// </summary>
internal sealed class Views
{
    private const int Crowded = 256, Gap = 16;

    private readonly Selection selection;
    private readonly HashSet<Node> apart = [];
    private readonly Dictionary<Node, (Node Base, int Axis, int First)> within = [];
    private readonly Dictionary<Node, List<Node>> parts = [];
    private readonly ILookup<Node, Node> readers;

    /// <summary>The views of a graph under a selection of kernels.</summary>
    public Views(Graph graph, Selection selection)
    {
        this.selection = selection;
        readers = graph.Consumers();
        foreach (Node node in graph.Nodes)
            if (node.Inputs is [{ Value: null } input, ..] && Layout.Moves(node) is []) Put(node, input, 0, 0);
        if (selection.OnlyReference) return;
        foreach (Node node in graph.Nodes)
            if (node.Op is Slice { Step: 1 } slice) Try(node, node.Inputs[0], slice.Axis, slice.Range(node.Inputs[0].Shape[slice.Axis]).First);
        // The outer ones first: the parts of the inner ones then have their final pitch.
        foreach (Node node in graph.Nodes.Reverse())
        {
            if (node.Op is not Concat concat) continue;
            int first = 0;
            foreach (Node input in node.Inputs)
            {
                Try(Source(input), node, concat.Axis, first);
                first += input.Shape[concat.Axis];
            }
        }
        foreach (Node node in graph.Nodes) TryApart(node);
    }

    /// <summary>Where a node's value lies.</summary>
    public Place this[Node node]
    {
        get
        {
            if (!within.TryGetValue(node, out (Node Base, int Axis, int First) view)) return new(node, 0, Site.Pitch(node.Shape) + (apart.Contains(node) ? Gap : 0));
            Place place = this[view.Base];
            long inner = Layout.Inner(view.Base.Shape, view.Axis);
            int pixels = node.Shape.Rank == 4 ? node.Shape.Elements / Math.Max(1, node.Shape[1]) : 0;
            bool pitched = place.Pitch > 0 && pixels > 1 && (node.Shape[1] == view.Base.Shape[1] || Layout.Moves(node) is not []);
            int stride = place.Pitch > 0 && Layout.Axis(view.Base.Shape, view.Axis) != 1 ? place.Pitch : 1;
            return new(place.Root, place.Offset + view.First * inner * stride, pitched ? place.Pitch : Site.Pitch(node.Shape));
        }
    }

    /// <summary>Bytes of a value: all of its pixels, with what lies between them if it has memory of its own.</summary>
    public long Bytes(Node node) => ((long)node.Shape.Elements + (apart.Contains(node) ? node.Shape.Elements / node.Shape[1] * (long)Gap : 0)) * node.Info.Type.Size();

    /// <summary>The site of a node, with the pitches that its values have.</summary>
    public Site SiteOf(Node node) => new(node, selection.Isa, [.. node.Inputs.Select(input => input.Value is null ? this[input].Pitch : Site.Pitch(input.Shape))], this[node].Pitch)
    {
        Seats = selection.Threads,
    };

    /// <summary>Whether the node's value is there as soon as those that it is of: no step makes it.</summary>
    public bool IsFree(Node node) => node.Op is Concat ? Copied(node).All(copied => !copied) : within.TryGetValue(node, out (Node Base, int, int) view) && node.Inputs.Contains(view.Base);

    /// <summary>For each input of a concatenation whether it must be copied, as it doesn't lie there.</summary>
    public ImmutableArray<bool> Copied(Node concat)
    {
        var copied = ImmutableArray.CreateBuilder<bool>(concat.Inputs.Length);
        int axis = ((Concat)concat.Op).Axis, first = 0;
        foreach (Node input in concat.Inputs)
        {
            copied.Add(input.Value is not null || !within.TryGetValue(Source(input), out (Node Base, int, int First) view) || view.Base != concat || view.First != first);
            first += input.Shape[axis];
        }
        return copied.ToImmutable();
    }

    /// <summary>The value that a chain of renamings is of.</summary>
    private Node Source(Node node)
    {
        while (within.TryGetValue(node, out (Node Base, int, int) view) && Layout.Moves(node) is []) node = view.Base;
        return node;
    }

    private void Put(Node node, Node whole, int axis, int first)
    {
        within.Add(node, (whole, axis, first));
        if (!parts.TryGetValue(whole, out List<Node>? others)) parts.Add(whole, others = []);
        others.Add(node);
    }

    /// <summary>Puts a value into another where that is no loss.</summary>
    private void Try(Node node, Node whole, int axis, int first)
    {
        if (node.Value is not null || whole.Value is not null || node.Op is Input || within.ContainsKey(node) || node.Shape.Elements == 0) return;
        if (!Layout.IsSegment(whole.Shape, axis)) return;
        Node[] all = [.. Family(node)];
        Node[] concerned = [.. all.SelectMany(member => readers[member].Prepend(member)).Distinct()];
        double before = concerned.Sum(Cost);
        Put(node, whole, axis, first);
        if (concerned.All(Fits) && concerned.Sum(Cost) <= before + Selection.Moving(2L * node.Shape.Elements)) return;
        within.Remove(node);
        parts[whole].RemoveAt(parts[whole].Count - 1);
    }

    /// <summary>
    /// Moves a value's pixels apart where the same channel of many of them would share a few sets of the caches, if all that write or read it can
    /// do with that.
    /// </summary>
    private void TryApart(Node node)
    {
        if (node.Value is not null || node.Op is Input || within.ContainsKey(node) || node.Shape.Rank != 4 || node.Shape.Elements == 0) return;
        if (node.Shape[1] % Crowded != 0 || node.Shape.Elements == node.Shape[1]) return;
        apart.Add(node);
        if (!Family(node).SelectMany(member => readers[member].Prepend(member)).All(Fits)) apart.Remove(node);
    }

    /// <summary>A value and all that lie within it.</summary>
    private IEnumerable<Node> Family(Node node) => parts.TryGetValue(node, out List<Node>? inner) ? inner.SelectMany(Family).Prepend(node) : [node];

    /// <summary>Whether there is a way to compute the node where its values lie.</summary>
    private bool Fits(Node node)
    {
        if (node.Op is Input || (node.Op is Slice or Concat && IsFree(node))) return true;
        if (node.Op is Concat) return Assemble.Fits(SiteOf(node));
        if (!IsFree(node)) return selection.Takes(SiteOf(node));
        // What only renames needs its input's elements side by side, unless the pixels stay what they are.
        Node input = node.Inputs[0];
        return this[input].Pitch == Site.Pitch(input.Shape) || (input.Shape.Rank == 4 && node.Shape.Rank == 4 && input.Shape[1] == node.Shape[1]);
    }

    private double Cost(Node node) => node.Op is Input || IsFree(node) || node.Op is Concat ? 0 : selection.Cost(SiteOf(node)) is var cost && double.IsFinite(cost) ? cost : 0;
}
