using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Concat, Slice, Gather and Pad, of every element type: along one axis of the output, runs taken from the inputs or filled.</summary>
internal sealed class Assemble
{
    /// <summary>Whether the node puts its output together so: along any axis, or, where pixels are parts of wider ones, along the channels.</summary>
    public static bool Fits(Site site) =>
        site.Node.Op is Concat or Slice or Gather or Pad && site.Node.Shape.Elements > 0 && site.Node.Inputs.Any(input => input.Value is null)
        && (site.IsDense || Along(site.Node) == 1);

    /// <summary>The kernel of a node.</summary>
    public static Kernel Of(Site site) => Of(site, [.. site.Node.Inputs.Select(_ => true)]);

    /// <summary>The kernel of a node that leaves alone what comes from some of its inputs: they lie there already.</summary>
    public static Kernel Of(Site site, ImmutableArray<bool> copied)
    {
        Node node = site.Node;
        int axis = Along(node), extent = node.Shape[axis], source = node.Inputs[0].Shape[axis];
        (int, int)[] places = node.Op switch
        {
            Concat => [.. node.Inputs.SelectMany((input, i) => Enumerable.Range(0, input.Shape[axis]).Select(at => (copied[i] ? i : Left, at)))],
            Slice slice => [.. Enumerable.Range(0, extent).Select(at => (0, slice.Range(source).First + at * slice.Step))],
            Gather gather => [.. gather.Indices.Select(at => (0, at))],
            Pad pad => [.. Enumerable.Range(-pad.Before, extent).Select(at => Padded(pad.Mode, at, source))],
            _ => throw new NotSupportedException(node.Op.Name),
        };
        return new AssembleKernel(site, axis, places);
    }

    /// <summary>In place of an input, for what is filled, and for what is left alone.</summary>
    public const int Filled = -1, Left = -2;

    private static int Along(Node node) => Layout.Axis(node.Shape, node.Op switch
    {
        Concat concat => concat.Axis,
        Slice slice => slice.Axis,
        Gather gather => gather.Axis,
        Pad pad => pad.Axis,
        _ => throw new NotSupportedException(node.Op.Name),
    });

    /// <summary>The place that a padded index reads; none where it is filled.</summary>
    private static (int Input, int At) Padded(PadMode mode, int at, int extent) => mode switch
    {
        _ when at >= 0 && at < extent => (0, at),
        PadMode.Reflect => (0, at < 0 ? -at : 2 * (extent - 1) - at),
        PadMode.Edge => (0, at < 0 ? 0 : extent - 1),
        _ => (Filled, 0),
    };
}

/// <summary>Runs of an output axis copied from inputs or filled; single elements one by one where nothing longer lies side by side.</summary>
internal sealed unsafe class AssembleKernel : Kernel
{
    private const int ShortRun = 16;

    private readonly Stretch[] runs;
    private readonly int[]? single;
    private readonly ByteOrder? bytes;
    private readonly int size;
    private readonly long[] pitches;
    private readonly long outputPitch;
    private readonly NativeBuffer?[] constants;
    private readonly byte[] fill;
    private readonly Split split;

    /// <summary>The kernel of a node whose output has, at each place along the axis, that place of an input, a filling, or what is there already.</summary>
    public AssembleKernel(Site site, int axis, (int Input, int At)[] places)
    {
        Node node = site.Node;
        int[] order = node.Shape.Rank == 4 ? [0, 2, 3, 1] : [.. Enumerable.Range(0, node.Shape.Rank)];
        int at = Array.IndexOf(order, axis);
        size = node.Info.Type.Size();
        int outer = order[..at].Aggregate(1, (product, other) => product * node.Shape[other]);
        long inner = order[(at + 1)..].Aggregate((long)size, (product, other) => product * node.Shape[other]);
        outputPitch = site.IsDense ? inner * node.Shape[axis] : (long)size * site.OutputPitch;
        pitches = [.. node.Inputs.Select((input, i) => input.Value is null && !site.IsDense ? (long)size * site.InputPitches[i] : inner * input.Shape[axis])];
        var joined = new List<Stretch>();
        for (int i = 0; i < places.Length; i++)
        {
            (int input, int from) = places[i];
            if (input == Assemble.Left) continue;
            if (joined.Count > 0 && joined[^1] is { } last && last.Input == input && last.To + last.Bytes == i * inner && (input < 0 || last.From + last.Bytes == from * inner))
                joined[^1] = last with { Bytes = last.Bytes + inner };
            else joined.Add(new(input, from * inner, i * inner, inner));
        }
        runs = [.. joined];
        constants = [.. node.Inputs.Select((input, i) => input.Value is { } value && joined.Any(run => run.Input == i) ? StridedCopy.Inward(value) : null)];
        fill = Fill(node, size);
        if (inner == size && size is sizeof(byte) or sizeof(uint) && node.Inputs.Length == 1 && places.All(place => place.Input == 0) && inner * places.Length < ShortRun * runs.Length)
            single = [.. places.Select(place => place.At)];
        if (single is not null && size == sizeof(byte)) bytes = ByteOrder.Of(single, node.Inputs[0].Shape[axis], site.Isa);
        split = Split.Of(outer, runs.Sum(run => run.Bytes) / 4.0 + 8.0 * runs.Length);
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
            if (bytes is not null) bytes.Run(operands.Input<byte>(0) + first * pitches[0], (nint)pitches[0], output, (nint)outputPitch, count);
            else if (size == sizeof(uint)) Pick(operands.Input<uint>(0), (uint*)operands.Out<byte>(), first, count);
            else Pick(operands.Input<byte>(0), operands.Out<byte>(), first, count);
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
    private void Pick<T>(T* source, T* target, int first, int count) where T : unmanaged
    {
        nint pitch = (nint)pitches[0] / sizeof(T), targetPitch = (nint)outputPitch / sizeof(T);
        source += first * pitch;
        target += first * targetPitch;
        fixed (int* places = single!)
            for (int extent = single!.Length; count > 0; count--, source += pitch, target += targetPitch)
                for (int i = 0; i < extent; i++) target[i] = source[places[i]];
    }

    private void Fill(byte* target, long bytes)
    {
        if (fill.AsSpan().IndexOfAnyExcept(fill[0]) < 0) new Span<byte>(target, (int)bytes).Fill(fill[0]);
        else
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
