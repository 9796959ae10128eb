using TorchSharp;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>Functions of single elements and of pairs, and reductions, in torch.</summary>
internal static class TorchNumbers
{
    /// <summary>Whether the node computes with integers, which training leaves to others: nothing of them has a derivative.</summary>
    public static bool IsOfIntegers(Node node) => node.Inputs[0].Info.Type is not ElementType.Bool && !node.Inputs[0].Info.Type.IsFloat()
        && node.Op is Elementwise and not Cast or Binary and not Comparison or Reduction or ArgExtreme or MaxPool or GlobalMaxPool or CumSum or TopK;

    /// <summary>A function of each element that is no activation.</summary>
    public static TorchTensor Apply(Elementwise op, TorchTensor x) => op switch
    {
        Unary unary => Apply(unary.Function, x),
        // No element equals NaN.
        IsInf inf => x.Is(inf.Negative ? double.NegativeInfinity : double.NaN).logical_or(x.Is(inf.Positive ? double.PositiveInfinity : double.NaN)),
        Elu elu => x.Elu(elu.Alpha),
        Celu celu => x.Celu(celu.Alpha),
        Selu selu => torch.where(x.IsAbove(0), x, x.AtMost(0).exp().Plus(-1).Times(selu.Alpha)).Times(selu.Gamma),
        ThresholdedRelu relu => x * x.IsAbove(relu.Alpha),
        Shrink shrink => torch.where(x.IsBelow(-shrink.Lambda), x.Plus(shrink.Bias), torch.where(x.IsAbove(shrink.Lambda), x.Plus(-shrink.Bias), x.Times(0))),
        Gelu { Tanh: true } => x.Times(0.5) * x.Plus(x.Power(3).Times(0.044715)).Times(Math.Sqrt(2 / Math.PI)).tanh().Plus(1),
        Gelu => x.Times(0.5) * x.Times(Math.Sqrt(0.5)).erf().Plus(1),
        Cast cast => x.to_type(cast.To.ToTorch()),
        _ => throw new PenjingException($"training doesn't know the function {op.Name}"),
    };

    private static TorchTensor Apply(UnaryFunction function, TorchTensor x) => function switch
    {
        UnaryFunction.Abs => x.abs(),
        UnaryFunction.Acos => x.acos(),
        UnaryFunction.Acosh => x.acosh(),
        UnaryFunction.Asin => x.asin(),
        UnaryFunction.Asinh => x.asinh(),
        UnaryFunction.Atan => x.atan(),
        UnaryFunction.Atanh => x.atanh(),
        UnaryFunction.Ceil => x.ceil(),
        UnaryFunction.Cos => x.cos(),
        UnaryFunction.Cosh => x.cosh(),
        UnaryFunction.Erf => x.erf(),
        UnaryFunction.Exp => x.exp(),
        UnaryFunction.Floor => x.floor(),
        UnaryFunction.IsNaN => x.ne(x),
        UnaryFunction.Log => x.log(),
        UnaryFunction.Mish => x * x.Softplus().tanh(),
        UnaryFunction.Neg => x.neg(),
        UnaryFunction.Not => x.logical_not(),
        UnaryFunction.Reciprocal => x.reciprocal(),
        UnaryFunction.Round => x.round(),
        UnaryFunction.Sign => x.sign(),
        UnaryFunction.Sin => x.sin(),
        UnaryFunction.Sinh => x.sinh(),
        UnaryFunction.Softplus => x.Softplus(),
        UnaryFunction.Softsign => x / x.abs().Plus(1),
        UnaryFunction.Sqrt => x.sqrt(),
        _ => x.tan(),
    };

    /// <summary>A function of pairs but for the sum with its activation.</summary>
    public static TorchTensor Apply(Binary op, TorchTensor x, TorchTensor y) => op switch
    {
        Sub => x - y,
        Mul => x * y,
        Div => x / y,
        Pow => x.pow(y),
        Min => torch.minimum(x, y),
        Max => torch.maximum(x, y),
        Mod { Fmod: true } => x.fmod(y),
        Mod => x.remainder(y),
        Equal => x.eq(y),
        Less => x.lt(y),
        LessOrEqual => x.le(y),
        Greater => x.gt(y),
        GreaterOrEqual => x.ge(y),
        And => x.logical_and(y),
        Or => x.logical_or(y),
        Xor => x.logical_xor(y),
        _ => throw new PenjingException($"training doesn't know the function {op.Name}"),
    };

    /// <summary>A reduction.</summary>
    public static TorchTensor Reduce(Reduction op, TorchTensor x)
    {
        long[] axes = op.Axes.Count == 0 ? [.. Enumerable.Range(0, (int)x.dim()).Select(axis => (long)axis)] : [.. op.Axes.Select(axis => (long)axis)];
        return op switch
        {
            ReduceMean => x.mean(axes, op.KeepDims),
            ReduceSum => x.sum(axes, op.KeepDims),
            ReduceMax => x.amax(axes, op.KeepDims),
            ReduceMin => x.amin(axes, op.KeepDims),
            ReduceL1 => x.abs().sum(axes, op.KeepDims),
            ReduceL2 => x.Power(2).sum(axes, op.KeepDims).sqrt(),
            ReduceLogSum => x.sum(axes, op.KeepDims).log(),
            ReduceSumSquare => x.Power(2).sum(axes, op.KeepDims),
            ReduceLogSumExp => LogSumExp(),
            ReduceProd => FromLast().Aggregate(x, (product, axis) => product.prod(axis, op.KeepDims)),
            _ => throw new PenjingException($"training doesn't know the reduction {op.Name}"),
        };

        IEnumerable<long> FromLast() => axes.Select(axis => axis < 0 ? axis + x.dim() : axis).OrderDescending();

        TorchTensor LogSumExp()
        {
            TorchTensor largest = x.detach().amax(axes, true), sum = (x - largest).exp().sum(axes, true).log().Plus(largest);
            return op.KeepDims ? sum : FromLast().Aggregate(sum, (value, axis) => value.squeeze(axis));
        }
    }

    /// <summary>Each element by a power of the squares of its neighbours along axis 1.</summary>
    public static TorchTensor Normalize(LRN op, TorchTensor x)
    {
        int before = (op.Size - 1) / 2, after = op.Size / 2, rank = (int)x.dim();
        long[] around = [.. Enumerable.Repeat(0L, 2 * (rank - 2)), before, after];
        TorchTensor squares = functional.pad(x.Power(2), around);
        TorchTensor sum = Enumerable.Range(0, op.Size).Select(k => squares.narrow(1, k, x.shape[1])).Aggregate((total, term) => total.Plus(term));
        return x / sum.Times(op.Alpha / op.Size).Plus(op.Bias).Power(op.Beta);
    }
}
