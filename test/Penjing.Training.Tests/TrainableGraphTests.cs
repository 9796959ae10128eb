using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>A trainable graph answers as the reference does, and comes back unharmed.</summary>
public sealed class TrainableGraphTests
{
    [Fact]
    public void Every_operation_answers_as_the_reference()
    {
        List<string> wrong = [];
        int count = 0;
        foreach (OpCase one in OpCases.All)
        {
            count++;
            try
            {
                using TrainableGraph trainable = new(one.Graph());
                Closeness.Check(one.Expected(), trainable.Run(one.Fed())[0], 1e-4, one.Name);
            }
            catch (Exception error)
            {
                wrong.Add($"{one.Name}: {error.GetType().Name}: {error.Message.Split('\n')[0]}");
            }
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} cases:\n{string.Join('\n', wrong.Take(40))}");
    }

    [Fact]
    public void Untrained_comes_back_to_the_bit()
    {
        foreach (Parameterization parameterization in new[] { Parameterization.Free, Parameterization.KeepZeros, Parameterization.Shared, Parameterization.Shared | Parameterization.KeepZeros })
        {
            Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;
            using TrainableGraph trainable = new(graph, Parameterizations.ForKernels(parameterization));
            foreach ((Node before, Node after) in graph.Nodes.Zip(trainable.ToGraph().Nodes)) Assert.Same(before, after);
        }
    }
}
