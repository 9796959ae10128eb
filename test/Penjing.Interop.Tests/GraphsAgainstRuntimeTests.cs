using Penjing.Engine;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Whole networks, as built and after all passes, against ONNX Runtime.</summary>
public class GraphsAgainstRuntimeTests
{
    /// <summary>Random networks, exported as they are and with all fusions, run in ONNX Runtime to the reference's answers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RandomNetworksAgree(bool rewritten)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Graph built = seed % 2 == 0 ? FoldableGraphs.Network(seed) : RandomGraphs.Network(seed), graph = rewritten ? built.Rewrite(Passes.ForInference) : built;
            Tensor[] inputs = RandomGraphs.Fed(built, seed), expected = Runtime.Run(new(graph), inputs), actual = Reference.Run(built, inputs);
            for (int i = 0; i < expected.Length; i++) Closeness.Check(expected[i], actual[i], 1e-4, $"seed {seed}, output {i}");
        }
    }

    /// <summary>MobileNet v1 at a small size in the reference.</summary>
    [Fact]
    public void SmallMobileNetAgreesInTheReference()
    {
        Model model = Trained(MobileNetV1.Build(0.5, 64, classes: 20));
        Tensor input = RandomTensors.Uniform(model.Graph.Inputs[0].Shape, 7);
        Closeness.Check(Runtime.Run(model, [input])[0], Reference.Run(model.Graph, input)[0], 1e-5, "MobileNet v1 0.5-64");
    }

    /// <summary>MobileNet v1 1.0-224 on the engine, with one thread and with two.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void MobileNetAgreesOnTheEngine(int threads)
    {
        Model model = Trained(MobileNetV1.Build());
        Tensor input = RandomTensors.Uniform(model.Graph.Inputs[0].Shape, 7);
        using Session session = new(model, new(threads));
        Closeness.Check(Runtime.Run(model, [input], optimized: true)[0], session.Run([input], TestContext.Current.CancellationToken)[0], 1e-4, $"MobileNet v1 1.0-224 on {threads} thread(s)");
    }

    private static Model Trained(Model model) => model with { Graph = Statistics.Drawn(model.Graph) };
}
