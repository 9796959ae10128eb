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

    /// <summary>What no other runtime judges: integers wrap, casts end at the type's ends, and halves go to the even one.</summary>
    [Fact]
    public void IntegersAreExact()
    {
        Same(Tensor.Of<byte>([3], 44, 0, 255), new Add(), Tensor.Of<byte>([3], 200, 255, 0), Tensor.Of<byte>([3], 100, 1, 255));
        Same(Tensor.Of<ulong>([2], ulong.MaxValue - 1, 1), new Mul(), Tensor.Of<ulong>([2], ulong.MaxValue, ulong.MaxValue), Tensor.Of<ulong>([2], 2, ulong.MaxValue));
        Same(Tensor.Of<long>([2], long.MinValue, 3), new Div(), Tensor.Of<long>([2], long.MinValue, -7), Tensor.Of<long>([2], -1, -2));
        Same(Tensor.Of<short>([3], 27, 1, 0), new Pow(), Tensor.Of<short>([3], 3, -1, 5), Tensor.Of<short>([3], 3, -2, -1));
        Same(Tensor.Of<uint>([2], 1u << 31, 0), new BitShift(true), Tensor.Of<uint>([2], 1, 1), Tensor.Of<uint>([2], 31, 32));
        Same(Tensor.Of<bool>([3], true, true, false), new Less(), Tensor.Of<ulong>([3], 1, ulong.MaxValue - 1, ulong.MaxValue), Tensor.Of<ulong>([3], 2, ulong.MaxValue, 1));
        Same(Tensor.Of<int>([3], int.MaxValue, -7, 0), new Cast(ElementType.Int32), Tensor.Of<float>([3], 1e20f, -7.9f, float.NaN));
        Same(Tensor.Of<bool>([3], true, false, true), new Cast(ElementType.Bool), Tensor.Of<float>([3], 0.1f, 0, float.NaN));
        Same(Tensor.Of<long>([3], long.MinValue, 5, long.MaxValue), new Clip(float.NegativeInfinity, float.PositiveInfinity), Tensor.Of<long>([3], long.MinValue, 5, long.MaxValue));
        Same(Tensor.Of<short>([5], 2, 4, 4, short.MaxValue, short.MinValue), new QuantizeLinear(ElementType.Int16, new(2, 2)), Tensor.Of<float>([5], 1, 3, 5, 1e9f, -1e9f));
        Same(Tensor.Of<ulong>([], ulong.MaxValue), new ReduceMin([], false), Tensor.Of<ulong>([0]));
        Same(Tensor.Of<int>([3], 7, 2, 9), new ScatterElements(0, ScatterReduction.Max), Tensor.Of<int>([3], 1, 2, 3), Tensor.Of<long>([3], 0, -1, 0), Tensor.Of<int>([3], 5, 9, 7));
        Same(Tensor.Of<float>([2, 1], -1, 3), new ScatterND(ScatterReduction.Min), Tensor.Of<float>([2, 1], 2, 3), Tensor.Of<int>([2, 1], 0, 1), Tensor.Of<float>([2, 1], -1, 4));
    }

    /// <summary>An index beyond the data is an error that names the operation and the index.</summary>
    [Fact]
    public void IndicesAreChecked()
    {
        Tensor x = RandomTensors.Normal([3, 4], 1), at = Tensor.Of<long>([1, 1], 3), row = RandomTensors.Normal([1, 4], 1), one = RandomTensors.Normal([1, 1], 1);
        (Op Op, Tensor[] Inputs)[] wrong =
        [
            (new Take(), [x, at]), (new GatherElements(), [x, at]), (new GatherND(), [x, at]), (new ScatterElements(), [x, at, one]), (new ScatterND(), [x, at, row]),
            (new RoiAlign(Size.One), [x.Reshape([3, 1, 2, 2]), row, at.Reshape([1])]),
        ];
        foreach ((Op op, Tensor[] inputs) in wrong)
        {
            string message = Assert.Throws<PenjingException>(() => Reference.Evaluate(op, inputs)).Message;
            Assert.True(message.Contains(op.Name) && message.Contains('3'), message);
        }
        Tensor huge = Tensor.Of<float>([1, 4], 0, 0, 1e9f, 1e9f);
        Assert.Contains("ratio", Assert.Throws<PenjingException>(() => Reference.Evaluate(new RoiAlign(Size.One), [x.Reshape([3, 1, 2, 2]), huge, Tensor.Of<long>([1], 0)])).Message);
    }

    private static void Same(Tensor expected, Op op, params Tensor[] inputs) => Closeness.CheckBits(expected, Reference.Evaluate(op, inputs), op.Name);

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
