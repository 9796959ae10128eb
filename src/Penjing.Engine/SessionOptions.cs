namespace Penjing.Engine;

/// <summary>How a <see cref="Session"/> runs a network.</summary>
/// <param name="Threads">Threads that work on one run, the caller's among them; 0 takes one for each physical processor.</param>
/// <param name="Batch">The batch size, where it shall differ from the network's own.</param>
/// <param name="Isa">The vectors to compute with, for tests; by default the widest that are accelerated.</param>
/// <param name="Kernel">A row of the kernel table, by name, that is taken wherever it fits, for tests and benches; "reference" takes no kernel at all.</param>
/// <param name="Tuning">Which kernels were measured to be the fastest on this machine; without it, and for layers that it doesn't know, a cost model chooses.</param>
public sealed record SessionOptions(int Threads = 0, int? Batch = null, Isa? Isa = null, string? Kernel = null, Tuning? Tuning = null)
{
    /// <summary>How many threads that are.</summary>
    internal int Workers => Threads == 0 ? Processors.Physical : Threads;
}
