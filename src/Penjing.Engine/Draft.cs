using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.ExceptionServices;

namespace Penjing.Engine;

/// <summary>A step whose kernel is still to be made.</summary>
/// <param name="Node">The node.</param>
/// <param name="Op">What the step is called: the node's operation, or Input or Output for the copy at a door.</param>
/// <param name="Inputs">Where what it reads lies.</param>
/// <param name="Output">Where what it writes lies.</param>
/// <param name="Row">The row of the kernel table; null for copies, which are in none.</param>
/// <param name="Create">Makes the kernel.</param>
internal sealed record Draft(Node Node, string Op, ImmutableArray<Spot> Inputs, Spot Output, string? Row, Func<Kernel> Create)
{
    /// <summary>The steps, in order, their kernels made by so many threads.</summary>
    public static PlannedStep[] Make(IReadOnlyList<Draft> drafts, int threads)
    {
        var steps = new PlannedStep?[drafts.Count];
        void Make(int index) => steps[index] = drafts[index].Make();
        try
        {
            // What several read can't be given back behind one of them while another reads it.
            HashSet<Tensor> shared = [.. drafts.SelectMany(draft => draft.Weights.Distinct()).CountBy(weight => weight).Where(count => count.Value > 1).Select(count => count.Key)];
            ILookup<bool, int> alone = Enumerable.Range(0, steps.Length).ToLookup(index => threads > 1 && !drafts[index].Weights.Any(shared.Contains));
            if (alone.Contains(true)) Parallel.ForEach(Partitioner.Create(alone[true], EnumerablePartitionerOptions.NoBuffering), new() { MaxDegreeOfParallelism = threads }, Make);
            foreach (int index in alone[false]) Make(index);
            return steps!;
        }
        catch (Exception error)
        {
            foreach (PlannedStep? step in steps) step?.Kernel.Dispose();
            if (error is AggregateException { InnerExceptions: [var first, ..] }) ExceptionDispatchInfo.Throw(first);
            throw;
        }
    }

    /// <summary>The constants that the kernel is made of.</summary>
    private IEnumerable<Tensor> Weights => Row is null ? [] : Node.Inputs.Select(input => input.Value).OfType<Tensor>();

    private PlannedStep Make()
    {
        long before = NativeBuffer.Taken;
        Kernel kernel = Create();
        long packed = Row is null ? 0 : NativeBuffer.Taken - before;
        // A kernel has its own copy of the weights; only the reference reads them again.
        if (kernel is not ReferenceKernel)
            foreach (Tensor weight in Weights) weight.Forget();
        bool door = Op != Node.Op.Name;
        long bytes = (long)Node.Shape.Elements * Node.Info.Type.Size(), read = door ? bytes : Inputs.Sum(input => input.Bytes);
        return new(
            new(Node.Name, Op, kernel.Label, Row ?? kernel.Label, kernel is ReferenceKernel, door ? 0 : Fusion.MacsOf(Node), read, packed, bytes, kernel.ScratchBytes), kernel, Inputs, Output);
    }
}
