using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// Makes a plan of a graph: picks the first kernel that fits each node, finds the nodes that are but views of their input, and places all
/// values in the arena.
/// </summary>
internal sealed class Lower
{
    private readonly Isa isa;
    private readonly KernelRow? forced;
    private readonly List<PlannedStep> steps = [];
    private readonly List<Value> values = [];
    private readonly Dictionary<Node, int> places = [];

    private Lower(SessionOptions options)
    {
        isa = options.Isa ?? Isas.Best;
        if (options.Kernel is not { } name) return;
        forced = KernelTable.Rows.FirstOrDefault(row => row.Name == name)
            ?? throw new PenjingException($"there is no kernel '{name}'; the kernels are {string.Join(", ", KernelTable.Rows.Select(row => row.Name))}");
    }

    /// <summary>A value's lifetime while it is still being found.</summary>
    private sealed record Value(string Name, long Bytes, int First)
    {
        /// <summary>The last step that reads it.</summary>
        public int Last { get; set; } = First;
    }

    /// <summary>The plan of a graph that has gone through <see cref="Passes.ForInference"/>.</summary>
    /// <exception cref="PenjingException">The options name a kernel that doesn't exist.</exception>
    public static Plan Of(Graph graph, SessionOptions options)
    {
        Lower lower = new(options);
        try
        {
            foreach (Node input in graph.Inputs)
                lower.Add("Input", input, Reorder.In(input.Info), [-1], lower.Define(input));
            foreach (Node node in graph.Nodes)
                if (node.Op is not (Input or Constant)) lower.Place(node);
            foreach (Node output in graph.Outputs.Where(output => output.Value is null))
                lower.Add("Output", output, Reorder.Out(output.Info), [lower.Use(output)], -1);
            return lower.Finish([.. graph.Outputs.Select(output => output.Value)]);
        }
        catch
        {
            foreach (PlannedStep step in lower.steps) step.Kernel.Dispose();
            throw;
        }
    }

    private void Place(Node node)
    {
        if (Layout.Moves(node) is [] && node.Inputs[0].Value is null)
        {
            places[node] = places[node.Inputs[0]];
            return;
        }
        Kernel kernel = Choose(node);
        ImmutableArray<int> inputs = [.. node.Inputs.Select(Use)];
        Add(node.Op.Name, node, kernel, inputs, Define(node));
    }

    private Kernel Choose(Node node)
    {
        // Kernels expect something to compute from at each run; what depends on no input they needn't understand.
        if (node.Inputs.All(input => input.Value is not null)) return new ReferenceKernel(node);
        Site site = new(node, isa);
        KernelRow row = forced is not null && forced.Fits(site) ? forced : KernelTable.Choose(site);
        return row.Create(site);
    }

    private void Add(string op, Node node, Kernel kernel, ImmutableArray<int> inputs, int output)
    {
        long bytes = (long)node.Shape.Elements * node.Info.Type.Size(), macs = op == node.Op.Name ? Cost.Macs(node) : 0;
        steps.Add(new(new(node.Name, op, kernel.Label, kernel is ReferenceKernel, macs, bytes, kernel.ScratchBytes), kernel, inputs, output));
    }

    private int Define(Node node)
    {
        places[node] = values.Count;
        values.Add(new(node.Name, (long)node.Shape.Elements * node.Info.Type.Size(), steps.Count));
        return places[node];
    }

    private int Use(Node node)
    {
        if (node.Value is not null) return -1;
        values[places[node]].Last = steps.Count;
        return places[node];
    }

    private Plan Finish(ImmutableArray<Tensor?> constants)
    {
        int[] blockOf = Overlay();
        var blocks = new List<Block>();
        var index = new Dictionary<int, int>();
        for (int value = 0; value < values.Count; value++)
        {
            Block own = new(values[value].Bytes, values[value].First, values[value].Last);
            if (index.TryAdd(blockOf[value], blocks.Count)) blocks.Add(own);
            else blocks[index[blockOf[value]]] = blocks[index[blockOf[value]]] with { Last = own.Last };
        }
        int firstScratch = blocks.Count;
        int[] scratch = [.. steps.Select((step, i) => step.Info.ScratchBytes > 0 ? i : -1).Where(i => i >= 0)];
        foreach (int step in scratch) blocks.Add(new(steps[step].Info.ScratchBytes, step, step));

        Block[] all = [.. blocks];
        Arena arena = Arena.Of(all);
        var offsets = Enumerable.Repeat(-1L, steps.Count).ToArray();
        for (int i = 0; i < scratch.Length; i++) offsets[scratch[i]] = arena.Offsets[firstScratch + i];
        return new(
            [.. steps],
            [.. values.Select((value, i) => new Placement(value.Name, arena.Offsets[index[blockOf[i]]], new(value.Bytes, value.First, value.Last)))],
            [.. offsets], arena.Bytes, Arena.Bound(all), constants);
    }

    /// <summary>For each value the first of those whose memory it takes over, in the end itself.</summary>
    private int[] Overlay()
    {
        int[] blockOf = [.. Enumerable.Range(0, values.Count)];
        for (int step = 0; step < steps.Count; step++)
        {
            (PlannedStep planned, int output) = (steps[step], steps[step].Output);
            if (output < 0) continue;
            for (int i = 0; i < planned.Inputs.Length; i++)
            {
                int input = planned.Inputs[i];
                if (input < 0 || values[input].Last != step || values[input].Bytes != values[output].Bytes) continue;
                bool free = Enumerable.Range(0, planned.Inputs.Length).All(other => planned.Inputs[other] != input || planned.Kernel.Overwrites(other));
                if (!free) continue;
                blockOf[output] = blockOf[input];
                break;
            }
        }
        return blockOf;
    }
}
