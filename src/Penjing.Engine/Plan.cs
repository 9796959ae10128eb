using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A value's place in the arena, from the step that writes it to the last that reads it.</summary>
internal sealed record Placement(string Name, long Offset, Block Block);

/// <summary>Where a step finds an operand: in which value's memory, how many bytes from its beginning, and how many bytes it has.</summary>
internal readonly record struct Spot(int Value, long Offset, long Bytes)
{
    /// <summary>What lies outside the arena: constants, the caller's inputs and outputs.</summary>
    public static Spot Outside => new(-1, 0, 0);
}

/// <summary>A step as the session runs it; the pointers of its operands stay the same from run to run, save those to a caller's memory.</summary>
internal sealed class PlannedStep(Step info, Kernel kernel, ImmutableArray<Spot> inputs, Spot output)
{
    /// <summary>What users see of the step.</summary>
    public Step Info { get; } = info;

    /// <summary>The code.</summary>
    public Kernel Kernel { get; } = kernel;

    /// <summary>Where what it reads lies.</summary>
    public ImmutableArray<Spot> Inputs { get; } = inputs;

    /// <summary>Where what it writes lies.</summary>
    public Spot Output { get; } = output;
}

/// <summary>Where an output comes from.</summary>
/// <param name="Step">The step that writes it to the caller's memory; −1 where it is a constant.</param>
/// <param name="Constant">The constant.</param>
internal readonly record struct PlannedOutput(int Step, Tensor? Constant);

/// <summary>A graph made ready for one machine: steps in order, and where everything lies. Copies of the inputs come first.</summary>
internal sealed class Plan : IDisposable
{
    /// <summary>A plan of these steps.</summary>
    public Plan(ImmutableArray<PlannedStep> steps, ImmutableArray<Placement> values, ImmutableArray<long> scratch, long arenaBytes, long boundBytes,
        ImmutableArray<PlannedOutput> outputs)
    {
        Steps = steps;
        Values = values;
        Scratch = scratch;
        ArenaBytes = arenaBytes;
        BoundBytes = boundBytes;
        Outputs = outputs;
    }

    /// <summary>The steps.</summary>
    public ImmutableArray<PlannedStep> Steps { get; }

    /// <summary>Every value that is no constant and lies within no other, by index; those of no bytes are empty, or outputs that are written to the caller's memory.</summary>
    public ImmutableArray<Placement> Values { get; }

    /// <summary>Where each step's scratch memory lies; −1 where it needs none.</summary>
    public ImmutableArray<long> Scratch { get; }

    /// <summary>Bytes of the arena.</summary>
    public long ArenaBytes { get; }

    /// <summary>Bytes of the largest set of values that are wanted at one time: the least that any arena could have.</summary>
    public long BoundBytes { get; }

    /// <summary>Where each output comes from.</summary>
    public ImmutableArray<PlannedOutput> Outputs { get; }

    /// <summary>Frees the kernels' packed weights.</summary>
    public void Dispose()
    {
        foreach (PlannedStep step in Steps) step.Kernel.Dispose();
    }
}
