using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Penjing.Engine;
using Penjing.Engine.X64;

// Loads a network, runs it on one picture, and says so: what the bench "start" measures the beginning of. Then it says how many bytes were resident at most, as the bench "memory" asks.
if (args is not (["nothing"] or ["penjing" or "onnxruntime", _, _, _]))
{
    Console.Error.WriteLine("usage: penjing-start penjing|onnxruntime MODEL PICTURE.raw THREADS, or penjing-start nothing");
    return 2;
}
if (args is [var engine, var model, var picture, var count])
{
    int threads = int.Parse(count, CultureInfo.InvariantCulture);
    float[] input = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(picture)).ToArray();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(engine == "penjing" ? OfPenjing(model, input, threads) : OfOnnxRuntime(model, input, threads)):R}"));
}
if (OperatingSystem.IsLinux())
    Console.WriteLine(long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
return 0;

[MethodImpl(MethodImplOptions.NoInlining)]
static float OfPenjing(string model, float[] input, int threads)
{
    AssembledKernels.Use();
    using Session session = Session.Load(model, new(threads));
    var answer = new float[session.Outputs[0].Info.Shape.Elements];
    session.Run(input, answer);
    return answer[0];
}

[MethodImpl(MethodImplOptions.NoInlining)]
static float OfOnnxRuntime(string model, float[] input, int threads)
{
    using Microsoft.ML.OnnxRuntime.SessionOptions options = new() { IntraOpNumThreads = threads, InterOpNumThreads = 1 };
    using InferenceSession session = new(model, options);
    using RunOptions run = new();
    (string name, NodeMetadata shape) = session.InputMetadata.First();
    using OrtValue fed = OrtValue.CreateTensorValueFromMemory(input, [.. shape.Dimensions.Select(extent => (long)extent)]);
    using IDisposableReadOnlyCollection<OrtValue> answers = session.Run(run, [name], [fed], session.OutputNames);
    return answers[0].GetTensorDataAsSpan<float>()[0];
}
