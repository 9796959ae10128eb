namespace Penjing.Cli;

/// <summary>What stands in a box: operations in few words.</summary>
internal static class BoxTitle
{
    /// <summary>The kind and title of the box that a node begins.</summary>
    public static (BoxKind Kind, string Title) Of(Node node) => node.Op switch
    {
        Input => (BoxKind.Door, "Input"),
        Conv conv when conv.Groups > 1 && conv.Groups == node.Inputs[0].Shape[1] =>
            (BoxKind.Depthwise, $"Depthwise {Window(node.Inputs[1].Shape)}{By(conv.Stride)}{Dilated(conv.Dilation)}"),
        Conv conv => (BoxKind.Convolution, $"Conv {Window(node.Inputs[1].Shape)}{By(conv.Stride)}{Dilated(conv.Dilation)}"
            + $"{(conv.Groups > 1 ? $", {conv.Groups} groups" : "")}"),
        ConvTranspose conv => (BoxKind.Convolution, $"ConvTranspose {Window(node.Inputs[1].Shape)}{By(conv.Stride)}"),
        Gemm or MatMul or Einsum => (BoxKind.Matrix, node.Op.Name),
        MaxPool pool => (BoxKind.Pool, $"MaxPool {pool.Kernel.Height}×{pool.Kernel.Width}{By(pool.Stride)}"),
        AveragePool pool => (BoxKind.Pool, $"AveragePool {pool.Kernel.Height}×{pool.Kernel.Width}{By(pool.Stride)}"),
        GlobalAveragePool or GlobalMaxPool or Reduction or ArgExtreme => (BoxKind.Pool, node.Op.Name),
        Concat => (BoxKind.Join, node.Op.Name),
        Binary or Where => (node.Inputs.Count(input => input.Op is not Constant) > 1 ? BoxKind.Join : BoxKind.Pointwise, node.Op.Name),
        Gather gather when gather.Indices.Items.Length > 1 && gather.Indices.Items.Length == node.Inputs[0].Shape[gather.Axis] => (BoxKind.Layout, "Shuffle"),
        Slice slice => (BoxKind.Layout, $"Slice {Part(slice, node.Inputs[0].Shape[slice.Axis])}"),
        Elementwise or PRelu or BatchNormalization or LRN or Softmax or LogSoftmax or Hardmax or QuantizeLinear or DequantizeLinear =>
            (BoxKind.Pointwise, Short(node.Op)),
        _ => (BoxKind.Layout, node.Op.Name),
    };

    /// <summary>What a node adds behind the title of the box that it ends: its operation, unless it is the title, and a fused activation.</summary>
    public static IEnumerable<string> Behind(Node node, int index)
    {
        if (index > 0) yield return Short(node.Op);
        Activation? fused = node.Op switch { Conv conv => conv.Then, Gemm gemm => gemm.Then, Add add => add.Then, _ => null };
        if (fused is not null) yield return Short(fused);
    }

    private static string Short(Op op) => op switch
    {
        BatchNormalization => "BatchNorm",
        Clip { Min: 0, Max: 6 } => "Relu6",
        _ => op.Name,
    };

    private static string Window(Shape weights) => $"{weights[2]}×{weights[3]}";

    /// <summary>What a slice takes: the first element and the one behind the last, or where it runs backwards the last.</summary>
    private static string Part(Slice slice, int extent)
    {
        (int first, int count) = slice.Range(extent);
        int last = first + (count - 1) * slice.Step;
        return slice.Step switch
        {
            _ when count == 0 => $"{first}…{first}",
            < 0 => $"{first} down to {last}{(slice.Step == -1 ? "" : $" step {-(long)slice.Step}")}",
            1 => $"{first}…{last + 1}",
            _ => $"{first}…{last + 1} step {slice.Step}",
        };
    }

    private static string By(Size stride) => stride == Size.One ? "" : stride.Height == stride.Width ? $" /{stride.Height}"
        : $" /{stride.Height}×{stride.Width}";

    private static string Dilated(Size dilation) => dilation == Size.One ? "" : $", dilation {dilation.Height}";
}
