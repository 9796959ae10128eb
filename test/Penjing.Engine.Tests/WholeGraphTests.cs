using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Whole networks on the engine against the reference.</summary>
public class WholeGraphTests
{
    private const double Tolerance = 1e-4;

    /// <summary>Every vector width with one to three threads.</summary>
    public static TheoryData<Isa, int> Settings => new(
        from isa in Enum.GetValues<Isa>()
        from threads in (int[])[1, 2, 3]
        select (isa, threads));

    /// <summary>Random graphs give the reference's answers, twice in a row.</summary>
    [Theory]
    [MemberData(nameof(Settings))]
    public void RandomGraphsAgreeWithTheReference(Isa isa, int threads)
    {
        for (int seed = (int)isa * 100; seed < (int)isa * 100 + 40; seed++) Compare(RandomGraphs.Network(seed), seed, new(threads, Isa: isa));
    }

    /// <summary>Graphs whose values lie within others, in other orders and under sums give the reference's answers, twice in a row.</summary>
    [Theory]
    [MemberData(nameof(Settings))]
    public void JoinedGraphsAgreeWithTheReference(Isa isa, int threads)
    {
        for (int seed = 10 * threads + (int)isa; seed < 400; seed += 4 * threads) Compare(JoinedGraphs.Network(seed), seed, new(threads, Isa: isa));
    }

    /// <summary>The fallback for every node gives the reference's answers.</summary>
    [Fact]
    public void TheFallbackAgreesWithTheReference()
    {
        for (int seed = 1000; seed < 1030; seed++)
        {
            Compare(RandomGraphs.Network(seed), seed, new(2, Kernel: "reference"));
            using Session session = new(RandomGraphs.Network(seed), new(1, Kernel: "reference"));
            Assert.All(session.Steps, step => Assert.True(step.IsFallback || step.Op is "Input" or "Output", step.ToString()));
        }
    }

    /// <summary>Every row of the kernel table, forced wherever it fits, gives the reference's answers.</summary>
    [Fact]
    public void EveryRowOfTheTableAgreesWithTheReference()
    {
        foreach (KernelRow row in KernelTable.Rows)
            for (int seed = 2000; seed < 2010; seed++)
            {
                Compare(RandomGraphs.Network(seed), seed, new(1, Kernel: row.Name));
                Compare(JoinedGraphs.Network(seed), seed, new(1, Kernel: row.Name));
            }
    }

    /// <summary>Every operation's generated cases run on the engine, with constants as constants, and give the reference's answers.</summary>
    [Theory]
    [MemberData(nameof(Settings))]
    public void EveryOperationAgreesWithTheReference(Isa isa, int threads)
    {
        foreach (OpCase one in OpCases.All.Where((_, i) => i % 3 == threads - 1))
        {
            using Session session = new(one.Graph(), new(threads, Isa: isa));
            Closeness.Check(one.Expected(), session.Run(one.Fed())[0], Tolerance, $"{one} with {isa}, {threads} threads");
        }
    }

    /// <summary>MobileNets of awkward widths and sizes give the reference's answers.</summary>
    [Theory]
    [InlineData(0.25, 32, 3)]
    [InlineData(0.35, 45, 1)]
    [InlineData(1, 64, 3)]
    public void MobileNetsAgreeWithTheReference(double width, int size, int channels)
    {
        Graph graph = MobileNetV1.Build(width, size, channels, 100).Graph;
        Tensor[] fed = RandomGraphs.Fed(graph, 3);
        Tensor expected = Reference.Run(graph, fed)[0];
        foreach (Isa isa in Enum.GetValues<Isa>())
        {
            using Session session = new(graph, new(2, Isa: isa));
            Assert.DoesNotContain(session.Steps, step => step.IsFallback);
            Closeness.Check(expected, session.Run(fed)[0], Tolerance, $"MobileNet {width}, {size}×{size}×{channels} with {isa}");
        }
    }

    /// <summary>How many threads work changes no bit: tasks are cut by the work alone.</summary>
    [Fact]
    public void ThreadsChangeNoBit()
    {
        for (int seed = 4000; seed < 4030; seed++)
        {
            Graph graph = RandomGraphs.Network(seed);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            using Session one = new(graph, new(1)), three = new(graph, new(3));
            foreach ((Tensor expected, Tensor actual) in one.Run(fed).Zip(three.Run(fed))) Closeness.CheckBits(expected, actual, $"seed {seed}");
        }
    }

    private static void Compare(Graph graph, int seed, SessionOptions options)
    {
        using Session session = new(graph, options);
        for (int run = 0; run < 2; run++)
        {
            Tensor[] fed = RandomGraphs.Fed(graph, seed + 10 * run), expected = Reference.Run(graph, fed), actual = session.Run(fed);
            for (int i = 0; i < expected.Length; i++)
                Closeness.Check(expected[i], actual[i], Tolerance, $"seed {seed}, run {run}, output '{graph.Outputs[i].Name}', {options}");
        }
    }
}
