using Penjing.Engine.Tests;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Exported networks pass ONNX's own checker, that of Debian's python3-onnx.</summary>
public class CheckerTests
{
    private const string Program = """
        import glob, sys, onnx
        files = sorted(glob.glob(sys.argv[1] + '/*.onnx'))
        for path in files:
            try:
                onnx.checker.check_model(path, full_check=True)
            except Exception as error:
                print('WRONG', path, str(error).replace('\n', ' ')[:400])
        print('checked', len(files))
        """;

    /// <summary>Random networks, a zoo network and a case of every operation are standard ONNX, types and shapes included.</summary>
    [Fact]
    public async Task Exported_networks_are_standard()
    {
        (string? python, string problem) = await Python();
        if (python is null)
        {
            Assert.Skip($"ONNX's checker is not to be had; install Debian's package python3-onnx ({problem})");
            return;
        }
        string folder = Directory.CreateTempSubdirectory("penjing").FullName;
        try
        {
            int count = 0;
            void Write(Graph graph, string name)
            {
                string plain = string.Concat(name.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter == ' '));
                OnnxWriter.Write(Path.Combine(folder, $"{count++:d4} {plain}.onnx"), new Model(graph) { Name = name });
            }
            for (int seed = 0; seed < 40; seed++)
            {
                Graph graph = seed % 2 == 0 ? FoldableGraphs.Network(seed) : RandomGraphs.Network(seed);
                Write(seed % 4 < 2 ? graph : graph.Rewrite(Passes.ForInference), $"seed {seed}");
            }
            Write(MobileNetV1.Build(0.25, 64).Graph, "MobileNet");
            foreach (OpCase one in OpCases.All.GroupBy(one => one.Op.Name).SelectMany(group => group.Take(4))) Write(one.Graph(), one.Name);
            ChildProcess checker = await ChildProcess.Run(python, ["-c", Program, folder], TimeSpan.FromMinutes(5));
            Assert.True(checker.ExitCode == 0 && checker.Output.Contains($"checked {count}", StringComparison.Ordinal)
                && !checker.Output.Contains("WRONG", StringComparison.Ordinal), checker.Output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A Python that has ONNX: Debian's own before another that may stand before it.</summary>
    private static async Task<(string? Program, string Problem)> Python()
    {
        string problem = "";
        foreach (string program in new[] { "/usr/bin/python3", "python3" })
        {
            try
            {
                ChildProcess python = await ChildProcess.Run(program, ["-c", "import onnx"], TimeSpan.FromMinutes(1));
                if (python.ExitCode == 0) return (program, "");
                problem = python.Output.Trim().Split('\n')[^1];
            }
            catch (System.ComponentModel.Win32Exception error)
            {
                problem = error.Message;
            }
        }
        return (null, problem);
    }
}
