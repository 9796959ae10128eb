using System.Collections.Immutable;
using Penjing.Engine;
using Penjing.Interop;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Networks that nobody here made can be pruned, and exactly.</summary>
public sealed class OutsidePruningTests
{
    /// <summary>The files of the shared data.</summary>
    public static TheoryData<string, string> Files => [.. OutsideNetworks.Files];

    /// <summary>Masked and removed are equal to the bit in the reference, and up to rounding on the engine; at least 30 % of the parameters go.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Outside_networks_lose_channels_exactly(string folder, string file)
    {
        if (Repository.Shared(folder) is not { } data)
        {
            Assert.Skip($"shared/data/{folder} is not beside the repository");
            return;
        }
        Graph graph = OnnxReader.Read(Path.Combine(data, file)).Graph;
        ImmutableHashSet<int> doomed = Pruner.Choose(ChannelGroups.Of(graph), new() { Ratio = 0.4 });
        Graph masked = Pruner.Mask(graph, doomed), removed = Pruner.Remove(graph, doomed);
        Assert.True(removed.Parameters < 0.7 * graph.Parameters, $"{file}: of {graph.Parameters} parameters {removed.Parameters} stay");
        Tensor[] inputs = [.. graph.Inputs.Select((input, i) => RandomTensors.Uniform(input.Shape, 5 + i, -1, 1))];
        Tensor[] expected = Reference.Run(masked, inputs), actual = Reference.Run(removed, inputs);
        using Session whole = new(masked, new(1)), small = new(removed, new(1));
        CancellationToken stop = TestContext.Current.CancellationToken;
        Tensor[] wide = whole.Run(inputs, stop), narrow = small.Run(inputs, stop);
        for (int output = 0; output < expected.Length; output++)
        {
            Closeness.CheckBits(expected[output], actual[output], $"{file}, output {output}");
            Closeness.Check(wide[output], narrow[output], 1e-5, $"{file} on the engine, output {output}");
        }
    }
}
