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

    /// <summary>Input channels of zeros change no bit: a convolution without them gives the same, whatever their weights; so does a matrix product.</summary>
    [Fact]
    public void ZeroChannelsLeaveNoTrace()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            int channels = random.Next(2, 14);
            Tensor mask = RandomTensors.Uniform([1, channels, 1, 1], seed), x = RandomTensors.Normal([1, channels, 5, 6], seed + 1), w = RandomTensors.Normal([7, channels, 3, 3], seed + 2);
            Ints kept = [.. Enumerable.Range(0, channels).Where(c => c == 0 || mask.Floats[c] > 0)];
            Tensor zeroed = Tensor.Build<float>(x.Shape, values =>
            {
                foreach (int c in kept) x.Floats.Slice(c * 30, 30).CopyTo(values[(c * 30)..]);
            });
            Conv conv = new(Size.One, Padding.All(1), Size.One, 1, new Relu());
            Tensor bias = RandomTensors.Normal([7], seed + 3), matrix = RandomTensors.Normal([channels * 30, 5], seed + 4);
            Tensor removed = Reference.Evaluate(new Gather(1, kept), [x]), kernel = Reference.Evaluate(new Gather(1, kept), [w]);
            Closeness.CheckBits(Reference.Evaluate(conv, [zeroed, w, bias]), Reference.Evaluate(conv, [removed, kernel, bias]), $"seed {seed}");

            Tensor rows = Reference.Evaluate(new Gather(0, kept), [matrix.Reshape([channels, 150])]).Reshape([kept.Count * 30, 5]);
            Tensor flat = Reference.Evaluate(new Flatten(), [zeroed]), shorter = Reference.Evaluate(new Flatten(), [removed]);
            Closeness.CheckBits(Reference.Evaluate(new Gemm(), [flat, matrix]), Reference.Evaluate(new Gemm(), [shorter, rows]), $"seed {seed}, matrix");
        }
    }

    /// <summary>A fused activation that only bounds gives the bits of one that stands by itself.</summary>
    [Fact]
    public void FusedBoundsAreExact()
    {
        foreach (OpCase one in OpCases.Of<Conv>().Where(one => one.Op is Conv { Then: Relu or Clip }))
        {
            Conv conv = (Conv)one.Op;
            Tensor before = Reference.Evaluate(conv with { Then = null }, one.Inputs.AsSpan());
            Closeness.CheckBits(Reference.Evaluate(conv.Then!, [before]), one.Expected(), one.Name);
        }
    }

    /// <summary>Sums by hand: a 2×2 kernel with stride, padding, bias and activation.</summary>
    [Fact]
    public void ConvolutionByHand()
    {
        Tensor x = Tensor.Of<float>([1, 1, 3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9), w = Tensor.Of<float>([1, 1, 2, 2], 1, -1, 2, 0.5f), bias = Tensor.Of<float>([1], -3);
        Assert.Equal([-2.5f, 2.5f, -3.5f, 16.5f], Reference.Evaluate(new Conv(Size.Square(2), new(1, 1, 0, 0), Size.One), [x, w, bias]).Floats.ToArray());
        Assert.Equal([0f, 2.5f, 0f, 6f], Reference.Evaluate(new Conv(Size.Square(2), new(1, 1, 0, 0), Size.One, 1, new Clip(0, 6)), [x, w, bias]).Floats.ToArray());
    }
}
