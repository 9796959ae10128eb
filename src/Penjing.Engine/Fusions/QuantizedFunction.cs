using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>Any function of 8-bit integers, each by itself, as what it is for all 256 of them.</summary>
/// <param name="Values">The value of each, at the place that its bits tell.</param>
/// <param name="Stands">What the values stand for.</param>
internal sealed record QuantizedFunction(Tensor Values, Quantization Stands) : Fusion
{
    // More nodes than these are no activation.
    private const int Integers = 256, MostParts = 64;

    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs) =>
        new("quantized", new Reinterpret(Stands), new Node("values", new Take(), Node.Weight("table", Values), new Node("places", new Cast(ElementType.Int32), inputs[0])));

    /// <summary>QuantizeLinear(f(DequantizeLinear(x), …, scalars)) => QuantizedFunction(x), where f computes each element by itself.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { Quantization.Axis: null, To: ElementType.Int8 or ElementType.UInt8 } to }) return null;
        Node? source = null;
        Dictionary<Node, Node?> made = [];
        int parts = 0;
        if (Of(node) is not { } all || source is null) return null;
        Node fused = new(node.Name, new QuantizedFunction(Reference.Run(new Graph(all), [])[0], to.Quantization), source);
        return selection.HasKernel(fused) ? fused : null;

        // A node of all 256 integers in place of those of the network; null where it needs more than them.
        Node? Of(Node part)
        {
            if (made.TryGetValue(part, out Node? known) || ++parts > MostParts) return known;
            return made[part] = part switch
            {
                { Value: { } constant } => part.Shape.Elements == 1 ? Constant(constant.Reshape([1]), part.Info.Quantization is { } stands ? stands with { Axis = null } : null) : null,
                _ when part.Shape != node.Shape || part.Info is not { Type: ElementType.Float32 or ElementType.Int8 or ElementType.UInt8, Quantization: null or { Axis: null } } => null,
                { Op: Elementwise or Binary or DequantizeLinear } => Computed(part),
                { Op: QuantizeLinear } when part == node => Computed(part),
                { Info.Quantization: not null } => Read(part),
                _ => null,
            };
        }

        Node? Computed(Node part)
        {
            Node?[] inputs = [.. part.Inputs.Select(Of)];
            return inputs.Contains(null) ? null : part.With([.. inputs!]);
        }

        Node Constant(Tensor values, Quantization? stands) => new($"constant{parts}", new Constant(values, stands));

        // Of integers that are a function of others already, those others are read.
        Node? Read(Node part)
        {
            (Node from, Tensor values) = part.Op is QuantizedFunction function ? (part.Inputs[0], function.Values) : (part, Every(part.Info.Type));
            source ??= from;
            return source == from ? Constant(values, part.Info.Quantization) : null;
        }
    }

    private static Tensor Every(ElementType type) => new(type, [Integers], Enumerable.Range(0, Integers).Select(bits => (byte)bits).ToArray());
}
