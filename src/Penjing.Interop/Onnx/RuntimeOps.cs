using System.Collections.Immutable;
using Penjing.Interop.Onnx;
using AttributeType = Penjing.Interop.Onnx.AttributeProto.Types.AttributeType;

namespace Penjing.Interop;

/// <summary>
/// ONNX Runtime's own operators on 8-bit integers, which its quantizer writes in the QOperator format beside QLinearConv and QLinearMatMul: each as a function of ONNX's own
/// operators, on reals between DequantizeLinear and QuantizeLinear.
/// </summary>
internal static class RuntimeOps
{
    /// <summary>Their domain.</summary>
    public const string Domain = "com.microsoft";

    private const int Opset = 13;

    /// <summary>For each operator ONNX's own, the inputs that are integers, each before its scale and zero point, and the output's scale, before its zero point.</summary>
    private static readonly Dictionary<string, (string Type, ImmutableArray<int> Values, int To)> table = new()
    {
        ["QLinearAdd"] = ("Add", [0, 3], 6),
        ["QLinearMul"] = ("Mul", [0, 3], 6),
        ["QLinearSigmoid"] = ("Sigmoid", [0], 3),
        ["QLinearLeakyRelu"] = ("LeakyRelu", [0], 3),
        ["QLinearSoftmax"] = ("Softmax", [0], 3),
        ["QLinearAveragePool"] = ("AveragePool", [0], 3),
        ["QLinearGlobalAveragePool"] = ("GlobalAveragePool", [0], 3),
        // As many values as there are.
        ["QLinearConcat"] = ("Concat", [], 0),
        // Its bias is the input before the output's scale, without which it yields reals.
        ["QGemm"] = ("Gemm", [0, 3], 7),
    };

    /// <summary>Their names, for messages.</summary>
    public static string Understood => string.Join(", ", table.Keys.Order(StringComparer.Ordinal));

    /// <summary>The function that a call stands for; null where it is none of these operators.</summary>
    /// <exception cref="ModelFormatException">An input is missing, or an attribute has a value that is not understood.</exception>
    public static FunctionProto? Of(NodeProto call)
    {
        if (!table.TryGetValue(call.OpType, out (string Type, ImmutableArray<int> Values, int To) row)) return null;
        Only(call, "channels_last", 0);
        Only(call, "alpha", 1, call.OpType == "QGemm");
        bool joins = row.Values.IsEmpty, multiplies = call.OpType == "QGemm";
        ImmutableArray<int> values = joins ? [.. Enumerable.Range(0, Math.Max(0, (call.Input.Count - 2) / 3)).Select(value => 2 + 3 * value)] : row.Values;
        string result = call.Output.FirstOrDefault() ?? "";
        // A softmax of before opset 13 is one of all axes from its own on.
        FunctionProto function = new() { Name = call.OpType, OpsetImport = { new OperatorSetIdProto { Version = call.OpType == "QLinearSoftmax" && Number(call, "opset", Opset) < Opset ? Opset - 1 : Opset } } };
        function.Input.Add(call.Input.Select((name, i) => name.Length == 0 ? "" : $"input{i}"));
        function.Output.Add(result);
        List<string> reals = [.. values.Select((value, i) => Add("DequantizeLinear", $"{result}/real{i}", [Needed(value), Needed(value + 1), Given(value + 2)], Axis(i)))];
        if (multiplies && Given(row.To - 1) is { Length: > 0 } bias)
            reals.Add(Add("DequantizeLinear", $"{result}/bias", [bias, Add("Mul", $"{result}/steps", [Needed(values[0] + 1), Needed(values[1] + 1)])], -1));
        string computed = multiplies && Given(row.To).Length == 0 ? result : $"{result}/reals";
        Add(row.Type, computed, reals);
        function.Node[^1].Attribute.Add(call.Attribute.Where(attribute => attribute.Name is not ("channels_last" or "opset")));
        // Without a zero point the output's type would stay open.
        if (computed != result) Add("QuantizeLinear", result, [computed, Needed(row.To), Needed(row.To + 1)]);
        return function;

        string Given(int input) => input < function.Input.Count ? function.Input[input] : "";

        string Needed(int input) => Given(input) is { Length: > 0 } name ? name : throw new ModelFormatException($"input {input} is missing");

        // A matrix has a scale for each column of the product.
        int Axis(int value) => !multiplies || value == 0 ? 1 : Number(call, "transB", 0) != 0 ? 0 : 1;

        string Add(string type, string output, IEnumerable<string> inputs, int? axis = null)
        {
            NodeProto node = new() { OpType = type, Input = { inputs }, Output = { output } };
            if (axis is { } along) node.Attribute.Add(new AttributeProto { Name = "axis", I = along, Type = AttributeType.Int });
            function.Node.Add(node);
            return output;
        }
    }

    private static void Only(NodeProto call, string name, int value, bool here = true)
    {
        if (here && call.Attribute.FirstOrDefault(attribute => attribute.Name == name) is { } given && (given.Type is AttributeType.Float ? given.F : given.I) != value)
            throw new ModelFormatException($"the attribute '{name}' is understood with the value {value} only");
    }

    private static long Number(NodeProto call, string name, long otherwise) => call.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.I ?? otherwise;
}
