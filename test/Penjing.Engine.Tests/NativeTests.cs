using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Penjing.Engine.X64;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>The engine compiled ahead of time, without a runtime to install, against the engine in this process.</summary>
public class NativeTests
{
    /// <summary>A native program runs a file to the very bits of this process, with the same vectors on, and its compilation warns of nothing.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public async Task ANativeProgramGivesTheSameBits(int threads, bool integers)
    {
        string program = await native.Value;
        string folder = Directory.CreateTempSubdirectory("penjing-native-").FullName;
        try
        {
            string model = Path.Combine(folder, "model.penjing"), input = Path.Combine(folder, "input.raw"), output = Path.Combine(folder, "output.raw");
            Graph graph = integers ? Integers() : MobileNetV1.Build(0.25, 64, 3, 50).Graph;
            PenjingFile.Write(model, new(graph));
            Tensor fed = RandomTensors.Normal([1, 3, 64, 64], 1);
            await File.WriteAllBytesAsync(input, fed.Bytes.ToArray(), TestContext.Current.CancellationToken);
            ChildProcess run = await ChildProcess.Run(program, [model, input, output, "--threads", $"{threads}"], TimeSpan.FromMinutes(1));
            Assert.True(run.ExitCode == 0, run.Output);
            (bool v128, bool v256, bool v512) = (Vector128.IsHardwareAccelerated, Vector256.IsHardwareAccelerated, Vector512.IsHardwareAccelerated);
            Assert.StartsWith($"vectors 128: {v128}, 256: {v256}, 512: {v512}, assembled: {AssembledKernels.Obstacle is null}", run.Output);
            Assert.DoesNotContain("fallback", run.Output);
            using Session session = new(graph, new(threads));
            Tensor expected = session.Run(fed)[0];
            byte[] answer = await File.ReadAllBytesAsync(output, TestContext.Current.CancellationToken);
            Closeness.CheckBits(expected, new(ElementType.Float32, expected.Shape, answer), "native");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A convolution and a depthwise one of 8-bit integers.</summary>
    private static Graph Integers()
    {
        Node Weights(string name, Shape shape) => new(name, new Constant(RandomTensors.Any(ElementType.Int8, shape, shape[1]), new(0.01f, 0)));
        Node Integer(string name, Node x, float scale) => new(name, new QuantizeLinear(ElementType.UInt8, new(scale, 100)), x);
        Node x = Integer("integers", new("x", new Input(ElementType.Float32, [1, 3, 64, 64])), 0.03f);
        x = Integer("wide", new("conv", new Conv(new(2, 2), Padding.All(1), Size.One), x, Weights("w", [40, 3, 3, 3])), 0.1f);
        x = Integer("deep", new("depthwise", new Conv(Size.One, Padding.All(1), Size.One, 40), x, Weights("taps", [40, 1, 3, 3])), 0.1f);
        return new(new Node("y", new DequantizeLinear(), x));
    }

    // Published once for all cases.
    private static readonly Lazy<Task<string>> native = new(Publish);

    private static async Task<string> Publish()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("the native program is tested on Linux only");
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "clang"))))
            Assert.Skip("clang is not installed: the native program can't be linked (Debian: apt-get install clang lld zlib1g-dev)");
        string artifacts = Path.Combine(Repository.Root, "artifacts", "native"), output = Path.Combine(artifacts, "program");
        string instructions = Isas.Best switch { Isa.Vector512 => "x86-64-v4", Isa.Vector256 => "x86-64-v3", _ => "" };
        bool x64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        ChildProcess published = await ChildProcess.Run("dotnet",
            [
                "publish", Path.Combine(Repository.Root, "test", "Penjing.Aot"), "-c", "Release", "-r", x64 ? "linux-x64" : "linux-arm64",
                "-o", output, "--artifacts-path", artifacts,
                "-p:Native=true", .. x64 && instructions != "" ? (string[])[$"-p:IlcInstructionSet={instructions}"] : [], "--disable-build-servers",
            ],
            TimeSpan.FromMinutes(10), ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"));
        Assert.True(published.ExitCode == 0 && !published.Output.Contains("warning", StringComparison.OrdinalIgnoreCase), published.Output);
        return Path.Combine(output, "penjing-aot");
    }
}
