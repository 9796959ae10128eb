namespace Penjing;

/// <summary>Windows that take the zeros of a Pad before them as their own padding.</summary>
internal static class Padded
{
    /// <summary>Pad(0, height | width), Conv | AveragePool | MaxPool => Conv | AveragePool | MaxPool, where that is exact.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers)
    {
        if (node is not { Op: Conv or AveragePool or MaxPool, Inputs: [{ Op: Pad { Mode: PadMode.Constant } pad, Shape.Rank: 4 } before, ..] }) return null;
        int axis = pad.Axis < 0 ? pad.Axis + 4 : pad.Axis;
        if (axis < 2) return null;
        Padding added = axis == 2 ? new(pad.Before, 0, pad.After, 0) : new(0, pad.Before, 0, pad.After);
        Op? op = node.Op switch
        {
            Conv conv when pad.Value == 0 && Sum(conv.Padding, added) is { } sum => conv with { Padding = sum },
            AveragePool pool when pad.Value == 0 && (pool.CountIncludePad || pool.Padding == default) && !(pool.CeilMode && pad.After != 0)
                && Below(pool.Kernel, Sum(pool.Padding, added)) is { } sum => pool with { Padding = sum, CountIncludePad = true },
            MaxPool pool when (pad.Value == float.NegativeInfinity || (pad.Value == 0 && NonNegative(before.Inputs[0]))) && pool.Dilation == Size.One
                && !(pool.CeilMode && pad.After != 0) && Below(pool.Kernel, Sum(pool.Padding, added)) is { } sum => pool with { Padding = sum },
            _ => null,
        };
        return op is null ? null : new(node.Name, op, node.Inputs.SetItem(0, before.Inputs[0]));
    }

    /// <summary>Padding after more padding, or null where the first cuts what the second would have to bring back as zeros.</summary>
    private static Padding? Sum(Padding own, Padding added) =>
        Adds(own.Top, added.Top) && Adds(own.Left, added.Left) && Adds(own.Bottom, added.Bottom) && Adds(own.Right, added.Right)
            ? new(own.Top + added.Top, own.Left + added.Left, own.Bottom + added.Bottom, own.Right + added.Right)
            : null;

    private static bool Adds(int own, int added) => added >= 0 || own <= 0;

    /// <summary>The padding if it is smaller than the kernel and cuts nothing, so that every window of a pool sees an element.</summary>
    private static Padding? Below(Size kernel, Padding? padding) => padding is { } sum && sum.Below(kernel, Size.One) ? sum : null;

    /// <summary>Whether no element of a value can be below 0.</summary>
    internal static bool NonNegative(Node node)
    {
        while (node.Op is MaxPool or AveragePool or GlobalAveragePool or Pad { Mode: PadMode.Constant, Value: >= 0 } or Pad { Mode: not PadMode.Constant }) node = node.Inputs[0];
        return node.Op switch
        {
            Relu or Sigmoid or HardSigmoid or Softmax or Clip { Min: >= 0 } => true,
            Conv { Then: { } then } => IsNonNegative(then),
            Add { Then: { } then } => IsNonNegative(then),
            _ => false,
        };
    }

    private static bool IsNonNegative(Activation then) => then is Relu or Sigmoid or HardSigmoid or Clip { Min: >= 0 };
}
