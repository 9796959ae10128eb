using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// Makes a plan of a graph: fuses what kernels compute in one step, finds the values that lie within others, picks a kernel for each node that
/// is left, and places all values in the arena.
/// </summary>
internal sealed class Lower
{
    private readonly Selection selection;
    private readonly Views views;
    private readonly Action<Site>? made;
    private readonly List<Draft> drafts = [];
    private readonly List<Value> values = [];
    private readonly Dictionary<Node, int> indices = [];

    private Lower(Graph graph, Selection selection, Action<Site>? made)
    {
        (this.selection, this.made) = (selection, made);
        views = new(graph, selection);
    }

    /// <summary>A value's lifetime while it is still being found.</summary>
    private sealed record Value(string Name, long Bytes, int First)
    {
        /// <summary>The last step that reads it.</summary>
        public int Last { get; set; } = First;
    }

    /// <summary>The plan of a graph that has gone through <see cref="Passes.ForInference"/>.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="options">How the session runs.</param>
    /// <param name="made">Told the site of every kernel of the table that will be made, in order.</param>
    /// <exception cref="PenjingException">The options name a kernel that doesn't exist.</exception>
    public static Plan Of(Graph graph, SessionOptions options, Action<Site>? made = null)
    {
        Selection selection = new(options);
        graph = FusionPasses.Apply(graph, selection);
        Lower lower = new(graph, selection, made);
        foreach (Node input in graph.Inputs)
            lower.Add("Input", input, () => Reorder.In(input.Info), [Spot.Outside], lower.At(input));
        foreach (Node node in graph.Nodes)
            if (node.Op is not (Input or Constant) && !lower.views.IsFree(node)) lower.Place(node);
        var outputs = ImmutableArray.CreateBuilder<PlannedOutput>(graph.Outputs.Length);
        foreach (Node output in graph.Outputs) outputs.Add(output.Value is { } constant ? new(-1, constant) : new(lower.Deliver(output, graph), null));
        return lower.Finish(outputs.MoveToImmutable());
    }

    /// <summary>
    /// Lets a step write an output to the caller's memory, and tells which: the one that makes it, where nothing else touches its memory and it lies there as the caller's does; else a copy.
    /// </summary>
    private int Deliver(Node output, Graph graph)
    {
        Spot spot = At(output);
        int[] makers = [.. Enumerable.Range(0, drafts.Count).Where(draft => drafts[draft].Output.Value == spot.Value)];
        bool alone = graph.Outputs.Count(other => other.Value is null && views[other].Root == views[output].Root) == 1 && drafts.All(draft => draft.Inputs.All(input => input.Value != spot.Value));
        if (alone && makers is [var maker] && drafts[maker] is { Op: not "Input", Output: var made } && made == spot && IsWhole(spot) && Layout.IsCopy(Layout.Outward(output.Shape, views[output].Pitch)))
        {
            drafts[maker] = drafts[maker] with { Output = Spot.Outside };
            values[spot.Value] = values[spot.Value] with { Bytes = 0 };
            return maker;
        }
        Add("Output", output, () => Reorder.Out(output.Info, views[output].Pitch), [spot], Spot.Outside);
        return drafts.Count - 1;
    }

    private void Place(Node node)
    {
        Site site = views.SiteOf(node);
        if (node.Op is Concat && views.Copied(node) is var copied && copied.Contains(false))
        {
            Add(node.Op.Name, node, () => Assemble.Of(site, copied), [.. node.Inputs.Select((input, i) => copied[i] ? At(input) : Spot.Outside)], At(node));
            return;
        }
        KernelRow row = selection.Taken(site) ?? throw new InvalidOperationException($"no kernel computes '{node.Name}' where its values lie");
        made?.Invoke(site);
        Add(node.Op.Name, node, () => row.Create(site), [.. node.Inputs.Select(At)], At(node), row.Name);
    }

    /// <summary>Adds a step, and lets what it touches live until then.</summary>
    private void Add(string op, Node node, Func<Kernel> create, ImmutableArray<Spot> inputs, Spot output, string? row = null)
    {
        foreach (Spot spot in inputs.Append(output))
            if (spot.Value >= 0) values[spot.Value].Last = drafts.Count;
        drafts.Add(new(node, op, inputs, output, row, create));
    }

    /// <summary>Where a value lies; its memory is wanted from the first step on that asks.</summary>
    private Spot At(Node node)
    {
        if (node.Value is not null) return Spot.Outside;
        (Node root, long offset, _) = views[node];
        if (!indices.TryGetValue(root, out int index))
        {
            indices.Add(root, index = values.Count);
            values.Add(new(root.Name, views.Bytes(root), drafts.Count));
        }
        return new(index, offset * node.Info.Type.Size(), views.Bytes(node));
    }

    private Plan Finish(ImmutableArray<PlannedOutput> outputs)
    {
        PlannedStep[] steps = Draft.Make(drafts, selection.Threads);
        int[] blockOf = Overlay(steps);
        var blocks = new List<Block>();
        var index = new Dictionary<int, int>();
        for (int value = 0; value < values.Count; value++)
        {
            if (values[value].Bytes == 0) continue;
            Block own = new(values[value].Bytes, values[value].First, values[value].Last);
            if (index.TryAdd(blockOf[value], blocks.Count)) blocks.Add(own);
            else blocks[index[blockOf[value]]] = blocks[index[blockOf[value]]] with { Last = own.Last };
        }
        int firstScratch = blocks.Count;
        int[] scratch = [.. steps.Select((step, i) => step.Info.ScratchBytes > 0 ? i : -1).Where(i => i >= 0)];
        foreach (int step in scratch) blocks.Add(new(steps[step].Info.ScratchBytes, step, step));

        Block[] all = [.. blocks];
        Arena arena = Arena.Of(all);
        var offsets = Enumerable.Repeat(-1L, steps.Length).ToArray();
        for (int i = 0; i < scratch.Length; i++) offsets[scratch[i]] = arena.Offsets[firstScratch + i];
        return new(
            [.. steps],
            [.. values.Select((value, i) => new Placement(value.Name, value.Bytes == 0 ? 0 : arena.Offsets[index[blockOf[i]]], new(value.Bytes, value.First, value.Last)))],
            [.. offsets], arena.Bytes, Arena.Bound(all), outputs);
    }

    /// <summary>For each value the first of those whose memory it takes over, in the end itself.</summary>
    private int[] Overlay(PlannedStep[] steps)
    {
        int[] blockOf = [.. Enumerable.Range(0, values.Count)];
        for (int step = 0; step < steps.Length; step++)
        {
            (PlannedStep planned, Spot output) = (steps[step], steps[step].Output);
            if (!IsWhole(output) || values[output.Value].First != step) continue;
            for (int i = 0; i < planned.Inputs.Length; i++)
            {
                Spot input = planned.Inputs[i];
                if (!IsWhole(input) || values[input.Value].Last != step || values[input.Value].Bytes != values[output.Value].Bytes) continue;
                bool free = Enumerable.Range(0, planned.Inputs.Length).All(other => planned.Inputs[other].Value != input.Value || planned.Kernel.Overwrites(other));
                if (!free) continue;
                blockOf[output.Value] = blockOf[input.Value];
                break;
            }
        }
        return blockOf;
    }

    private bool IsWhole(Spot spot) => spot.Value >= 0 && spot.Bytes == values[spot.Value].Bytes;
}
