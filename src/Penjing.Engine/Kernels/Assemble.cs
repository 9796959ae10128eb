using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Concat, Slice, Gather and Pad, of every element type: along one axis of the output, runs taken from the inputs or filled.</summary>
internal sealed class Assemble
{
    /// <summary>Whether the node puts its output together so.</summary>
    public static bool Fits(Node node) =>
        node.Op is Concat or Slice or Gather or Pad && node.Shape.Elements > 0 && node.Inputs.Any(input => input.Value is null);

    /// <summary>The kernel of a node.</summary>
    public static Kernel Of(Node node)
    {
        (int axis, int first) = node.Op switch
        {
            Concat concat => (concat.Axis, 0),
            Slice slice => (slice.Axis, slice.Range(node.Inputs[0].Shape[slice.Axis]).First),
            Gather gather => (gather.Axis, 0),
            Pad pad => (pad.Axis, 0),
            _ => throw new NotSupportedException(node.Op.Name),
        };
        int extent = node.Shape[axis], source = node.Inputs[0].Shape[axis];
        (int, int)[] places = node.Op switch
        {
            Concat => [.. node.Inputs.SelectMany((input, i) => Enumerable.Range(0, input.Shape[axis]).Select(at => (i, at)))],
            Slice slice => [.. Enumerable.Range(0, extent).Select(at => (0, first + at * slice.Step))],
            Gather gather => [.. gather.Indices.Select(at => (0, at))],
            Pad pad => [.. Enumerable.Range(-pad.Before, extent).Select(at => Padded(pad.Mode, at, source))],
            _ => throw new NotSupportedException(node.Op.Name),
        };
        return new AssembleKernel(node, axis < 0 ? axis + node.Shape.Rank : axis, places);
    }

    /// <summary>The place that a padded index reads; none where it is filled.</summary>
    private static (int Input, int At) Padded(PadMode mode, int at, int extent) => mode switch
    {
        _ when at >= 0 && at < extent => (0, at),
        PadMode.Reflect => (0, at < 0 ? -at : 2 * (extent - 1) - at),
        PadMode.Edge => (0, at < 0 ? 0 : extent - 1),
        _ => (-1, 0),
    };
}

/// <summary>Runs of an output axis copied from inputs or filled; single elements one by one where nothing longer lies side by side.</summary>
internal sealed unsafe class AssembleKernel : Kernel
{
    private const int ShortRun = 16;

    private readonly Stretch[] runs;
    private readonly int[]? single;
    private readonly long[] pitches;
    private readonly long outputPitch;
    private readonly NativeBuffer?[] constants;
    private readonly byte[] fill;
    private readonly Split split;

    /// <summary>The kernel of a node whose output has, at each place along the axis, that place of an input, or the fill where the input is −1.</summary>
    public AssembleKernel(Node node, int axis, (int Input, int At)[] places)
    {
        int[] order = node.Shape.Rank == 4 ? [0, 2, 3, 1] : [.. Enumerable.Range(0, node.Shape.Rank)];
        int at = Array.IndexOf(order, axis), size = node.Info.Type.Size();
        int outer = order[..at].Aggregate(1, (product, other) => product * node.Shape[other]);
        long inner = order[(at + 1)..].Aggregate((long)size, (product, other) => product * node.Shape[other]);
        outputPitch = inner * node.Shape[axis];
        pitches = [.. node.Inputs.Select(input => inner * input.Shape[axis])];
        constants = [.. node.Inputs.Select(input => input.Value is { } value ? StridedCopy.Inward(value) : null)];
        fill = Fill(node, size);
        var joined = new List<Stretch>();
        for (int i = 0; i < places.Length; i++)
        {
            (int input, int from) = places[i];
            if (joined.Count > 0 && joined[^1] is { } last && last.Input == input && (input < 0 || last.From + last.Bytes == from * inner))
                joined[^1] = last with { Bytes = last.Bytes + inner };
            else joined.Add(new(input, from * inner, i * inner, inner));
        }
        runs = [.. joined];
        if (inner == sizeof(float) && node.Inputs.Length == 1 && places.All(place => place.Input == 0) && outputPitch < ShortRun * runs.Length)
            single = [.. places.Select(place => place.At)];
        split = Split.Of(outer, outputPitch / 4.0 + 8.0 * runs.Length);
    }

    /// <inheritdoc/>
    public override string Label => "assemble";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (NativeBuffer? constant in constants) constant?.Dispose();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        byte* output = operands.Out<byte>() + first * outputPitch;
        if (single is not null)
        {
            Pick(operands.Input<uint>(0) + first * pitches[0] / sizeof(uint), (uint*)output, count);
            return;
        }
        for (int outer = first; outer < first + count; outer++, output += outputPitch)
            foreach (Stretch run in runs)
            {
                if (run.Input < 0) Fill(output + run.To, run.Bytes);
                else
                {
                    byte* source = constants[run.Input] is { } constant ? constant.Pointer : operands.Input<byte>(run.Input);
                    Buffer.MemoryCopy(source + outer * pitches[run.Input] + run.From, output + run.To, run.Bytes, run.Bytes);
                }
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pick(uint* source, uint* target, int count)
    {
        int[] places = single!;
        nint pitch = (nint)pitches[0] / sizeof(uint);
        for (; count > 0; count--, source += pitch, target += places.Length)
            for (int i = 0; i < places.Length; i++) target[i] = source[places[i]];
    }

    private void Fill(byte* target, long bytes)
    {
        for (long i = 0; i < bytes; i += fill.Length) fill.CopyTo(new Span<byte>(target + i, fill.Length));
    }

    /// <summary>The bytes of one element that a Pad adds: the value as the reference converts it.</summary>
    private static byte[] Fill(Node node, int size)
    {
        Tensor nothing = Tensor.Zeros(node.Info.Type, [0]);
        return node.Op is Pad { Mode: PadMode.Constant, Value: var value }
            ? Reference.Evaluate(new Node("fill", new Pad(0, 0, 1, PadMode.Constant, value), new Node("nothing", new Constant(nothing, node.Info.Quantization))), [nothing]).Bytes.ToArray()
            : new byte[size];
    }

    /// <summary>Bytes of the output that come from one place of an input, or from none.</summary>
    private readonly record struct Stretch(int Input, long From, long To, long Bytes);
}
