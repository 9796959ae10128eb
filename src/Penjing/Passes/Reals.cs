using System.Collections.Immutable;

namespace Penjing;

/// <summary>Arithmetic of integers becomes that of the reals which they stand for, rounded again: what <see cref="Integers"/> makes the same integers of.</summary>
internal static class Reals
{
    // Whole numbers below it survive being a Float32, times a scale and by it.
    private const int MostBias = 1 << 22;

    /// <summary>QuantizeLinear | DequantizeLinear(Conv | Gemm | MatMul(x, w, b)) of integers => QuantizeLinear | nothing of the same product of what they stand for.</summary>
    public static Node? Multiply(Node node, Func<Node, int> readers)
    {
        if (node is not { Op: QuantizeLinear or DequantizeLinear, Inputs: [{ Info: { Type: ElementType.Int32, Quantization: { } steps }, Inputs: [var x, var w, .. var rest] } sums] } || readers(sums) != 1) return null;
        if (!IsProduct(sums) || steps.Scales.Any(scale => !float.IsNormal(scale)) || !IsInteger(x) || !IsInteger(w)) return null;
        if (rest.Any(bias => !IsBias(bias.Value, sums.Shape[1]))) return null;
        ImmutableArray<Node> inputs = [.. sums.Inputs.Select((input, i) => Real(node, i, i < 2 ? input
            : new($"{node.Name}/bias", new Constant(input.Value!, steps with { Axis = steps.Axis is null ? null : 0 }))))];
        return node.Op is QuantizeLinear ? node.With([new(sums.Name, sums.Op, inputs)]) : new(node.Name, sums.Op, inputs);
    }

    /// <summary>f(x, …) of integers, where f moves, compares, clamps or resizes => QuantizeLinear(f(DequantizeLinear(x), …)).</summary>
    public static Node? Move(Node node, Func<Node, int> readers)
    {
        if (node is not { Info: { Type: (ElementType.Int8 or ElementType.UInt8) and var type, Quantization: { Axis: null } quantization }, Inputs: [_, ..] }) return null;
        if (!Passes.KeepsRange(node.Op) && node.Op is not (Relu or Clip) || node.Inputs.Any(input => !Equals(input.Info.Quantization, quantization))) return null;
        return new(node.Name, new QuantizeLinear(type, quantization), new Node($"{node.Name}/reals", node.Op, [.. node.Inputs.Select((input, i) => Real(node, i, input))]));
    }

    /// <summary>DequantizeLinear(QuantizeLinear(x)) => x of floats, under its own name where nothing else reads it; DequantizeLinear(Constant) => Constant.</summary>
    public static Node? Unrounded(Node node, Func<Node, int> readers) => node is not { Op: DequantizeLinear, Inputs: [var integers] } ? null
        : integers.Value is { } value ? Node.Weight(node.Name, Reference.Evaluate(node, [value]))
        : integers is not { Op: QuantizeLinear, Inputs: [{ Info.Type: ElementType.Float32 } x] } ? null
        : x.Op is Input || readers(x) != 1 || readers(integers) != 1 ? x : new(node.Name, x.Op, x.Inputs);

    /// <summary>The reals of a reader's input: its own node, as other engines like it.</summary>
    private static Node Real(Node reader, int input, Node integers) => new($"{reader.Name}/real{input}", new DequantizeLinear(), integers);

    private static bool IsProduct(Node sums) => sums.Op is Conv { Then: null } or Gemm { Alpha: 1, Beta: 1, TransposeA: false, Then: null }
        || sums is { Op: MatMul, Inputs: [{ Shape.Rank: 2 }, { Shape.Rank: 2 }] };

    private static bool IsInteger(Node factor) => factor.Info is { Type: ElementType.Int8 or ElementType.UInt8, Quantization: not null };

    private static bool IsBias(Tensor? bias, int channels)
    {
        if (bias is not { Type: ElementType.Int32 } || bias.Shape != [channels]) return false;
        foreach (int step in bias.AsSpan<int>())
            if (step is < -MostBias or > MostBias) return false;
        return true;
    }
}
