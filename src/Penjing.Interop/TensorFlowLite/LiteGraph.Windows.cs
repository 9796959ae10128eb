using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>Convolutions, products and pools. Padding that is neither SAME nor VALID is an operation before them.</content>
internal sealed partial class LiteGraph
{
    private const int Same = 0, Valid = 1;

    /// <summary>Writes a convolution, splitting groups that are neither one nor one for each channel.</summary>
    private int Write(Node node, Conv op, string name, ValueInfo info, int x, ValueInfo of)
    {
        (Tensor w, Quantization? meaning) = Factor(node, 1, of.Type);
        (Tensor bias, Quantization? steps) = Addend(node, of.Type, w.Shape[0]);
        (int channels, int groups, Size kernel) = (of.Shape[1], op.Groups, new(w.Shape[2], w.Shape[3]));
        (x, of, int padding) = Around(node, x, of, kernel, op.Stride, op.Dilation, op.Padding);
        (string, double)[] options = [("padding", padding), ("stride_h", op.Stride.Height), ("stride_w", op.Stride.Width), ("dilation_h_factor", op.Dilation.Height), ("dilation_w_factor", op.Dilation.Width)];
        return Finish(node, op.Then, name, info, (called, fused) =>
        {
            options = [.. options, ("fused_activation_function", fused)];
            if (groups == 1) return One("CONV_2D", called, info, x, w, toLast, 0, 0, w.Shape[0]);
            if (groups == channels) return One("DEPTHWISE_CONV_2D", called, info, x, w, [1, 2, 3, 0], 3, 0, w.Shape[0], ("depth_multiplier", w.Shape[0] / channels));
            int outputs = w.Shape[0] / groups;
            int[] parts = [.. Enumerable.Range(0, groups).Select(group => Value($"{called}/input {group}", of with { Shape = of.Shape.With(1, channels / groups) }))];
            operators.Add(new(LiteOp.Named["SPLIT"], [Stored($"{called}/axis", Tensor.Of<int>([], 3)), x], [.. parts], Given(("num_splits", groups))));
            int[] made = [.. parts.Select((part, group) => One("CONV_2D", $"{called}/group {group}", info with { Shape = info.Shape.With(1, outputs) }, part, w, toLast, 0, group * outputs, outputs))];
            return Add("CONCATENATION", called, info, made, ("axis", 3));
        });

        int One(string type, string called, ValueInfo made, int from, Tensor weights, Ints order, int axis, int first, int count, params ReadOnlySpan<(string, double)> more)
        {
            Slice part = new(0, first, first + count);
            Tensor turned = Reference.Evaluate(new Transpose(order), [count == weights.Shape[0] ? weights : Reference.Evaluate(part, [weights])]);
            int kernels = Stored($"{called}/weights", turned, Part(meaning, part, axis));
            int added = Stored($"{called}/bias", count == bias.Shape[0] ? bias : Reference.Evaluate(part, [bias]), Part(steps, part, 0));
            return Add(type, called, made, [from, kernels, added], [.. options, .. more]);
        }
    }

    /// <summary>The quantization of some output channels, which are another axis in the file.</summary>
    private static Quantization? Part(Quantization? meaning, Slice part, int axis) => meaning?.Axis is null ? meaning
        : new([.. meaning.Scales.AsSpan()[part.Start..part.End]], [.. meaning.ZeroPoints.AsSpan()[part.Start..part.End]], axis);

    private int Write(Node node, ConvTranspose op, string name, ValueInfo info, int x, ValueInfo of)
    {
        (Tensor w, _) = Factor(node, 1, of.Type);
        if (op.Groups != 1 || op.Dilation != Size.One) throw Unsaid(node, $"it has {op.Groups} groups and dilation {op.Dilation}, and there transposed convolutions have neither");
        int rows = (of.Shape[2] - 1) * op.Stride.Height + w.Shape[2], columns = (of.Shape[3] - 1) * op.Stride.Width + w.Shape[3];
        Shape whole = [info.Shape[0], info.Shape[1], rows, columns];
        int kernel = Stored($"{name}/weights", Reference.Evaluate(new Transpose([1, 2, 3, 0]), [w]));
        int[] bias = node.Inputs.Length > 2 ? [Stored($"{name}/bias", Factor(node, 2, of.Type).Value)] : [];
        bool cut = whole != info.Shape;
        int made = Add("TRANSPOSE_CONV", cut ? $"{name}/whole" : name, info with { Shape = whole }, [List(node, "shape", whole[0], rows, columns, whole[1]), kernel, x, .. bias],
            ("padding", Valid), ("stride_h", op.Stride.Height), ("stride_w", op.Stride.Width));
        (int bottom, int right) = (op.Padding.Bottom - op.OutputPadding.Height, op.Padding.Right - op.OutputPadding.Width);
        if (bottom < 0 || right < 0) throw Unsaid(node, $"its output padding {op.OutputPadding} is more than its padding {op.Padding}");
        return cut ? Sliced(node, name, info, made, [new(2, op.Padding.Top, rows - bottom), new(3, op.Padding.Left, columns - right)]) : made;
    }

    private int Write(Node node, Gemm op, string name, ValueInfo info, int x, ValueInfo of)
    {
        (Tensor w, Quantization? meaning) = Factor(node, 1, of.Type);
        if (op.TransposeA) (x, of) = (Add("TRANSPOSE", $"{name}/turned", of with { Shape = [of.Shape[1], of.Shape[0]] }, [x, List(node, "order", 1, 0)]), of with { Shape = [of.Shape[1], of.Shape[0]] });
        if (!op.TransposeB) w = Reference.Evaluate(new Transpose([1, 0]), [w]);
        if (op.Alpha != 1) w = Reference.Evaluate(new Mul(), [w, Tensor.Of<float>([], op.Alpha)]);
        int weights = Stored($"{name}/weights", w, meaning?.Axis is null ? meaning : meaning with { Axis = 0 });
        int[] bias = [];
        if (node.Inputs.Length > 2)
        {
            (Tensor values, Quantization? steps) = Factor(node, 2, of.Type);
            if (values.Shape.Elements != (values.Shape.Rank > 0 ? values.Shape[-1] : 1)) throw Unsaid(node, $"its addend {values} is no row");
            if (values.Shape != [w.Shape[0]]) values = Reference.Evaluate(new Expand([w.Shape[0]]), [values.Reshape([values.Shape.Elements])]);
            if (op.Beta != 1) values = Reference.Evaluate(new Mul(), [values, Tensor.Of<float>([], op.Beta)]);
            bias = [Stored($"{name}/bias", values, steps)];
        }
        return Finish(node, op.Then, name, info, (called, fused) => Add("FULLY_CONNECTED", called, info, [x, weights, .. bias], ("fused_activation_function", fused)));
    }

    private int Write(Node node, MaxPool op, int x, ValueInfo of)
    {
        if (op.Dilation != Size.One) throw Unsaid(node, $"its windows have the dilation {op.Dilation}, and there windows have none");
        return Pool("MAX_POOL_2D", node, node.Name, node.Info, op.Kernel, op.Stride, Around(node, x, of, op.Kernel, op.Stride, Size.One, Reached(op.Padding, op.Kernel, op.Stride, of.Shape, node.Shape), float.NegativeInfinity));
    }

    private int Write(Node node, AveragePool op, string name, ValueInfo info, int x, ValueInfo of)
    {
        if (IsSaid(op, of.Shape)) return Pool("AVERAGE_POOL_2D", node, name, info, op.Kernel, op.Stride, Around(node, x, of, op.Kernel, op.Stride, Size.One, op.Padding));
        // Means over zeros too, times how many more elements they are then of than they should be.
        Padding padding = Reached(op.Padding, op.Kernel, op.Stride, of.Shape, node.Shape);
        Tensor ones = Tensor.Build<float>([1, 1, of.Shape[2], of.Shape[3]], values => values.Fill(1));
        Tensor wide = Reference.Evaluate(new Pad(3, padding.Left, padding.Right), [Reference.Evaluate(new Pad(2, padding.Top, padding.Bottom), [ones])]);
        Tensor ratio = Reference.Evaluate(new Div(), [Reference.Evaluate(op, [ones]), Reference.Evaluate(new AveragePool(op.Kernel, op.Stride), [wide])]);
        ReadOnlySpan<int> pads = [0, 0, padding.Top, padding.Bottom, padding.Left, padding.Right, 0, 0];
        ValueInfo padded = of with { Shape = [of.Shape[0], of.Shape[1], wide.Shape[2], wide.Shape[3]] };
        int from = Add("PAD", $"{name}/padded", padded, [x, Stored($"{name}/paddings", Tensor.Of([4, 2], pads))]);
        int means = Pool("AVERAGE_POOL_2D", node, $"{name}/means", info, op.Kernel, op.Stride, (from, padded, Valid));
        return Add("MUL", name, info, [means, Weight($"{name}/ratios", ratio)]);
    }

    /// <summary>Whether TensorFlow Lite's own means are those of a pool: of windows without padding, or by SAME, without it.</summary>
    private static bool IsSaid(AveragePool op, Shape x) => !op.CeilMode
        && (op.Padding == default || !op.CountIncludePad && op.Padding == Padding.Same(new(x[2], x[3]), op.Kernel, op.Stride, Size.One));

    private int Pool(string type, Node node, string name, ValueInfo info, Size kernel, Size stride, (int X, ValueInfo Of, int Padding) from) => from.X < 0 ? throw Unsaid(node, "it reads nothing")
        : Add(type, name, info, [from.X], ("padding", from.Padding), ("stride_h", stride.Height), ("stride_w", stride.Width), ("filter_height", kernel.Height), ("filter_width", kernel.Width));

    /// <summary>A pool's padding, as far as its last windows reach where their count is rounded up.</summary>
    private static Padding Reached(Padding padding, Size kernel, Size stride, Shape x, Shape y) => padding with
    {
        Bottom = Math.Max(padding.Bottom, (y[2] - 1) * stride.Height + kernel.Height - x[2] - padding.Top),
        Right = Math.Max(padding.Right, (y[3] - 1) * stride.Width + kernel.Width - x[3] - padding.Left),
    };

    /// <summary>A window's input and its kind of padding; what SAME and VALID can't say is added, or cut, before.</summary>
    private (int, ValueInfo, int) Around(Node node, int x, ValueInfo of, Size kernel, Size stride, Size dilation, Padding padding, float fill = 0)
    {
        if (padding == default) return (x, of, Valid);
        if (padding == Padding.Same(new(of.Shape[2], of.Shape[3]), kernel, stride, dilation)) return (x, of, Same);
        Padding cut = new(Math.Max(0, -padding.Top), Math.Max(0, -padding.Left), Math.Max(0, -padding.Bottom), Math.Max(0, -padding.Right));
        if (cut != default)
        {
            ValueInfo less = of with { Shape = [of.Shape[0], of.Shape[1], of.Shape[2] - cut.Top - cut.Bottom, of.Shape[3] - cut.Left - cut.Right] };
            x = Sliced(node, $"{node.Name}/cut", less, x, [new(2, cut.Top, of.Shape[2] - cut.Bottom), new(3, cut.Left, of.Shape[3] - cut.Right)]);
            of = less;
        }
        (int top, int left, int bottom, int right) = (Math.Max(0, padding.Top), Math.Max(0, padding.Left), Math.Max(0, padding.Bottom), Math.Max(0, padding.Right));
        if (top + left + bottom + right == 0) return (x, of, Valid);
        ValueInfo more = of with { Shape = [of.Shape[0], of.Shape[1], of.Shape[2] + top + bottom, of.Shape[3] + left + right] };
        return (Padded(node, $"{node.Name}/padded", more, x, of, [0, 0, top, bottom, left, right, 0, 0], fill), more, Valid);
    }

    /// <summary>A value with elements around it: zeros, or others of this value.</summary>
    private int Padded(Node node, string name, ValueInfo info, int x, ValueInfo of, ReadOnlySpan<int> amounts, float fill)
    {
        int list = Stored($"{name}/paddings", Tensor.Of([amounts.Length / 2, 2], amounts));
        bool zeros = of.Quantization is { Axis: null, ZeroPoints: [var zero] } meaning ? meaning.Nearest(fill, of.Type) == zero : fill == 0;
        if (zeros) return Add("PAD", name, info, [x, list]);
        if (of.Type is not ElementType.Float32 && of.Quantization is null) throw Unsaid(node, $"{of} can't be padded by {fill}");
        return Add("PADV2", name, info, [x, list, Bound($"{name}/value", of, fill)]);
    }
}
