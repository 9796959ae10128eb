using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Penjing.Engine;

/// <summary>A site in words, the same for two sites exactly where the same kernel is best for both on one machine: its operation, and what that is applied to.</summary>
internal static partial class LayerKey
{
    private const int Step = 5;
    private static readonly Quantization none = new(1, 0);

    /// <summary>The words, such as Conv { Stride = 1×1, … } of 1×64×56×56, constant 64×64×3×3 with 90 % zeros, constant 64.</summary>
    public static string Of(Site site)
    {
        // Which channel a shuffle puts where, and what integers stand for, makes no difference.
        Op op = site.Node.Op switch
        {
            FusedConv { Order.Count: > 0 } fused => fused with { Order = [fused.Order.Count] },
            IntegerProduct product => product with
            {
                X = none,
                W = none,
                To = product.To is QuantizeLinear to ? to with { Quantization = none } : product.To,
                Adds = product.Adds is null ? null : product.Adds with { Quantization = none, Rounding = product.Adds.Rounding is null ? null : product.Adds.Rounding with { Quantization = none } },
            },
            QuantizedAdd add => add with { Left = none, Right = none, To = add.To with { Quantization = none } },
            QuantizedGate gate => gate with { From = none, To = gate.To with { Quantization = none } },
            QuantizedSoftmax softmax => softmax with { From = none, To = softmax.To with { Quantization = none } },
            QuantizedFunction function => function with { Stands = none },
            QuantizeLinear to => to with { Quantization = none },
            var other => other,
        };
        var text = new StringBuilder($"{Chaff().Replace(op.ToString(), "")} of ");
        for (int i = 0; i < site.Node.Inputs.Length; i++)
        {
            Node input = site.Node.Inputs[i];
            if (i > 0) text.Append(", ");
            if (input.Value is not null) text.Append("constant ");
            if (input.Info.Type != ElementType.Float32) text.Append(input.Info.Type).Append(' ');
            text.Append(input.Shape);
            if (input.Value is { Type: ElementType.Int8, Shape.Rank: > 1 } weights && IntegerProduct.AreNarrow(weights)) text.Append(" of 7 bits");
            if (input.Value is { Shape.Rank: > 1 } value && Zeros(value) is > 0 and var zeros) text.Append(CultureInfo.InvariantCulture, $" with {zeros} % zeros");
            if (site.InputPitches[i] != Site.Pitch(input.Shape)) text.Append(CultureInfo.InvariantCulture, $" in {site.InputPitches[i]} channels");
        }
        if (site.OutputPitch != Site.Pitch(site.Node.Shape)) text.Append(CultureInfo.InvariantCulture, $" into {site.OutputPitch} channels");
        return text.ToString();
    }

    /// <summary>What records write of themselves beyond their attributes: their names once more, and braces around nothing.</summary>
    [GeneratedRegex(@"\bName = \w+(, )?|(?<=\w) \{ (Name = \w+ )?\}")]
    private static partial Regex Chaff();

    /// <summary>The share of zeros in percent, in steps of five: which kernel is best depends on it, but hardly on less.</summary>
    private static int Zeros(Tensor tensor) => tensor.Type == ElementType.Float32 && tensor.Shape.Elements > 0
        ? (int)Math.Round(100.0 * tensor.ZeroFloats / tensor.Shape.Elements / Step) * Step
        : 0;
}
