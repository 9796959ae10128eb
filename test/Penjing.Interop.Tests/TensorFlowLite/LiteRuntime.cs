using System.Collections.Immutable;
using System.ComponentModel;
using Penjing.Engine.Tests;
using Penjing.Interop.TensorFlowLite;
using Penjing.Testing;
using Penjing.Training;

namespace Penjing.Interop.Tests;

/// <summary>A file, and reals that its network is fed with, as the network takes them that is read from it.</summary>
internal sealed record LiteCase(string Name, byte[] File, ImmutableArray<Tensor> Fed);

/// <summary>TensorFlow Lite's own interpreter as the judge: the WebAssembly of the npm package tfjs-tflite, in the user's cache or fetched into that, run by Node.</summary>
internal static class LiteRuntime
{
    private const string Package = "@tensorflow/tfjs-tflite", Version = "0.0.1-alpha.10";
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    /// <summary>The outputs of each file, in the order and as the reals of the network that is read from it; an interpreter's complaint where it refuses a file.</summary>
    public static async Task<ImmutableArray<(LiteCase Case, Tensor[] Outputs, string Error)>> Run(IReadOnlyList<LiteCase> cases)
    {
        string package = await Found();
        string folder = Directory.CreateTempSubdirectory("penjing").FullName;
        try
        {
            foreach ((int i, LiteCase one) in cases.Index())
            {
                LiteModel model = LiteFile.Read(new(one.File));
                File.WriteAllBytes(Path.Combine(folder, $"{i}.tflite"), one.File);
                foreach ((int input, Tensor fed) in one.Fed.Index()) File.WriteAllBytes(Path.Combine(folder, $"{i}.in{input}"), Given(model.Tensors[model.Inputs[input]], fed).Bytes.ToArray());
            }
            ChildProcess node = await ChildProcess.Run("node", [Path.Combine(Repository.Root, "test/Penjing.Interop.Tests/TensorFlowLite/runtime.cjs"), package, folder], limit);
            Assert.True(node.ExitCode == 0, node.Output);
            return [.. cases.Select((one, i) => Answered(one, Path.Combine(folder, $"{i}")))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (LiteCase, Tensor[], string) Answered(LiteCase one, string name)
    {
        if (File.Exists($"{name}.error")) return (one, [], File.ReadAllText($"{name}.error"));
        LiteModel model = LiteFile.Read(new(one.File));
        Graph graph = TensorFlowLiteReader.Read(one.File).Graph;
        return (one, [.. graph.Outputs.Select((output, i) => Answer(model.Tensors[model.Outputs[i]], output.Shape, File.ReadAllBytes($"{name}.out{i}")))], "");
    }

    /// <summary>Reals in the network's order as the file's value wants them.</summary>
    private static Tensor Given(LiteTensor tensor, Tensor fed)
    {
        if (fed.Shape.Rank == 4) fed = Reference.Evaluate(new Transpose([0, 2, 3, 1]), [fed]);
        return tensor.Quantization is { } quantization && fed.Type is ElementType.Float32 ? Reference.Evaluate(new QuantizeLinear(tensor.Type, quantization), [fed]) : fed;
    }

    /// <summary>The file's value as reals in the network's order.</summary>
    private static Tensor Answer(LiteTensor tensor, Shape shape, byte[] bytes)
    {
        Tensor value = new(tensor.Type, shape.Rank == 4 ? [shape[0], shape[2], shape[3], shape[1]] : shape, bytes);
        if (tensor.Quantization is { } quantization && tensor.Type.Size() < 4)
            value = Reference.Evaluate(new Node("reals", new DequantizeLinear(), new Node("integers", new Constant(value, quantization))), [value]);
        return shape.Rank == 4 ? Reference.Evaluate(new Transpose([0, 3, 1, 2]), [value]) : value;
    }

    /// <summary>The package's folder; the test is skipped where there is no Node, or the package isn't to be had.</summary>
    private static async Task<string> Found()
    {
        string cache = CacheFolder.Of($"tfjs-tflite-{Version}"), inside = Path.Combine("node_modules", Package);
        string problem = "";
        try
        {
            await ChildProcess.Run("node", ["--version"], limit);
            if (!Directory.Exists(Path.Combine(cache, inside)))
                CacheFolder.Fill(cache, target =>
                {
                    ChildProcess npm = ChildProcess.Run("npm", ["install", "--prefix", target, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", $"{Package}@{Version}"], limit).Result;
                    problem = npm.Output.Trim();
                });
        }
        catch (Exception error) when (error is Win32Exception or PenjingException or IOException or UnauthorizedAccessException or AggregateException)
        {
            problem = error.GetBaseException().Message;
        }
        if (!Directory.Exists(Path.Combine(cache, inside)))
        {
            if (Directory.Exists(cache)) Directory.Delete(cache, recursive: true);
            Assert.Skip($"TensorFlow Lite is not to be had: it takes Node, and npm's package {Package} ({problem})");
        }
        return Path.Combine(cache, inside);
    }
}
