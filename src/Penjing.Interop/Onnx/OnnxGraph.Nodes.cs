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
            Conv op => Finish(node, op.Then, of => Add("Conv", of, [Cut(node, op.Padding), .. inputs[1..]],
                Pair("strides", op.Stride), Sides(op.Padding), Pair("dilations", op.Dilation), Number("group", op.Groups))),
            ConvTranspose op => Add("ConvTranspose", y, inputs,
                Pair("strides", op.Stride), Sides(op.Padding), Pair("dilations", op.Dilation), Pair("output_padding", op.OutputPadding), Number("group", op.Groups)),
            MaxPool op => Add("MaxPool", y, inputs,
                Pair("kernel_shape", op.Kernel), Pair("strides", op.Stride), Sides(op.Padding), Pair("dilations", op.Dilation), Flag("ceil_mode", op.CeilMode)),
            AveragePool op => Add("AveragePool", y, inputs,
                Pair("kernel_shape", op.Kernel), Pair("strides", op.Stride), Sides(op.Padding), Flag("ceil_mode", op.CeilMode), Flag("count_include_pad", op.CountIncludePad)),
            GlobalAveragePool => Add("GlobalAveragePool", y, inputs),
            Resize op => Write(node, op, inputs[0]),

            Gemm op => Finish(node, op.Then, of => Add("Gemm", of, inputs,
                Flag("transA", op.TransposeA), Flag("transB", op.TransposeB), Number("alpha", op.Alpha), Number("beta", op.Beta))),
            MatMul => Add("MatMul", y, inputs),
            ReduceMean op => Add("ReduceMean", y, inputs, [Flag("keepdims", op.KeepDims), .. op.Axes.Count > 0 ? [Numbers("axes", op.Axes.AsSpan())] : (Onnx.AttributeProto[])[]]),
            ArgMax op => Add("ArgMax", y, inputs, Number("axis", op.Axis), Flag("keepdims", op.KeepDims), Flag("select_last_index", op.SelectLast)),

            Activation op => Write(node, op, inputs[0]),
            PRelu => Add("PRelu", y, inputs),
            Add op => Finish(node, op.Then, of => Add("Add", of, inputs)),
            Sub or Mul or Div => Add(node.Op.Name, y, inputs),
            Softmax op => Add("Softmax", y, inputs, Number("axis", op.Axis)),
            BatchNormalization op => Add("BatchNormalization", y, inputs, Number("epsilon", op.Epsilon)),

            Identity => Add("Identity", y, inputs),
            Dropout op => Add("Dropout", y, [inputs[0], Parameter(node, "ratio", [], op.Ratio)]),
            Concat op => Add("Concat", y, inputs, Number("axis", op.Axis)),
            Slice op => Add("Slice", y, [inputs[0], List(node, "start", op.Start), List(node, "end", op.End), List(node, "axis", op.Axis), List(node, "step", op.Step)]),
            Gather op => Add("Gather", y, [inputs[0], List(node, "indices", op.Indices.AsSpan())], Number("axis", op.Axis)),
            Pad op => Write(node, op, inputs[0]),
            Reshape op => Add("Reshape", y, [inputs[0], List(node, "target", op.Target.AsSpan())]),
            Flatten op => Add("Flatten", y, inputs, Number("axis", op.Axis)),
            Transpose op => Add("Transpose", y, inputs, Numbers("perm", op.Permutation.AsSpan())),
            Squeeze { Axes.Count: 0 } => Add("Squeeze", y, inputs),
            Squeeze op => Add("Squeeze", y, [inputs[0], List(node, "axes", op.Axes.AsSpan())]),
            Unsqueeze op => Add("Unsqueeze", y, [inputs[0], List(node, "axes", op.Axes.AsSpan())]),

            _ => throw new PenjingException($"'{node.Name}' can't be written as ONNX: its operation {node.Op.Name} has no ONNX form here"),
        };
    }

    /// <summary>The node's operation, then the activation fused into it.</summary>
    private string Finish(Node node, Activation? then, Func<string, string> add) =>
        then is null ? add(node.Name) : Write(node, then, add(Fresh($"{node.Name}/before-{then.Name}")));

    private string Write(Node node, Activation op, string x) => op switch
    {
        Clip clip => Add("Clip", node.Name, [x, Parameter(node, "min", [], clip.Min), Parameter(node, "max", [], clip.Max)]),
        LeakyRelu leaky => Add("LeakyRelu", node.Name, [x], Number("alpha", leaky.Alpha)),
        HardSigmoid hard => Add("HardSigmoid", node.Name, [x], Number("alpha", hard.Alpha), Number("beta", hard.Beta)),
        Relu or Sigmoid or HardSwish or Tanh => Add(op.Name, node.Name, [x]),
        _ => throw new PenjingException($"'{node.Name}' can't be written as ONNX: its activation {op.Name} has no ONNX form here"),
    };

    private string Write(Node node, Resize op, string x)
    {
        Size input = new(node.Inputs[0].Shape[2], node.Inputs[0].Shape[3]);
        string coordinates = op.Coordinates switch
        {
            CoordinateMode.HalfPixel => "half_pixel",
            CoordinateMode.PytorchHalfPixel => "pytorch_half_pixel",
            CoordinateMode.AlignCorners => "align_corners",
            CoordinateMode.TfHalfPixelForNN => "tf_half_pixel_for_nn",
            CoordinateMode.TfCropAndResize => "tf_crop_and_resize",
            _ => "asymmetric",
        };
        string nearest = op.Nearest switch
        {
            NearestMode.RoundPreferFloor => "round_prefer_floor",
            NearestMode.RoundPreferCeil => "round_prefer_ceil",
            NearestMode.Floor => "floor",
            _ => "ceil",
        };
        Region crop = op.Crop ?? new(0, 0, 1, 1);
        string region = op.Coordinates is CoordinateMode.TfCropAndResize
            ? Parameter<float>(node, "region", [8], 0, 0, crop.Top, crop.Left, 1, 1, crop.Bottom, crop.Right) : "";
        string[] size;
        if (op is { ScaleHeight: 0, ScaleWidth: 0 })
            size = ["", Parameter<long>(node, "sizes", [4], node.Shape[0], node.Shape[1], op.Output.Height, op.Output.Width)];
        else
        {
            float height = op.ScaleHeight > 0 ? op.ScaleHeight : (float)op.Output.Height / input.Height, width = op.ScaleWidth > 0 ? op.ScaleWidth : (float)op.Output.Width / input.Width;
            if ((int)(input.Height * height) != op.Output.Height || (int)(input.Width * width) != op.Output.Width)
                throw new PenjingException($"'{node.Name}' can't be written as ONNX: a Resize of {input} by {height}, {width} yields another size there than {op.Output}");
            size = [Parameter<float>(node, "scales", [4], 1, 1, height, width)];
        }
        return Add("Resize", node.Name, [x, region, .. size],
        [
            Text("mode", op.Mode.ToString().ToLowerInvariant()), Text("coordinate_transformation_mode", coordinates), Text("nearest_mode", nearest),
            .. op.Mode is ResizeMode.Cubic ? [Number("cubic_coeff_a", op.CubicA), Flag("exclude_outside", op.ExcludeOutside)] : (Onnx.AttributeProto[])[],
            .. op.Coordinates is CoordinateMode.TfCropAndResize ? [Number("extrapolation_value", op.Extrapolation)] : (Onnx.AttributeProto[])[],
        ]);
    }

    private string Write(Node node, Pad op, string x)
    {
        int rank = node.Shape.Rank, axis = op.Axis < 0 ? op.Axis + rank : op.Axis;
        var pads = new long[2 * rank];
        (pads[axis], pads[axis + rank]) = (op.Before, op.After);
        string name = Parameter(node, "pads", [2 * rank], pads), mode = op.Mode.ToString().ToLowerInvariant();
        return op.Mode is not PadMode.Constant || op.Value == 0
            ? Add("Pad", node.Name, [x, name], Text("mode", mode))
            : Add("Pad", node.Name, [x, name, Fill(node, op.Value)], Text("mode", mode));
    }

    private string Fill(Node node, float value) => node.Info.Type switch
    {
        ElementType.Float32 => Parameter(node, "value", [], value),
        ElementType.Float16 => Parameter(node, "value", [], (Half)value),
        ElementType.Int8 => Parameter(node, "value", [], (sbyte)value),
        ElementType.UInt8 => Parameter(node, "value", [], (byte)value),
        ElementType.Int32 => Parameter(node, "value", [], (int)value),
        ElementType.Float64 => Parameter(node, "value", [], (double)value),
        ElementType.Int16 => Parameter(node, "value", [], (short)value),
        ElementType.UInt16 => Parameter(node, "value", [], (ushort)value),
        ElementType.UInt32 => Parameter(node, "value", [], (uint)value),
        ElementType.UInt64 => Parameter(node, "value", [], (ulong)value),
        ElementType.Bool => Parameter(node, "value", [], value != 0),
        _ => Parameter(node, "value", [], (long)value),
    };

    /// <summary>A convolution's input without the rows and columns that a negative padding cuts, which ONNX leaves to a node before.</summary>
    private string Cut(Node node, Padding padding)
    {
        long[] cut = [0, 0, Math.Min(0, padding.Top), Math.Min(0, padding.Left), 0, 0, Math.Min(0, padding.Bottom), Math.Min(0, padding.Right)];
        string x = node.Inputs[0].Name;
        return cut.All(side => side == 0) ? x : Add("Pad", Fresh($"{node.Name}/cut"), [x, Parameter(node, "pads", [8], cut)], Text("mode", "constant"));
    }

    private string List(Node node, string role, params ReadOnlySpan<int> values)
    {
        var wide = new long[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i];
        return Parameter(node, role, [wide.Length], wide);
    }

    private static Onnx.AttributeProto Pair(string name, Size size) => Numbers(name, size.Height, size.Width);

    private static Onnx.AttributeProto Sides(Padding padding) =>
        Numbers("pads", Math.Max(0, padding.Top), Math.Max(0, padding.Left), Math.Max(0, padding.Bottom), Math.Max(0, padding.Right));
}
