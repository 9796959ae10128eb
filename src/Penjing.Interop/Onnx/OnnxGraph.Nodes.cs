using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <content>What each operation is in ONNX.</content>
internal sealed partial class OnnxGraph
{
    private void Write(Node node)
    {
        string[] inputs = [.. node.Inputs.Select(input => input.Name)];
        string y = node.Name;
        _ = node.Op switch
        {
            _ when Wider(node) is { } wide => WriteWidened(node, inputs, wide),
            Conv or ConvTranspose or Gemm or MatMul when node.Info.Quantization is not null => WriteSums(node, inputs),
            Conv op => Finish(node, op.Then, of => Add("Conv", of, [Cut(node, op.Padding), .. inputs[1..]], Attributes(op))),
            ConvTranspose op => Add("ConvTranspose", y, inputs, Attributes(op)),
            MaxPool op => Add("MaxPool", y, inputs,
                [Pair("kernel_shape", op.Kernel), Pair("strides", op.Stride), Pair("dilations", op.Dilation),
                .. Windows(node, op.Kernel, op.Stride, op.Padding, op.Dilation, op.CeilMode, false)]),
            AveragePool op => Add("AveragePool", y, inputs,
                [Pair("kernel_shape", op.Kernel), Pair("strides", op.Stride), Flag("count_include_pad", op.CountIncludePad),
                .. Windows(node, op.Kernel, op.Stride, op.Padding, Size.One, op.CeilMode, op.CountIncludePad)]),
            Resize op => Write(node, op, inputs[0]),
            GridSample op => Write(node, op, inputs),
            RoiAlign op => Write(node, op, inputs),

            Gemm op => Finish(node, op.Then, of => Add("Gemm", of, inputs,
                Flag("transA", op.TransposeA), Flag("transB", op.TransposeB), Number("alpha", op.Alpha), Number("beta", op.Beta))),
            Einsum op => Add("Einsum", y, inputs, Text("equation", op.Equation)),
            ReduceSum op => Add("ReduceSum", y, op.Axes.Count > 0 ? [inputs[0], List(node, "axes", op.Axes.AsSpan())] : inputs, Flag("keepdims", op.KeepDims)),
            Reduction op => Add(op.Name, y, inputs,
                [Flag("keepdims", op.KeepDims), .. op.Axes.Count > 0 ? [Numbers("axes", op.Axes.AsSpan())] : (AttributeProto[])[]]),
            ArgExtreme op => Add(op.Name, y, inputs, Number("axis", op.Axis), Flag("keepdims", op.KeepDims), Flag("select_last_index", op.SelectLast)),
            Extremes op => Add("TopK", op is TopK ? [y, Fresh($"{y}/indices")] : [Fresh($"{y}/values"), y], [inputs[0], List(node, "count", op.K)],
                Number("axis", op.Axis), Flag("largest", op.Largest), Flag("sorted", op.Sorted)),

            Activation op => Write(node, op, inputs[0]),
            Elementwise op => Write(node, op, inputs[0]),
            Add op => Finish(node, op.Then, of => Add("Add", of, inputs)),
            Mod op => Add("Mod", y, inputs, Flag("fmod", op.Fmod)),
            BitShift op => Add("BitShift", y, inputs, Text("direction", op.Left ? "LEFT" : "RIGHT")),
            Softmax op => Add("Softmax", y, inputs, Number("axis", op.Axis)),
            LogSoftmax op => Add("LogSoftmax", y, inputs, Number("axis", op.Axis)),
            Hardmax op => Add("Hardmax", y, inputs, Number("axis", op.Axis)),
            BatchNormalization op => Add("BatchNormalization", y, inputs, Number("epsilon", op.Epsilon)),
            LRN op => Add("LRN", y, inputs, Number("alpha", op.Alpha), Number("beta", op.Beta), Number("bias", op.Bias), Number("size", op.Size)),
            CumSum op => Add("CumSum", y, [inputs[0], Parameter(node, "axis", [], op.Axis)], Flag("exclusive", op.Exclusive), Flag("reverse", op.Reverse)),
            QuantizeLinear op => Write(node, op, inputs[0]),
            DequantizeLinear => WriteReals(node, inputs[0], y),

            Reinterpret => Add("Identity", y, inputs),
            Dropout op => Add("Dropout", y, [inputs[0], Parameter(node, "ratio", [], op.Ratio)]),
            Concat op => Add("Concat", y, inputs, Number("axis", op.Axis)),
            Slice op => Add("Slice", y,
                [inputs[0], List(node, "start", op.Start), List(node, "end", op.End), List(node, "axis", op.Axis), List(node, "step", op.Step)]),
            Gather op => Add("Gather", y, [inputs[0], List(node, "indices", op.Indices.AsSpan())], Number("axis", op.Axis)),
            Pad op => Write(node, op, inputs[0]),
            Reshape op => Add("Reshape", y, [inputs[0], List(node, "target", op.Target.AsSpan())]),
            Flatten op => Add("Flatten", y, inputs, Number("axis", op.Axis)),
            Transpose op => Add("Transpose", y, inputs, Numbers("perm", op.Permutation.AsSpan())),
            Squeeze { Axes.Count: 0 } => Add("Squeeze", y, inputs),
            Squeeze op => Add("Squeeze", y, [inputs[0], List(node, "axes", op.Axes.AsSpan())]),
            Unsqueeze op => Add("Unsqueeze", y, [inputs[0], List(node, "axes", op.Axes.AsSpan())]),
            Expand op => Add("Expand", y, [inputs[0], List(node, "shape", op.Shape.AsSpan())]),
            Tile op => Add("Tile", y, [inputs[0], List(node, "repeats", op.Repeats.AsSpan())]),
            Trilu op => Add("Trilu", y, [inputs[0], Parameter(node, "k", [], op.K)], Flag("upper", op.Upper)),
            Take op => Add("Gather", y, inputs, Number("axis", op.Axis)),
            GatherElements op => Add("GatherElements", y, inputs, Number("axis", op.Axis)),
            GatherND op => Add("GatherND", y, [inputs[0], Wide(node, inputs[1])], Number("batch_dims", op.BatchDims)),
            ScatterElements op => Add("ScatterElements", y, inputs, Number("axis", op.Axis), Text("reduction", Reduced(node, op.Reduction))),
            ScatterND op => Add("ScatterND", y, [inputs[0], Wide(node, inputs[1]), inputs[2]], Text("reduction", Reduced(node, op.Reduction))),
            OneHot op => Add("OneHot", y, [inputs[0], Parameter<long>(node, "depth", [], op.Depth), inputs[1]], Number("axis", op.Axis)),

            // Operations without attributes have ONNX's name.
            GlobalAveragePool or GlobalMaxPool or MatMul or PRelu or Binary or Where or Identity => Add(node.Op.Name, y, inputs),

            _ => throw new PenjingException($"'{node.Name}' can't be written as ONNX: its operation {node.Op.Name} has no ONNX form here"),
        };
    }

    /// <summary>The node's operation, then the activation fused into it.</summary>
    private string Finish(Node node, Activation? then, Func<string, string> add) =>
        then is null ? add(node.Name) : Write(node, then, add(Fresh($"{node.Name}/before-{then.Name}")));

    /// <summary>
    /// Padding and rounding of a pool. In ceil mode opset 17 counts a last window that lies beyond the picture and its padding, which here and in
    /// runtimes is dropped: there the output is counted downwards, over as much padding as its windows reach.
    /// </summary>
    private static AttributeProto[] Windows(Node node, Size kernel, Size stride, Padding padding, Size dilation, bool ceil, bool counted)
    {
        Shape x = node.Inputs[0].Shape, y = node.Shape;
        (bool droppedRow, int bottom) = Last(x[2], y[2], kernel.Height, stride.Height, padding.Top, padding.Bottom, dilation.Height);
        (bool droppedColumn, int right) = Last(x[3], y[3], kernel.Width, stride.Width, padding.Left, padding.Right, dilation.Width);
        bool down = ceil && (droppedRow || droppedColumn) && (!counted || (bottom == padding.Bottom && right == padding.Right));
        return [Sides(down ? padding with { Bottom = bottom, Right = right } : padding), Flag("ceil_mode", ceil && !down)];

        static (bool Dropped, int After) Last(int input, int output, int kernel, int stride, int before, int after, int dilation)
        {
            int reach = (kernel - 1) * dilation + 1, free = input + before + after - reach;
            return ((free + stride - 1) / stride + 1 > output, Math.Max(after, (output - 1) * stride + reach - input - before));
        }
    }

    /// <summary>The type in which an operation of integers is computed that ONNX knows for wider ones, or for floats, alone.</summary>
    private static ElementType? Wider(Node node) => node.Inputs is not [{ Info: { Type: var type } info }, ..] || !type.IsInteger() ? null : node.Op switch
    {
        Pow when type is not (ElementType.Int32 or ElementType.Int64) => ElementType.Int64,
        Reduction or CumSum when type.Size() < 4 => ElementType.Int64,
        GlobalMaxPool => type.Size() < 4 ? ElementType.Float32 : ElementType.Float64,
        MaxPool when type is not (ElementType.Int8 or ElementType.UInt8) => type.Size() < 4 ? ElementType.Float32 : ElementType.Float64,
        _ => null,
    };

    private string WriteWidened(Node node, string[] inputs, ElementType wide)
    {
        Node[] widened = [.. node.Inputs.Select((input, i) => i == 0 || input.Info.Type == node.Inputs[0].Info.Type
            ? new Node(Cast(inputs[i], Fresh($"{node.Name}/wide{i}"), wide), new Input(wide, input.Shape)) : input)];
        var inner = new Node(Fresh($"{node.Name}/wide"), node.Op, [.. widened]);
        Write(inner);
        return Cast(inner.Name, node.Name, node.Info.Type);
    }

    private string Cast(string x, string y, ElementType type) => Add("Cast", y, [x], Number("to", (int)Type(type)));

    private static string Reduced(Node node, ScatterReduction reduction) => reduction is ScatterReduction.None or ScatterReduction.Add or ScatterReduction.Mul
        ? reduction.ToString().ToLowerInvariant()
        : throw new PenjingException($"'{node.Name}' can't be written as ONNX: scattering by {reduction} is newer than opset 17");

    /// <summary>Indices as Int64, which some operations insist on.</summary>
    private string Wide(Node node, string indices) => node.Inputs.First(input => input.Name == indices).Info.Type is ElementType.Int64 ? indices
        : Cast(indices, Fresh($"{node.Name}/indices"), ElementType.Int64);

    private string List(Node node, string role, params ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i];
        return Parameter(node, role, [wide.Length], wide);
    }

    private static AttributeProto[] Attributes(Conv op) =>
        [Pair("strides", op.Stride), Sides(op.Padding), Pair("dilations", op.Dilation), Number("group", op.Groups)];

    private static AttributeProto[] Attributes(ConvTranspose op) =>
        [Pair("strides", op.Stride), Sides(op.Padding), Pair("dilations", op.Dilation), Pair("output_padding", op.OutputPadding), Number("group", op.Groups)];

    private static AttributeProto Pair(string name, Size size) => Numbers(name, size.Height, size.Width);

    private static AttributeProto Sides(Padding padding) =>
        Numbers("pads", Math.Max(0, padding.Top), Math.Max(0, padding.Left), Math.Max(0, padding.Bottom), Math.Max(0, padding.Right));
}
