using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Functions of each element by itself.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Activations =>
    [
        .. Enum.GetValues<UnaryFunction>().Select(function => (function.ToString(), (Builder)(node => One(node, new Unary(function))))),
        ("Relu", node => One(node, new Relu())),
        ("Sigmoid", node => One(node, new Sigmoid())),
        ("Tanh", node => One(node, new Tanh())),
        ("HardSwish", node => One(node, new HardSwish())),
        ("LeakyRelu", node => One(node, new LeakyRelu(node.Float("alpha", 0.01f)))),
        ("HardSigmoid", node => One(node, new HardSigmoid(node.Float("alpha", 0.2f), node.Float("beta", 0.5f)))),
        ("Elu", node => One(node, new Elu(node.Float("alpha", 1)))),
        ("Celu", node => One(node, new Celu(node.Float("alpha", 1)))),
        ("Selu", node => One(node, node.Version < 6
            ? new Selu(node.Float("alpha", 1.6732f), node.Float("gamma", 1.0507f))
            : new Selu(node.Float("alpha", 1.67326319217681884765625f), node.Float("gamma", 1.05070102214813232421875f)))),
        ("ThresholdedRelu", node => One(node, new ThresholdedRelu(node.Float("alpha", 1)))),
        ("Shrink", node => One(node, new Shrink(node.Float("lambd", 0.5f), node.Float("bias", 0)))),
        ("Gelu", node => One(node, new Gelu(node.Choice<bool>("approximate", "none", ("none", false), ("tanh", true))))),
        ("IsInf", node => One(node, new IsInf(node.Flag("detect_negative", true), node.Flag("detect_positive", true)))),
        ("Swish", Swish),
        ("Clip", Clip),
        ("Identity", Identity),
        ("Dropout", Dropout),
        ("Cast", Cast),
        ("CastLike", CastLike),
    ];

    /// <summary>A node of one input.</summary>
    private static Node One(OnnxNode node, Op op)
    {
        node.Takes(1, 1);
        node.Ignore("consumed_inputs");
        return node.Make(op, node[0]);
    }

    private static Node Swish(OnnxNode node)
    {
        node.Takes(1, 1);
        float alpha = node.Float("alpha", 1);
        Node scaled = alpha == 1 ? node[0] : node.Part("scaled", new Mul(), node[0], node.Number("alpha", node[0], alpha));
        return node.Make(new Mul(), node[0], node.Part("sigmoid", new Sigmoid(), scaled));
    }

    /// <summary>Bounds are attributes before opset 11, inputs since; those that aren't known, or that a float can't hold, become Max and Min.</summary>
    private static Node Clip(OnnxNode node)
    {
        node.Takes(1, 3);
        if (node.Version < 11)
        {
            node.Ignore("consumed_inputs");
            return node.Make(new Clip(node.Float("min", float.MinValue), node.Float("max", float.MaxValue)), node[0]);
        }
        (Node? min, Node? max) = (node.Optional(1), node.Optional(2));
        if (Bound(min, float.MinValue) is { } least && Bound(max, float.MaxValue) is { } most) return node.Make(new Clip(least, most), node[0]);
        if (max is null) return node.Make(new Max(), node[0], min!);
        Node above = min is null ? node[0] : node.Part("above", new Max(), node[0], min);
        return node.Make(new Min(), above, max);
    }

    private static float? Bound(Node? node, float otherwise)
    {
        if (node is null) return otherwise;
        if (node.Value is not { } value || value.Shape.Elements != 1) return null;
        float bound = Reference.Evaluate(new Cast(ElementType.Float32), [value]).Floats[0];
        return Reference.Evaluate(new Cast(value.Type), [Tensor.Of<float>(value.Shape, bound)]).BitsEqual(value) ? bound : null;
    }

    /// <summary>A copy; those that the writer puts before an output that is an input or a weight go again.</summary>
    private static Node Identity(OnnxNode node)
    {
        node.Takes(1, 1);
        Node x = node[0];
        return node.Import.IsCopy(node.Output(0), x) ? x : node.Make(new Identity(), x);
    }

    private static Node Dropout(OnnxNode node)
    {
        node.Takes(1, 3);
        node.Ignore("seed", "is_test", "consumed_inputs");
        float ratio = node.Version < 12 ? node.Float("ratio", 0.5f) : node.Optional(1) is null ? 0.5f : node.One(1, "the ratio");
        bool training = node.Optional(2) is { } mode && OnnxImport.Known(mode, "training_mode").Bytes.Span.ContainsAnyExcept((byte)0);
        if (training && ratio != 0) throw new ModelFormatException("training_mode is on, so that its answer is random: export the network for inference");
        Node x = node[0];
        // What is kept, at inference all; before opset 12 runtimes said what is dropped.
        node.Yield(1, () => Filled(node, 1, node.Version < 10 ? Tensor.Of<float>([1], 0) : Tensor.Of<bool>([1], node.Version >= 12), x));
        return ratio >= 1 ? node.Make(new Identity(), x) : node.Make(new Dropout(ratio), x);
    }

    /// <summary>An output that has one value everywhere, in the shape of a node.</summary>
    private static Node Filled(OnnxNode node, int output, Tensor value, Node like)
    {
        node.Import.Tensors.Charge((long)like.Shape.Elements * value.Type.Size());
        return node.Constant(Fill(value, like.Shape), output);
    }

    private static Node Cast(OnnxNode node)
    {
        node.Takes(1, 1);
        node.Ignore("saturate", "round_mode");
        if (node.Version < 6) return node.Make(new Cast(OldType(node.Text("to", ""))), node[0]);
        return node.Make(new Cast(OnnxTensors.Type(node.Small("to", 0))), node[0]);
    }

    private static Node CastLike(OnnxNode node)
    {
        node.Takes(2, 2);
        node.Ignore("saturate", "round_mode");
        return node.Make(new Cast(node[1].Info.Type), node[0]);
    }

    private static ElementType OldType(string name) => Enum.TryParse(name, ignoreCase: true, out Onnx.TensorProto.Types.DataType type)
        ? OnnxTensors.Type((int)type)
        : throw new ModelFormatException($"there is no type '{name}'");
}
