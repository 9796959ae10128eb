using TorchSharp;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>Every operation in torch, differentiable where it has a derivative; batch sizes follow from the inputs, not from the graph.</summary>
internal static class TorchOps
{
    /// <summary>What one node yields. Shapes of pictures are the node's; only the first extent may differ.</summary>
    /// <param name="node">The node; its op is neither an Input, a Constant, a BatchNormalization nor a Dropout.</param>
    /// <param name="inPlace">Whether an activation may overwrite its input.</param>
    /// <param name="inputs">The values of the node's inputs.</param>
    /// <exception cref="PenjingException">Training doesn't know the operation.</exception>
    public static TorchTensor Evaluate(Node node, bool inPlace, ReadOnlySpan<TorchTensor> inputs)
    {
        TorchTensor x = inputs[0];
        return node.Op switch
        {
            _ when TorchNumbers.IsOfIntegers(node) =>
                throw new PenjingException($"node '{node.Name}': training doesn't know the operation {node.Op.Name} of integers"),
            LearnedStep step => step.Evaluate(x, inputs[1]),
            Conv conv => TorchWindows.Convolve(conv, x, inputs[1], inputs.Length > 2 ? inputs[2] : null).Then(conv.Then),
            ConvTranspose conv => TorchWindows.ConvolveTransposed(conv, x, inputs[1], inputs.Length > 2 ? inputs[2] : null),
            MaxPool pool => TorchWindows.Pool(pool, x, node.Shape),
            AveragePool pool => TorchWindows.Pool(pool, x, node.Shape),
            GlobalAveragePool => x.mean([2, 3], keepdim: true),
            GlobalMaxPool => x.amax([2, 3], keepdim: true),
            Resize resize => TorchWindows.Resize(resize, x),

            Gemm gemm => Multiply(gemm, x, inputs[1], inputs.Length > 2 ? inputs[2] : null).Then(gemm.Then),
            MatMul => torch.matmul(x, inputs[1]),
            Reduction reduce => TorchNumbers.Reduce(reduce, x),
            ArgMax arg => Largest(arg, x),
            ArgMin arg => Largest(new ArgMax(arg.Axis, arg.KeepDims, arg.SelectLast), x.neg()),
            TopK top => x.topk(top.K, top.Axis, top.Largest, top.Sorted).values,
            CumSum { Exclusive: false, Reverse: false } sum => x.cumsum(sum.Axis),

            Activation activation => Activate(activation, x, inPlace),
            PRelu => torch.where(x.IsBelow(0), x * inputs[1], x),
            Add add => x.Plus(inputs[1]).Then(add.Then),
            Elementwise function => TorchNumbers.Apply(function, x),
            Binary binary => TorchNumbers.Apply(binary, x, inputs[1]),
            Where => torch.where(x, inputs[1], inputs[2]),
            Softmax softmax => x.softmax(softmax.Axis),
            LogSoftmax softmax => x.log_softmax(softmax.Axis),
            LRN lrn => TorchNumbers.Normalize(lrn, x),

            Identity => x.alias(),
            Reshape reshape => x.reshape([.. reshape.Target.Select((extent, axis) => extent == 0 ? x.shape[axis] : extent)]),
            Flatten flatten => Matrix(flatten, x),
            Squeeze squeeze => Squeezed(squeeze, x, node.Inputs[0].Shape),
            Unsqueeze unsqueeze => unsqueeze.Axes.Select(axis => axis < 0 ? axis + node.Shape.Rank : axis).Order().Aggregate(x.alias(), (value, axis) => value.unsqueeze(axis)),
            Transpose transpose => x.permute(Longs(transpose.Permutation)),
            Concat concat => torch.cat([.. inputs], concat.Axis),
            Slice slice => Select(x, slice.Axis, Indices(slice, (int)x.shape[FromFront(slice.Axis, x)])),
            Gather gather => Select(x, gather.Axis, Longs(gather.Indices)),
            Pad pad => Padded(pad, x),
            Expand expand => x.expand(Broadcast(x.shape, expand.Shape.ToTorch())),
            Tile tile => x.repeat(Longs(tile.Repeats)),
            Trilu { Upper: true } trilu => x.triu(trilu.K),
            Trilu trilu => x.tril(trilu.K),
            Take take => Taken(take, x, inputs[1]),
            GatherElements gather => x.gather(FromFront(gather.Axis, x), FromZero(inputs[1], x.shape[FromFront(gather.Axis, x)])),
            Reinterpret => x.alias(),

            _ => throw new PenjingException($"node '{node.Name}': training doesn't know the operation {node.Op.Name}"),
        };
    }

    /// <summary>
    /// A value as an operation takes it in mixed precision: products and dense convolutions in bfloat16; transposed convolutions, those of groups, and larger kernels than 1×1 that step
    /// over pixels, whose derivatives oneDNN computes slowly in it, in Float32; all others as it comes.
    /// </summary>
    public static TorchTensor Mixed(Node node, TorchTensor x) => node.Op switch
    {
        Gemm or MatMul => x.AsBFloat16(),
        Conv { Groups: 1 } conv when conv.Stride == Size.One || node.Inputs[1].Shape.Product(2, 4) == 1 => x.AsBFloat16(),
        Conv or ConvTranspose => x.AsFloat32(),
        _ => x,
    };

    /// <summary>Whether an activation after this operation may overwrite its value: torch doesn't need it again for its derivative.</summary>
    public static bool Overwritable(Op op) => op is Conv { Then: null } or ConvTranspose or BatchNormalization or Add { Then: null };

    private static TorchTensor Then(this TorchTensor x, Activation? then) => then is null ? x : Activate(then, x, inPlace: true);

    private static TorchTensor Activate(Activation activation, TorchTensor x, bool inPlace) => activation switch
    {
        Relu => inPlace ? x.relu_() : x.relu(),
        // TorchSharp's hardtanh that should make a new tensor returns its input unchanged.
        Clip clip => inPlace ? x.Bound(clip.Min, clip.Max) : x.Within(clip.Min, clip.Max),
        LeakyRelu leaky => x.Leaky(leaky.Alpha),
        Sigmoid => x.sigmoid(),
        HardSigmoid hard => x.Times(hard.Alpha).Plus(hard.Beta).Within(0, 1),
        HardSwish => x.hardswish(),
        Tanh => x.tanh(),
        _ => throw new PenjingException($"training doesn't know the activation {activation.Name}"),
    };

    private static TorchTensor Multiply(Gemm gemm, TorchTensor a, TorchTensor b, TorchTensor? addend)
    {
        if (gemm is { TransposeA: false, TransposeB: true, Alpha: 1, Beta: 1 } && (addend is null || (addend.dim() == 1 && addend.shape[0] == b.shape[0])))
            return functional.linear(a, b, addend);
        TorchTensor scaled = torch.matmul(gemm.TransposeA ? a.t() : a, gemm.TransposeB ? b.t() : b);
        if (gemm.Alpha != 1) scaled = scaled.Times(gemm.Alpha);
        return addend is null ? scaled : scaled.Plus(gemm.Beta == 1 ? addend : addend.Times(gemm.Beta));
    }

    private static TorchTensor Largest(ArgMax arg, TorchTensor x)
    {
        if (!arg.SelectLast) return x.argmax(arg.Axis, arg.KeepDims);
        return x.flip(arg.Axis).argmax(arg.Axis, arg.KeepDims).neg().Plus(x.shape[FromFront(arg.Axis, x)] - 1);
    }

    private static TorchTensor Taken(Take take, TorchTensor x, TorchTensor indices)
    {
        int axis = FromFront(take.Axis, x);
        return x.index_select(axis, FromZero(indices, x.shape[axis]).reshape(-1)).reshape([.. x.shape[..axis], .. indices.shape, .. x.shape[(axis + 1)..]]);
    }

    /// <summary>Indices of which the negative ones counted from the end.</summary>
    private static TorchTensor FromZero(TorchTensor indices, long extent)
    {
        TorchTensor wide = indices.to_type(torch.ScalarType.Int64);
        return torch.where(wide.IsBelow(0), wide.Plus(extent), wide);
    }

    private static long[] Broadcast(long[] left, long[] right)
    {
        int rank = Math.Max(left.Length, right.Length);
        long Extent(long[] shape, int axis) => axis < rank - shape.Length ? 1 : shape[axis - rank + shape.Length];
        return [.. Enumerable.Range(0, rank).Select(axis => Extent(left, axis) == 1 ? Extent(right, axis) : Extent(left, axis))];
    }

    private static TorchTensor Matrix(Flatten flatten, TorchTensor x)
    {
        int axis = flatten.Axis < 0 ? flatten.Axis + (int)x.dim() : flatten.Axis;
        return x.reshape(x.shape[..axis].Aggregate(1L, (product, extent) => product * extent), x.shape[axis..].Aggregate(1L, (product, extent) => product * extent));
    }

    private static TorchTensor Squeezed(Squeeze squeeze, TorchTensor x, Shape shape)
    {
        IEnumerable<int> axes = squeeze.Axes.Count > 0 ? squeeze.Axes.Select(axis => FromFront(axis, x)) : Enumerable.Range(0, shape.Rank).Where(axis => shape[axis] == 1);
        return axes.OrderDescending().Aggregate(x.alias(), (value, axis) => value.squeeze(axis));
    }

    private static TorchTensor Select(TorchTensor x, int axis, long[] indices)
    {
        int from = FromFront(axis, x);
        for (int i = 1; i < indices.Length; i++)
            if (indices[i] != indices[0] + i)
            {
                using TorchTensor index = torch.tensor(indices);
                return x.index_select(from, index);
            }
        return x.narrow(from, indices.Length > 0 ? indices[0] : 0, indices.Length);
    }

    private static long[] Indices(Slice slice, int extent)
    {
        (int first, int count) = slice.Range(extent);
        return [.. Enumerable.Range(0, count).Select(i => first + (long)i * slice.Step)];
    }

    private static TorchTensor Padded(Pad pad, TorchTensor x)
    {
        int axis = FromFront(pad.Axis, x), extent = (int)x.shape[axis], rank = (int)x.dim();
        if (pad.Mode is PadMode.Constant)
        {
            var amounts = new long[2 * (rank - axis)];
            (amounts[^2], amounts[^1]) = (pad.Before, pad.After);
            return functional.pad(x, amounts, value: pad.Value);
        }
        return Select(x, axis, [.. Enumerable.Range(-pad.Before, extent + pad.Before + pad.After).Select(at => (long)(pad.Mode is PadMode.Edge
            ? Math.Clamp(at, 0, extent - 1)
            : at < 0 ? -at : at >= extent ? 2 * (extent - 1) - at : at))]);
    }

    private static int FromFront(int axis, TorchTensor x) => axis < 0 ? axis + (int)x.dim() : axis;

    private static long[] Longs(Ints ints) => [.. ints.Select(value => (long)value)];
}
