using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>The reference against arithmetic done by hand, and the sameness of its two entries.</summary>
public class ReferenceTests
{
    /// <summary>Case names are keys.</summary>
    [Fact]
    public void CasesHaveUniqueNames()
    {
        string[] twice = [.. OpCases.All.GroupBy(one => one.Name).Where(group => group.Count() > 1).Select(group => group.Key)];
        Assert.Empty(twice);
    }

    /// <summary>A graph of one operation runs to the bits that the operation alone gives, of the type and shape inferred.</summary>
    [Fact]
    public void RunAgreesWithEvaluateOnEveryCase()
    {
        foreach (OpCase one in OpCases.All)
        {
            Graph graph = one.Graph();
            Tensor expected = one.Expected(), actual = Reference.Run(graph, one.Fed())[0];
            Assert.True(expected.BitsEqual(actual), one.Name);
            Assert.True(graph.Outputs[0].Shape == actual.Shape && graph.Outputs[0].Info.Type == actual.Type, one.Name);
        }
    }
}
