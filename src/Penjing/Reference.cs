using System.Collections.Immutable;

namespace Penjing;

/// <summary>
/// The plain evaluator: double accumulators, float32 values between nodes, NCHW, no intrinsics. The oracle of every pass and kernel,
/// the constant folder, and the fallback where no kernel fits.
/// </summary>
public static partial class Reference
{
    /// <summary>The graph's outputs for these inputs, in the graph's order; a value is let go after its last reader.</summary>
    /// <exception cref="ShapeException">The inputs are not of the count, types and shapes that the graph takes.</exception>
    public static Tensor[] Run(Graph graph, params ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != graph.Inputs.Length) throw new ShapeException($"the graph takes {graph.Inputs.Length} input(s), not {inputs.Length}");
        var values = new Dictionary<Node, Tensor>(graph.Nodes.Length);
        var readers = new Dictionary<Node, int>(graph.Nodes.Length);
        for (int i = 0; i < inputs.Length; i++)
        {
            Node input = graph.Inputs[i];
            if (inputs[i].Type != input.Info.Type || inputs[i].Shape != input.Shape)
                throw new ShapeException($"the input '{input.Name}' takes {input.Info}, not {inputs[i]}");
            values[input] = inputs[i];
        }
        foreach (Node read in graph.Nodes.SelectMany(node => node.Inputs).Concat(graph.Outputs))
            readers[read] = readers.GetValueOrDefault(read) + 1;
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is Input) continue;
            values[node] = Evaluate(node, [.. node.Inputs.Select(input => values[input])]);
            foreach (Node input in node.Inputs)
                if (--readers[input] == 0) values.Remove(input);
        }
        return [.. graph.Outputs.Select(output => values[output])];
    }

    /// <summary>What a node yields for these values of its inputs.</summary>
    /// <exception cref="ShapeException">The values are not of the types and shapes that the node's inputs have.</exception>
    /// <exception cref="PenjingException">An index among the values points at nothing.</exception>
    /// <exception cref="InvalidOperationException">The node is an <see cref="Input"/>: only the caller knows its value.</exception>
    public static Tensor Evaluate(Node node, ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != node.Inputs.Length) throw new ShapeException($"'{node.Name}' has {node.Inputs.Length} inputs, not {inputs.Length}");
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i].Type != node.Inputs[i].Info.Type || inputs[i].Shape != node.Inputs[i].Shape)
                throw new ShapeException($"'{node.Name}' takes {node.Inputs[i].Info}, not {inputs[i]}");
        return Evaluate(node.Op, [.. inputs], [.. node.Inputs.Select(input => input.Info)], node.Info);
    }

    /// <summary>What one operation yields for these inputs, none of which is quantized.</summary>
    /// <exception cref="ShapeException">The inputs don't fit the operation.</exception>
    /// <exception cref="PenjingException">An index among the inputs points at nothing.</exception>
    /// <exception cref="InvalidOperationException">The operation is an <see cref="Input"/>: only the caller knows its value.</exception>
    public static Tensor Evaluate(Op op, ReadOnlySpan<Tensor> inputs)
    {
        var infos = ImmutableArray.CreateBuilder<ValueInfo>(inputs.Length);
        foreach (Tensor input in inputs) infos.Add(new(input.Type, input.Shape));
        ImmutableArray<ValueInfo> known = infos.MoveToImmutable();
        return Evaluate(op, [.. inputs], known, op.Infer(known.AsSpan()));
    }

    private static Tensor Evaluate(Op op, ImmutableArray<Tensor> inputs, ImmutableArray<ValueInfo> infos, ValueInfo result)
    {
        Shape shape = result.Shape;
        return op switch
        {
            Constant constant => constant.Value,
            Input => throw new InvalidOperationException("an input has no value but the caller's"),

            Conv conv => Convolve(conv, Centered(0), Centered(1), inputs.Length > 2 ? inputs[2] : null, result),
            ConvTranspose conv => ConvolveTransposed(conv, Centered(0), Centered(1), inputs.Length > 2 ? inputs[2] : null, result),
            MaxPool pool => Pool(pool, inputs[0], shape),
            AveragePool pool => Pool(pool, inputs[0], shape),
            GlobalAveragePool => Mean(inputs[0], shape, [2, 3]),
            GlobalMaxPool => Pool(new MaxPool(new(inputs[0].Shape[2], inputs[0].Shape[3]), Size.One), inputs[0], shape),
            Resize resize when inputs[0].Type is ElementType.Int8 => ScaleIntegers<sbyte>(resize, inputs[0], infos[0].Quantization!.ZeroPoints[0], shape),
            Resize resize when inputs[0].Type is ElementType.UInt8 => ScaleIntegers<byte>(resize, inputs[0], infos[0].Quantization!.ZeroPoints[0], shape),
            Resize resize => Scale(resize, inputs[0], shape),
            GridSample sample => Sample(sample, inputs[0], inputs[1], shape),
            RoiAlign align => Sample(align, inputs[0], inputs[1], inputs[2], shape),

            Gemm gemm => Multiply(gemm, Centered(0), Centered(1), inputs.Length > 2 ? inputs[2] : null, result),
            MatMul => Multiply(Centered(0), Centered(1), result),
            Einsum einsum => Multiply(einsum, inputs.AsSpan(), shape),
            Reduction reduce => Reduce(reduce, inputs[0], result),
            ArgExtreme extreme => Extreme(extreme, inputs[0], shape),
            Extremes extremes => Top(extremes, inputs[0], shape),
            CumSum sum => Accumulate(sum, inputs[0]),

            Elementwise elementwise => Each(elementwise, inputs[0], infos[0], result),
            PRelu => Pairwise((x, slope) => x < 0 ? x * slope : x, inputs[0], inputs[1], shape),
            Binary binary => Pairwise(binary, inputs[0], inputs[1], result),
            Where => Choose(inputs[0], inputs[1], inputs[2], shape),
            Softmax softmax => Normalize(op, softmax.Axis, inputs[0]),
            LogSoftmax softmax => Normalize(op, softmax.Axis, inputs[0]),
            Hardmax hardmax => Normalize(op, hardmax.Axis, inputs[0]),
            LRN lrn => Normalize(lrn, inputs[0]),
            BatchNormalization normalization => Normalize(normalization, inputs.AsSpan()),
            QuantizeLinear quantize => Quantize(quantize, inputs[0], infos[0]),
            DequantizeLinear => Dequantize(inputs[0], infos[0].Quantization!),

            Identity or Dropout or Reinterpret => inputs[0],
            Reshape or Flatten or Squeeze or Unsqueeze => inputs[0].Reshape(shape),
            Transpose transpose => Permute(transpose, inputs[0], shape),
            Concat concat => Join(concat, inputs.AsSpan(), shape),
            Slice slice => Select(inputs[0], shape, slice.Axis, Indices(slice, inputs[0].Shape[slice.Axis])),
            Gather gather => Select(inputs[0], shape, gather.Axis, gather.Indices.AsSpan()),
            Pad pad => Select(inputs[0], shape, pad.Axis, Indices(pad, inputs[0].Shape[pad.Axis]), Element(infos[0], pad.Value)),
            Expand => Moved(inputs[0], shape, Offsets(shape, Strides(inputs[0].Shape, shape.Rank))),
            Tile tile => Moved(inputs[0], shape, Repeated(tile, inputs[0].Shape, shape)),
            Trilu trilu => Moved(inputs[0], shape, Triangle(trilu, shape)),
            Take take => Pick(take, inputs[0], inputs[1], shape),
            GatherElements gather => Moved(inputs[0], shape, Places(op, gather.Axis, inputs[0].Shape, inputs[1])),
            GatherND gather => Moved(inputs[0], shape, Places(op, gather.BatchDims, inputs[0].Shape, inputs[1], shape.Elements)),
            ScatterElements scatter => Scatter(inputs[0], inputs[2], Places(op, scatter.Axis, shape, inputs[1]), scatter.Reduction),
            ScatterND scatter => Scatter(inputs[0], inputs[2], Places(op, 0, shape, inputs[1], inputs[2].Shape.Elements), scatter.Reduction),
            OneHot hot => Marked(hot, inputs[0], inputs[1], shape),

            _ => throw new NotSupportedException($"the reference doesn't know {op.Name}"),
        };

        Tensor Centered(int index) => Reference.Centered(inputs[index], infos[index].Quantization);
    }

    /// <summary>The offset, for each element of <paramref name="shape"/> in row-major order, that these strides give.</summary>
    private static int[] Offsets(Shape shape, ReadOnlySpan<int> strides)
    {
        var offsets = new int[shape.Elements];
        int count = 1;
        for (int axis = shape.Rank - 1; axis >= 0 && offsets.Length > 0; axis--)
        {
            int extent = shape[axis];
            for (int i = 1; i < extent; i++)
                for (int j = 0; j < count; j++) offsets[i * count + j] = offsets[j] + i * strides[axis];
            count *= extent;
        }
        return offsets;
    }

    /// <summary>Row-major strides of <paramref name="shape"/>, aligned at the last axis of <paramref name="rank"/> axes; 0 where it broadcasts.</summary>
    private static int[] Strides(Shape shape, int rank)
    {
        var strides = new int[rank];
        int stride = 1;
        for (int back = 1; back <= shape.Rank; back++)
        {
            if (shape[-back] != 1) strides[rank - back] = stride;
            stride *= shape[-back];
        }
        return strides;
    }
}
