using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Penjing.Interop.Tests;

/// <summary>ONNX Runtime as the judge: a network goes through an exported file and runs there on one thread, without graph rewrites.</summary>
internal static class Runtime
{
    /// <summary>The outputs of an exported model for these inputs.</summary>
    public static Tensor[] Run(Model model, ReadOnlySpan<Tensor> inputs, bool optimized = false) =>
        Run(OnnxWriter.ToBytes(model), model.Graph, inputs, optimized);

    /// <summary>The outputs of a file for these inputs, which are those of the graph that was read from it or that it was written from.</summary>
    public static Tensor[] Run(byte[] file, Graph graph, ReadOnlySpan<Tensor> inputs, bool optimized = false)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = optimized ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        using var session = new InferenceSession(file, options);
        var fed = new List<NamedOnnxValue>();
        for (int i = 0; i < inputs.Length; i++) fed.Add(Value(graph.Inputs[i].Name, inputs[i]));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run(fed, session.OutputNames);
        return [.. results.Zip(graph.Outputs, (result, output) => Result(result, output.Info.Type))];
    }

    private static NamedOnnxValue Value(string name, Tensor tensor) => tensor.Type switch
    {
        ElementType.Float32 => Value<float>(name, tensor),
        ElementType.Int8 => Value<sbyte>(name, tensor),
        ElementType.UInt8 => Value<byte>(name, tensor),
        ElementType.Int32 => Value<int>(name, tensor),
        ElementType.Int64 => Value<long>(name, tensor),
        ElementType.Float64 => Value<double>(name, tensor),
        ElementType.Int16 => Value<short>(name, tensor),
        ElementType.UInt16 => Value<ushort>(name, tensor),
        ElementType.UInt32 => Value<uint>(name, tensor),
        ElementType.UInt64 => Value<ulong>(name, tensor),
        ElementType.Bool => Value<bool>(name, tensor),
        _ => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<Float16>(MemoryMarshal.Cast<byte, Float16>(tensor.Bytes.Span).ToArray(), tensor.Shape.AsSpan())),
    };

    private static NamedOnnxValue Value<T>(string name, Tensor tensor) where T : unmanaged =>
        NamedOnnxValue.CreateFromTensor(name, new DenseTensor<T>(tensor.AsSpan<T>().ToArray(), tensor.Shape.AsSpan()));

    private static Tensor Result(DisposableNamedOnnxValue result, ElementType type) => type switch
    {
        ElementType.Float32 => Result<float>(result),
        ElementType.Int8 => Result<sbyte>(result),
        ElementType.UInt8 => Result<byte>(result),
        ElementType.Int32 => Result<int>(result),
        ElementType.Int64 => Result<long>(result),
        ElementType.Float64 => Result<double>(result),
        ElementType.Int16 => Result<short>(result),
        ElementType.UInt16 => Result<ushort>(result),
        ElementType.UInt32 => Result<uint>(result),
        ElementType.UInt64 => Result<ulong>(result),
        ElementType.Bool => Result<bool>(result),
        _ => Result<Float16>(result, type),
    };

    private static Tensor Result<T>(DisposableNamedOnnxValue result, ElementType? type = null) where T : unmanaged
    {
        DenseTensor<T> tensor = result.AsTensor<T>().ToDenseTensor();
        return new(type ?? ElementTypes.Of<T>(), [.. tensor.Dimensions], MemoryMarshal.AsBytes(tensor.Buffer.Span).ToArray());
    }
}
