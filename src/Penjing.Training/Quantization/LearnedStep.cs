using System.Collections.Immutable;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// Reals rounded to what integers stand for, as QuantizeLinear and DequantizeLinear do together, by step sizes that are trained (LSQ, Esser et al., Learned Step Size Quantization, 2020).
/// Inputs: the reals; the step size, or one for each index of an axis.
/// </summary>
/// <param name="Type">The integers' type.</param>
/// <param name="Zero">The integer that stands for zero.</param>
/// <param name="Axis">The axis that has a step size for each index; null where all have one.</param>
/// <param name="WeightBits">Bits of signed integers.</param>
/// <param name="Factors">What the rounded reals are multiplied by, for each index of the axis; empty where they are not.</param>
internal sealed record LearnedStep(ElementType Type, int Zero, int? Axis, int WeightBits, ImmutableArray<float> Factors) : Op
{
    /// <summary>The least size that a step can have: what is below counts as this, so that quotients stay finite.</summary>
    public const float Least = 1e-30f;

    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Floats(inputs);
        return inputs[0];
    }

    /// <summary>
    /// The rounded reals. Rounding passes gradients on as if it were not there, within the integers' range; a step's gradient is divided by the root of how many values it
    /// serves, times the integers' number, so that it moves as fast as weights do.
    /// </summary>
    public TorchTensor Evaluate(TorchTensor x, TorchTensor steps)
    {
        (int low, int high) = Type is ElementType.Int8 ? (-(1 << WeightBits - 1), (1 << WeightBits - 1) - 1) : (0, 255);
        long count = x.NumberOfElements / (Axis is null ? x.shape[0] : steps.NumberOfElements);
        double share = 1 / Math.Sqrt((double)count * high);
        TorchTensor step = steps.abs().AtLeast(Least);
        step = step.Times(share).Plus(step.Times(1 - share).detach());
        if (Axis is { } axis) step = step.reshape([.. x.shape.Select((extent, i) => i == axis ? extent : 1)]);
        TorchTensor scaled = (x / step).Plus(Zero).Within(low, high), whole = scaled.Plus((scaled.round() - scaled).detach());
        TorchTensor rounded = whole.Plus(-Zero) * step;
        return Factors.IsEmpty ? rounded : rounded * torch.tensor([.. Factors]).reshape(step.shape);
    }
}
