namespace Penjing.Engine;

/// <summary>Which kernel computes what on this machine under a session's options: what lowering asks before it fuses, places and makes.</summary>
internal sealed class Selection
{
    private readonly KernelRow? forced;
    private readonly Tuning? tuning;

    /// <summary>The selection under these options.</summary>
    /// <exception cref="PenjingException">They name a kernel that doesn't exist.</exception>
    public Selection(SessionOptions options)
    {
        Isa = options.Isa ?? Isas.Best;
        (tuning, Threads) = (options.Tuning, options.Workers);
        if (options.Kernel is not { } name) return;
        forced = KernelTable.Rows.FirstOrDefault(row => row.Name == name)
            ?? throw new PenjingException($"there is no kernel '{name}'; the kernels are {string.Join(", ", KernelTable.Rows.Select(row => row.Name))}");
    }

    /// <summary>The vectors to compute with.</summary>
    public Isa Isa { get; }

    /// <summary>The threads that may share a run.</summary>
    public int Threads { get; }

    /// <summary>Whether the options let the reference compute all: nodes stay as they are then, each a step.</summary>
    public bool OnlyReference => forced == KernelTable.Rows[^1];

    /// <summary>The row whose kernel computes a site; null where none can, which is so only where values don't lie by themselves.</summary>
    public KernelRow? Row(Site site)
    {
        // Kernels expect something to compute from at each run; what depends on no input they needn't understand.
        if (site.Node.Inputs.All(input => input.Value is not null)) return site.IsDense ? KernelTable.Rows[^1] : null;
        if (forced is not null && forced.Fits(site)) return forced;
        return site.IsDense || KernelTable.Rows.Any(row => row.Fits(site)) ? KernelTable.Choose(site) : null;
    }

    /// <summary>
    /// The row whose kernel is made in the end: the one that was measured to be the fastest, where the options bring a tuning that knows the site. What is fused, and
    /// what lies where, doesn't hang on measurements, so that a tuned session has the very sites that were measured.
    /// </summary>
    public KernelRow? Taken(Site site) => Row(site) is not { } row ? null : row == forced || row.Name == KernelTable.Reference ? row : tuning?.Row(site) ?? row;

    /// <summary>About how many nanoseconds the site takes; 0 where nobody knows, infinite where only the reference computes it or nothing does.</summary>
    public double Cost(Site site) => Row(site) is { } row ? row.Cost?.Invoke(site) ?? 0 : double.PositiveInfinity;

    /// <summary>The same of a node whose values lie by themselves.</summary>
    public double Cost(Node node) => Cost(new Site(node, Isa));

    /// <summary>Whether a kernel better than the reference computes the node.</summary>
    public bool HasKernel(Node node) => double.IsFinite(Cost(node));

    /// <summary>Whether there is a kernel for the site, and the row that options force, if any, is not kept from the node by where its values lie.</summary>
    public bool Takes(Site site) => site.IsDense || (Row(site) is { } row && (forced is null || row == forced || !forced.Fits(new(site.Node, Isa))));

    /// <summary>About how many nanoseconds it takes to read or write so many elements in a step of their own.</summary>
    public static double Moving(long elements) => 300 + 0.08 * elements;
}
