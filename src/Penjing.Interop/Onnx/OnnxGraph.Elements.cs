using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <content>What functions of single elements are in ONNX.</content>
internal sealed partial class OnnxGraph
{
    private string Write(Node node, Activation op, string x) => op switch
    {
        Relu when node.Info.Quantization is not null => Write(node, new Clip(0, float.PositiveInfinity), x),
        Clip clip when node.Info.Type.IsFloat() => Add("Clip", node.Name, [x, Fill(node, "min", clip.Min), Fill(node, "max", clip.Max)]),
        Clip clip when node.Info.Quantization is not null => Add("Clip", node.Name, [x, Fill(node, "min", clip.Min), Fill(node, "max", clip.Max)]),
        Clip clip => Add("Clip", node.Name, [x, Fill(node, "min", MathF.Ceiling(clip.Min)), Fill(node, "max", MathF.Floor(clip.Max))]),
        Relu when node.Info.Type.IsUnsigned() => Add("Identity", node.Name, [x]),
        LeakyRelu leaky => Add("LeakyRelu", node.Name, [x], Number("alpha", leaky.Alpha)),
        HardSigmoid hard => Add("HardSigmoid", node.Name, [x], Number("alpha", hard.Alpha), Number("beta", hard.Beta)),
        Relu or Sigmoid or HardSwish or Tanh => Add(op.Name, node.Name, [x]),
        _ => throw new PenjingException($"'{node.Name}' can't be written as ONNX: its activation {op.Name} has no ONNX form here"),
    };

    private string Write(Node node, Elementwise op, string x)
    {
        return op switch
        {
            // Mish and Gelu are newer than opset 17.
            Unary { Function: UnaryFunction.Mish } => Add("Mul", node.Name, [x, Step("Tanh", Step("Softplus", x))]),
            Gelu { Tanh: false } => Half(Step("Add", Step("Erf", Step("Mul", x, Value("root", MathF.Sqrt(0.5f)))), Value("one", 1))),
            Gelu => Half(Step("Add", Step("Tanh", Step("Mul", Step("Add", x, Cubic()), Value("slope", MathF.Sqrt(2 / MathF.PI)))), Value("one", 1))),
            IsInf inf => Add("IsInf", node.Name, [x], Flag("detect_negative", inf.Negative), Flag("detect_positive", inf.Positive)),
            Elu elu => Add("Elu", node.Name, [x], Number("alpha", elu.Alpha)),
            Celu celu => Add("Celu", node.Name, [x], Number("alpha", celu.Alpha)),
            Selu selu => Add("Selu", node.Name, [x], Number("alpha", selu.Alpha), Number("gamma", selu.Gamma)),
            ThresholdedRelu relu => Add("ThresholdedRelu", node.Name, [x], Number("alpha", relu.Alpha)),
            Shrink shrink => Add("Shrink", node.Name, [x], Number("lambd", shrink.Lambda), Number("bias", shrink.Bias)),
            Cast cast => Add("Cast", node.Name, [x], Number("to", (int)Type(cast.To))),
            Unary => Add(op.Name, node.Name, [x]),
            _ => throw new PenjingException($"'{node.Name}' can't be written as ONNX: its operation {op.Name} has no ONNX form here"),
        };

        string Cubic() => Step("Mul", Step("Mul", Step("Mul", x, x), x), Value("cubic", 0.044715f));
        string Half(string factor) => Add("Mul", node.Name, [Step("Mul", x, factor), Value("half", 0.5f)]);
        string Step(string type, params string[] inputs) => Add(type, Fresh($"{node.Name}/{type}"), inputs);
        string Value(string role, float value) => Fill(node, role, value);
    }

    /// <summary>A scalar of the node's type: this number, or the integer that stands for it.</summary>
    private string Fill(Node node, string role, float given)
    {
        float value = node.Info.Quantization?.Nearest(given, node.Info.Type) ?? given;
        string name = Fresh($"{node.Name}/{role}");
        Proto.Initializer.Add(Tensor(name, Reference.Evaluate(new Cast(node.Info.Type), [Penjing.Tensor.Of<float>([], value)])));
        return name;
    }
}
