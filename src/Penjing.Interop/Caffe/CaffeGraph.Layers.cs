using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Penjing.Interop.Caffe;

// The table of layers: what each type of Caffe's becomes.
internal sealed partial class CaffeGraph
{
    private const int Largest = 1 << 20;

    private static readonly FrozenDictionary<string, Func<CaffeGraph, CaffeLayer, Node[]>> Builders =
        new Dictionary<string, Func<CaffeGraph, CaffeLayer, Node[]>>
        {
            ["AbsVal"] = (graph, layer) => graph.Unary(layer, new Unary(UnaryFunction.Abs)),
            ["BatchNorm"] = (graph, layer) => graph.BatchNorm(layer),
            ["Concat"] = (graph, layer) => graph.Concat(layer),
            ["Convolution"] = (graph, layer) => graph.Convolution(layer),
            ["Deconvolution"] = (graph, layer) => graph.Convolution(layer),
            ["Dropout"] = (graph, layer) => graph.Unary(layer, new Dropout(layer.Definition.Message("dropout_param").Number("dropout_ratio", 0.5f))),
            ["ELU"] = (graph, layer) => graph.Unary(layer, new Elu(layer.Definition.Message("elu_param").Number("alpha", 1))),
            ["Eltwise"] = (graph, layer) => graph.Eltwise(layer),
            ["Flatten"] = (graph, layer) => graph.Flatten(layer),
            ["InnerProduct"] = (graph, layer) => graph.InnerProduct(layer),
            ["LRN"] = (graph, layer) => graph.Normalize(layer),
            ["PReLU"] = (graph, layer) => graph.PReLU(layer),
            ["Pooling"] = (graph, layer) => graph.Pooling(layer),
            ["Power"] = (graph, layer) => graph.Power(layer),
            ["ReLU"] = (graph, layer) => graph.Unary(layer,
                layer.Definition.Message("relu_param").Number("negative_slope", 0) is not 0 and float slope ? new LeakyRelu(slope) : new Relu()),
            ["Reshape"] = (graph, layer) => graph.Reshape(layer),
            ["Scale"] = (graph, layer) => graph.Scale(layer),
            ["Sigmoid"] = (graph, layer) => graph.Unary(layer, new Sigmoid()),
            ["Slice"] = (graph, layer) => graph.Slice(layer),
            ["Softmax"] = (graph, layer) => graph.Softmax(layer),
            ["SoftmaxWithLoss"] = (graph, layer) => graph.Softmax(layer),
            ["Split"] = (graph, layer) => [.. layer.Tops.Select(_ => graph.Bottom(layer))],
            ["TanH"] = (graph, layer) => graph.Unary(layer, new Tanh()),
        }.ToFrozenDictionary();

    private Node[] Unary(CaffeLayer layer, Op op) => [Make(layer, op, Bottom(layer))];

    private Node[] Convolution(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("convolution_param");
        bool transposed = layer.Type == "Deconvolution";
        if (param.Integer("axis", 1) != 1) throw layer.Wrong("convolves along other axes than height and width");
        Size kernel = Extent(layer, param, "kernel_size", "kernel", null), stride = Extent(layer, param, "stride", "stride", 1);
        Size pad = Extent(layer, param, "pad", "pad", 0), dilation = Extent(layer, param, "dilation", "dilation", 1);
        int outputs = Count(layer, param, "num_output"), groups = param.Integer("group", 1);
        Node x = Bottom(layer);
        if (x.Shape.Rank != 4 || groups < 1 || x.Shape[1] % groups != 0 || outputs % groups != 0)
            throw layer.Wrong($"takes {x.Shape} to {outputs} channels in {groups} group(s), which don't divide them");
        Shape shape = transposed ? [x.Shape[1], outputs / groups, kernel.Height, kernel.Width] : [outputs, x.Shape[1] / groups, kernel.Height, kernel.Width];
        var padding = new Padding(pad.Height, pad.Width, pad.Height, pad.Width);
        Op op = transposed ? new ConvTranspose(stride, padding, dilation, Groups: groups) : new Conv(stride, padding, dilation, groups);
        ImmutableArray<Node> operands = [x, Weight(layer, 0, "weight", shape)];
        if (param.Flag("bias_term", true)) operands = operands.Add(Weight(layer, 1, "bias", [outputs]));
        return [Make(layer, op, operands)];
    }

    private Node[] InnerProduct(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("inner_product_param");
        int outputs = Count(layer, param, "num_output");
        Node x = Bottom(layer);
        if (param.Integer("axis", 1) != 1 || x.Shape.Rank < 2) throw layer.Wrong($"multiplies {x.Shape} along another axis than 1");
        int depth = x.Shape.Product(1, x.Shape.Rank);
        if (x.Shape.Rank > 2) x = new(Unique($"{layer.Name}.flat"), new Flatten(), x);
        bool transpose = param.Flag("transpose", false);
        ImmutableArray<Node> operands = [x, Weight(layer, 0, "weight", transpose ? [depth, outputs] : [outputs, depth])];
        if (param.Flag("bias_term", true)) operands = operands.Add(Weight(layer, 1, "bias", [outputs]));
        return [Make(layer, new Gemm(TransposeB: !transpose), operands)];
    }

    /// <summary>Caffe's windows go on until they have covered the picture; its divisor counts padding, but nothing beyond it.</summary>
    private Node[] Pooling(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("pooling_param");
        string pool = param.Text("pool", "MAX");
        if (pool is not ("MAX" or "AVE" or "0" or "1") || layer.Tops.Length > 1)
            throw layer.Wrong($"pools by {pool} with {layer.Tops.Length} tops; supported are MAX and AVE with one");
        bool max = pool is "MAX" or "0", ceil = param.Text("round_mode", "CEIL") is "CEIL" or "0";
        Node x = Bottom(layer);
        if (param.Flag("global_pooling", false)) return [Make(layer, max ? new GlobalMaxPool() : new GlobalAveragePool(), x)];
        Size kernel = Extent(layer, param, "kernel_size", "kernel", null), stride = Extent(layer, param, "stride", "stride", 1);
        Size pad = Extent(layer, param, "pad", "pad", 0);
        if (stride.Height > kernel.Height || stride.Width > kernel.Width)
            throw layer.Wrong($"has strides {stride} beyond its kernel {kernel}, which Caffe lets run out of the picture");
        var padding = new Padding(pad.Height, pad.Width, pad.Height, pad.Width);
        return max ? Unary(layer, new MaxPool(kernel, stride, padding, Size.One, ceil)) : Unary(layer, new AveragePool(kernel, stride, padding, ceil, true));
    }

    private Node[] Concat(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("concat_param");
        ImmutableArray<Node> parts = [.. Enumerable.Range(0, layer.Bottoms.Length).Select(number => Bottom(layer, number))];
        return [Make(layer, new Concat(Axis(layer, Bottom(layer), param.Integer("axis", param.Integer("concat_dim", 1)))), parts)];
    }

    private Node[] Slice(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("slice_param");
        Node x = Bottom(layer);
        int axis = Axis(layer, x, param.Integer("axis", param.Integer("slice_dim", 1))), extent = x.Shape[axis];
        ImmutableArray<int> points = param.Integers("slice_point");
        if (points.IsEmpty) points = [.. Enumerable.Range(1, Math.Max(0, layer.Tops.Length - 1)).Select(part => extent / layer.Tops.Length * part)];
        int[] borders = [0, .. points, extent];
        if (borders.Length != layer.Tops.Length + 1 || borders.Zip(borders.Skip(1)).Any(pair => pair.First >= pair.Second))
            throw layer.Wrong($"cuts {extent} at {string.Join(", ", points)} for {layer.Tops.Length} tops");
        return [.. layer.Tops.Select((_, part) => Make(layer, new Slice(axis, borders[part], borders[part + 1]), x))];
    }

    private Node[] Eltwise(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("eltwise_param");
        string operation = param.Text("operation", "SUM");
        ImmutableArray<float> factors = param.Numbers("coeff");
        if (!factors.IsEmpty && (factors.Length != layer.Bottoms.Length || operation is not ("SUM" or "1")))
            throw layer.Wrong($"has {factors.Length} coefficients for {layer.Bottoms.Length} values");
        Node[] parts = [.. Enumerable.Range(0, layer.Bottoms.Length).Select(number => Bottom(layer, number))];
        for (int part = 0; part < factors.Length; part++)
            if (factors[part] != 1)
                parts[part] = new(Unique($"{layer.Name}.scaled"), new Mul(), parts[part], Constant(layer, "coefficient", [], factors[part]));
        Op op = operation switch
        {
            "SUM" or "1" => new Add(),
            "PROD" or "0" => new Mul(),
            "MAX" or "2" => new Max(),
            _ => throw layer.Wrong($"has the operation {operation}; supported are SUM, PROD and MAX"),
        };
        return parts.Length > 1
            ? [parts.Skip(1).Aggregate(parts[0], (sum, part) => Make(layer, op, sum, part))]
            : throw layer.Wrong("reads fewer than two values");
    }

    private Node[] BatchNorm(CaffeLayer layer)
    {
        Node x = Bottom(layer);
        int channels = Channels(layer, x);
        float factor = blobs.Blob(layer, 2, [1]).Floats[0];
        Node Moment(int number, string what)
        {
            Tensor value = blobs.Blob(layer, number, [channels]);
            return Node.Weight(Unique($"{layer.Name}.{what}"), Tensor.Build<float>([channels], scaled =>
            {
                for (int channel = 0; channel < channels; channel++) scaled[channel] = factor == 0 ? 0 : value.Floats[channel] / factor;
            }));
        }
        Node mean = Moment(0, "mean"), variance = Moment(1, "variance");
        var op = new BatchNormalization(layer.Definition.Message("batch_norm_param").Number("eps", 1e-5f));
        return [Make(layer, op, x, Constant(layer, "scale", [channels], 1), Constant(layer, "bias", [channels], 0), mean, variance)];
    }

    /// <summary>A Scale behind a BatchNorm that has none yet becomes its scale and bias; another one multiplies and adds.</summary>
    private Node[] Scale(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("scale_param");
        Node x = Bottom(layer);
        int axis = Axis(layer, x, param.Integer("axis", 1));
        if (layer.Bottoms.Length == 2)
        {
            Node factor = Bottom(layer, 1);
            Ints missing = [.. Enumerable.Range(factor.Shape.Rank, Math.Max(0, x.Shape.Rank - axis - factor.Shape.Rank))];
            return [Make(layer, new Mul(), x, missing.Count == 0 ? factor : new(Unique($"{layer.Name}.factor"), new Unsqueeze(missing), factor))];
        }
        if (axis != 1 || param.Integer("num_axes", 1) != 1) throw layer.Wrong("scales along other axes than the channels");
        int channels = Channels(layer, x);
        bool biased = param.Flag("bias_term", false);
        if (x.Op is BatchNormalization norm && All(x.Inputs[1], 1) && All(x.Inputs[2], 0))
        {
            Node bias = biased ? Weight(layer, 1, "bias", [channels]) : Constant(layer, "bias", [channels], 0);
            return [Make(layer, norm, x.Inputs[0], Weight(layer, 0, "weight", [channels]), bias, x.Inputs[3], x.Inputs[4])];
        }
        Shape wide = [channels, .. Enumerable.Repeat(1, x.Shape.Rank - 2)];
        Node scaled = Make(layer, new Mul(), x, Weight(layer, 0, "weight", [channels], wide));
        return [biased ? Make(layer, new Add(), scaled, Weight(layer, 1, "bias", [channels], wide)) : scaled];

        static bool All(Node weight, float value) => !weight.Value!.Floats.ContainsAnyExcept(value);
    }

    private Node[] PReLU(CaffeLayer layer)
    {
        Node x = Bottom(layer);
        int channels = layer.Definition.Message("prelu_param").Flag("channel_shared", false) ? 1 : Channels(layer, x);
        return [Make(layer, new PRelu(), x, Weight(layer, 0, "slope", [channels], [channels, .. Enumerable.Repeat(1, x.Shape.Rank - 2)]))];
    }

    private Node[] Normalize(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("lrn_param");
        if (param.Text("norm_region", "ACROSS_CHANNELS") is not ("ACROSS_CHANNELS" or "0"))
            throw layer.Wrong("normalizes within channels; supported is ACROSS_CHANNELS");
        return Unary(layer, new LRN(param.Number("alpha", 1), param.Number("beta", 0.75f), param.Number("k", 1), param.Integer("local_size", 5)));
    }

    /// <summary>(shift + scale · x) to a power.</summary>
    private Node[] Power(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("power_param");
        Node value = Bottom(layer);
        ReadOnlySpan<(string, float, Op)> steps = [("scale", 1, new Mul()), ("shift", 0, new Add()), ("power", 1, new Pow())];
        foreach ((string what, float usual, Op op) in steps)
            if (param.Number(what, usual) is float number && number != usual) value = Make(layer, op, value, Constant(layer, what, [], number));
        return [value.Equals(Bottom(layer)) ? Make(layer, new Identity(), value) : value];
    }

    private Node[] Flatten(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("flatten_param");
        return param.Integer("axis", 1) == 1 && param.Integer("end_axis", -1) == -1
            ? Unary(layer, new Flatten())
            : throw layer.Wrong("flattens other axes than those from 1 on");
    }

    private Node[] Reshape(CaffeLayer layer)
    {
        PrototxtMessage param = layer.Definition.Message("reshape_param");
        if (param.Integer("axis", 0) != 0 || param.Integer("num_axes", -1) != -1) throw layer.Wrong("reshapes a part of the axes");
        return Unary(layer, new Reshape([.. param.Message("shape").Integers("dim")]));
    }

    private Node[] Softmax(CaffeLayer layer)
    {
        Node x = Bottom(layer);
        return [Make(layer, new Softmax(Axis(layer, x, layer.Definition.Message("softmax_param").Integer("axis", 1))), x)];
    }

    /// <summary>Height and width of a parameter: given by name_h and name_w, or once, or twice, or where it may be missing not at all.</summary>
    private static Size Extent(CaffeLayer layer, PrototxtMessage param, string square, string name, int? usual)
    {
        ImmutableArray<int> given = param.Integers(square);
        (int height, int width) = (param.Integer($"{name}_h", -1), param.Integer($"{name}_w", -1));
        Size extent = (given, height, width) switch
        {
            (_, >= 0, >= 0) => new(height, width),
            ([int both], _, _) => Size.Square(both),
            ([int high, int wide], _, _) => new(high, wide),
            ([], -1, -1) when usual is { } one => Size.Square(one),
            _ => throw layer.Wrong(
                $"says {(given.IsEmpty ? "no" : string.Join(", ", given))} {square}; one or two numbers are wanted, or {name}_h and {name}_w"),
        };
        int least = name == "pad" ? 0 : 1;
        return extent.Height >= least && extent.Width >= least && Math.Max(extent.Height, extent.Width) <= Largest
            ? extent
            : throw layer.Wrong($"has the {square} {extent}");
    }

    private static int Count(CaffeLayer layer, PrototxtMessage param, string name) =>
        param.Integer(name, 0) is > 0 and <= Largest and int count ? count : throw layer.Wrong($"has no {name} from 1 to {Largest}");

    private static int Channels(CaffeLayer layer, Node x) => x.Shape.Rank >= 2 ? x.Shape[1] : throw layer.Wrong($"reads {x.Shape}, which has no channels");

    private static int Axis(CaffeLayer layer, Node x, int axis) =>
        axis >= -x.Shape.Rank && axis < x.Shape.Rank ? axis < 0 ? axis + x.Shape.Rank : axis : throw layer.Wrong($"has the axis {axis} of {x.Shape}");
}
