using System.Runtime.InteropServices;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>One node run by one kernel by itself, between guarded inputs, output and scratch.</summary>
internal static unsafe class KernelCase
{
    /// <summary>The node of a case, with its constants as constants.</summary>
    public static Node Node(OpCase one) => one.Graph().Outputs[0];

    /// <summary>What the row's kernel makes of the case's inputs, its tasks run in order or in reverse.</summary>
    /// <exception cref="InvalidOperationException">The kernel wrote before its output or scratch memory.</exception>
    public static Tensor Run(KernelRow row, OpCase one, Isa isa, bool reverse = false)
    {
        Node node = Node(one);
        using Kernel kernel = row.Create(new(node, isa));
        GuardedMemory?[] memory = [.. node.Inputs.Select((input, i) => input.Value is null ? Inward(one.Inputs[i]) : null)];
        using GuardedMemory output = new((long)node.Shape.Elements * node.Info.Type.Size()), scratch = new((kernel.ScratchBytes + 63) / 64 * 64);
        void** inputs = stackalloc void*[memory.Length + 1];
        for (int i = 0; i < memory.Length; i++) inputs[i] = memory[i] is { } values ? values.Pointer : null;
        Operands operands = new(inputs, output.Pointer, kernel.ScratchBytes > 0 ? scratch.Pointer : null);
        for (int phase = 0; phase < kernel.Phases; phase++)
        {
            int tasks = kernel.Tasks(phase);
            for (int task = 0; task < tasks; task++) kernel.Run(phase, reverse ? tasks - 1 - task : task, operands);
        }
        foreach (GuardedMemory? input in memory)
        {
            if (input is { IsIntact: false }) throw new InvalidOperationException($"{one} with {kernel.Label}: something was written before an input");
            input?.Dispose();
        }
        if (!output.IsIntact || !scratch.IsIntact) throw new InvalidOperationException($"{one} with {kernel.Label}: something was written before the output");
        return Outward(node.Info, output.Pointer);
    }

    private static GuardedMemory Inward(Tensor tensor)
    {
        GuardedMemory memory = new(tensor.Bytes.Length);
        fixed (byte* source = tensor.Bytes.Span) Copy(new(Layout.Inward(tensor.Shape), tensor.Type.Size()), source, memory.Pointer);
        return memory;
    }

    private static Tensor Outward(ValueInfo info, byte* source)
    {
        var bytes = new byte[info.Shape.Elements * info.Type.Size()];
        fixed (byte* target = bytes) Copy(new(Layout.Outward(info.Shape), info.Type.Size()), source, target);
        return new(info.Type, info.Shape, bytes);
    }

    private static void Copy(StridedCopy copy, void* source, void* target)
    {
        for (int piece = 0; piece < copy.Pieces; piece++) copy.Run(piece, source, target);
    }
}
