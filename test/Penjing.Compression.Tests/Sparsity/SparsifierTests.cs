using System.Collections.Immutable;
using Penjing.Engine;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>The smallest weights become zero, as many as asked, where the pattern allows, and nothing else changes.</summary>
public sealed class SparsifierTests
{
    /// <summary>Every layer of generated networks loses exactly its smallest weights, found here by sorting.</summary>
    [Fact]
    public void Each_layer_loses_its_smallest()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Graph graph = PrunableGraphs.Network(seed);
            double ratio = (seed % 10 + 0.5) / 10;
            bool depthwise = seed % 2 == 0;
            Graph sparse = Sparsifier.Sparsify(graph, new() { Ratio = ratio, Depthwise = depthwise });
            HashSet<Node> layers = [.. graph.Nodes.Where(node => Mixer.Of(node) is { } mixer && (depthwise || !mixer.Carries)).Select(node => node.Inputs[1])];
            foreach (Node weight in graph.Weights)
            {
                if (!layers.Contains(weight))
                {
                    Assert.Same(weight, sparse[weight.Name]);
                    continue;
                }
                float[] expected = weight.Value!.Floats.ToArray();
                int zeros = Math.Min((int)Math.Round(ratio * expected.Length, MidpointRounding.AwayFromZero), expected.Length - 1);
                foreach (int i in Enumerable.Range(0, expected.Length).OrderBy(i => Math.Abs(expected[i])).Take(zeros).ToArray()) expected[i] = 0;
                Assert.True(expected.AsSpan().SequenceEqual(sparse[weight.Name].Value!.Floats), $"seed {seed}, '{weight.Name}' at {ratio}");
            }
        }
    }

    /// <summary>Competing weights go by magnitude, or by their share of the squares that aren't smaller, over all layers, and each layer's largest stays.</summary>
    [Theory]
    [InlineData(0.3, SparsityScope.Global)]
    [InlineData(0.9, SparsityScope.Global)]
    [InlineData(0.9999, SparsityScope.Global)]
    [InlineData(0.3, SparsityScope.Lamp)]
    [InlineData(0.9, SparsityScope.Lamp)]
    public void Layers_compete(double ratio, SparsityScope scope)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            Graph graph = PrunableGraphs.Network(seed), sparse = Sparsifier.Sparsify(graph, new() { Ratio = ratio, Scope = scope });
            Node[] layers = [.. graph.Nodes.Where(node => Mixer.Of(node) is { Carries: false }).Select(node => node.Inputs[1]).Distinct()];
            HashSet<(Node, int)> spared = [.. layers.Select(weight => (weight, Enumerable.Range(0, weight.Shape.Elements).MaxBy(i => Math.Abs(weight.Value!.Floats[i]))))];
            (Node Weight, int Index)[] ranked = [.. layers.SelectMany(Scored).Where(one => !spared.Contains((one.Weight, one.Index))).OrderBy(one => one.Score).Select(one => (one.Weight, one.Index))];
            HashSet<(Node, int)> gone = [.. ranked.Take((int)Math.Round(ratio * (ranked.Length + spared.Count), MidpointRounding.AwayFromZero))];
            foreach (Node weight in layers)
            {
                float[] expected = weight.Value!.Floats.ToArray();
                for (int i = 0; i < expected.Length; i++)
                    if (gone.Contains((weight, i))) expected[i] = 0;
                Assert.Equal(expected, sparse[weight.Name].Value!.Floats.ToArray());
            }
        }

        IEnumerable<(Node Weight, int Index, double Score)> Scored(Node weight)
        {
            double sum = 0;
            foreach ((double magnitude, int i) in weight.Value!.Floats.ToArray().Select((value, i) => (Math.Abs((double)value), i)).OrderDescending())
                yield return (weight, i, scope is SparsityScope.Global ? magnitude : magnitude * magnitude / (sum += magnitude * magnitude));
        }
    }

    /// <summary>N:M: in every run of inputs no more than N weights stay, and these are its largest.</summary>
    [Theory]
    [InlineData(2, 4)]
    [InlineData(1, 4)]
    [InlineData(4, 8)]
    [InlineData(2, 3)]
    public void Runs_of_inputs_keep_their_largest(int kept, int run)
    {
        for (int seed = 0; seed < 6; seed++)
        {
            Graph graph = PrunableGraphs.Network(seed), sparse = Sparsifier.Sparsify(graph, new() { Ratio = 1 - (double)kept / run, Pattern = SparsityPattern.Of(kept, run) });
            foreach (Node node in graph.Nodes)
            {
                if (Mixer.Of(node) is not { Carries: false } mixer) continue;
                float[] before = node.Inputs[1].Value!.Floats.ToArray(), after = sparse[node.Inputs[1].Name].Value!.Floats.ToArray();
                bool whole = mixer.Fan % run == 0;
                for (int output = 0; output < mixer.Outputs; output++)
                    for (int tap = 0; tap < mixer.Taps; tap++)
                        foreach (int[] inputs in Enumerable.Range(0, mixer.Fan).Chunk(run))
                        {
                            int[] places = [.. inputs.Select(input => mixer.Index(output, input) + tap)];
                            int[] stay = [.. places.Where(place => after[place] != 0)], largest = [.. places.OrderByDescending(place => Math.Abs(before[place])).Take(kept)];
                            Assert.All(stay, place => Assert.Equal(before[place], after[place]));
                            // What runs at the end can't give, others don't give in their place.
                            if (whole) Assert.Equal(largest.Order(), stay.Order());
                            else Assert.Empty(stay.Except(largest));
                        }
                if (whole) Assert.Equal((long)before.Length * (run - kept) / run, after.Count(value => value == 0));
            }
        }
    }

    /// <summary>1×N: blocks of neighbouring outputs live and die together, the smallest first, and the ratio is met within one block.</summary>
    [Theory]
    [InlineData(4, 0.5)]
    [InlineData(16, 0.75)]
    [InlineData(32, 0.9)]
    public void Blocks_of_outputs_go_together(int width, double ratio)
    {
        for (int seed = 0; seed < 8; seed++)
        {
            Graph graph = seed == 0 ? MobileNetV1.Small(0.5, repeats: 0).Graph : PrunableGraphs.Network(seed);
            Graph sparse = Sparsifier.Sparsify(graph, new() { Ratio = ratio, Pattern = SparsityPattern.Blocks(width) });
            foreach (Node node in graph.Nodes)
            {
                if (Mixer.Of(node) is not { Carries: false } mixer) continue;
                float[] before = node.Inputs[1].Value!.Floats.ToArray(), after = sparse[node.Inputs[1].Name].Value!.Floats.ToArray();
                List<(double Score, int Count, bool Gone)> blocks = [];
                for (int group = 0; group < mixer.Groups; group++)
                    foreach (int[] outputs in Enumerable.Range(group * mixer.Yield, mixer.Yield).Chunk(width))
                        for (int input = 0; input < mixer.Fan; input++)
                            for (int tap = 0; tap < mixer.Taps; tap++)
                            {
                                int[] places = [.. outputs.Select(output => mixer.Index(output, input) + tap)];
                                bool gone = places.All(place => after[place] == 0);
                                Assert.True(gone || places.All(place => after[place] == before[place]), $"seed {seed}, {node}: half a block is zero");
                                blocks.Add((places.Average(place => Math.Abs((double)before[place])), places.Length, gone));
                            }
                if (blocks.Any(block => block.Gone)) Assert.True(blocks.Where(block => block.Gone).Max(block => block.Score) <= blocks.Where(block => !block.Gone).Min(block => block.Score) + 1e-6);
                int zeros = blocks.Where(block => block.Gone).Sum(block => block.Count);
                Assert.True(zeros <= ratio * before.Length + 0.5, $"{zeros} of {before.Length}");
                Assert.True(zeros > ratio * before.Length - width - 0.5 || blocks.Count(block => !block.Gone) == 1, $"seed {seed}, {node}: {zeros} of {before.Length}");
            }
        }
    }

    /// <summary>On the engine, blocks as wide as a panel of the widest vectors go to the kernel that skips them, other zeros to the one that skips each; answers are the reference's.</summary>
    [Fact]
    public void The_engine_skips_what_is_zero()
    {
        Graph graph = SqueezeNet.Version11(size: 64, classes: 10).Graph;
        Tensor picture = RandomTensors.Normal(graph.Inputs[0].Shape, 1);
        foreach ((SparsityPattern pattern, string row) in new[] { (SparsityPattern.Blocks(32), "f32-block-sparse"), (SparsityPattern.Unstructured, "f32-sparse") })
        {
            Graph sparse = Sparsifier.Sparsify(graph, new() { Ratio = 0.9, Pattern = pattern });
            using Session session = new(sparse, new SessionOptions(Threads: 1));
            Assert.Contains(session.Steps, step => step.Row == row);
            Closeness.Check(Reference.Run(sparse, picture)[0], session.Run([picture], TestContext.Current.CancellationToken)[0], 1e-4, $"{pattern}");
        }
    }

    /// <summary>A later round takes nothing back, whatever became of the other weights between, and ends at the same count as one round.</summary>
    [Fact]
    public void Zeros_stay_through_rounds()
    {
        foreach (SparsityPattern pattern in new[] { SparsityPattern.Unstructured, SparsityPattern.Of(1, 4), SparsityPattern.Blocks(8) })
            foreach (SparsityScope scope in Enum.GetValues<SparsityScope>())
            {
                Graph graph = CifarResNet.Build(8, 0.5).Graph;
                SparsityOptions options = new() { Ratio = 0.75, Pattern = pattern, Scope = scope, Keep = ["stem"] };
                for (int round = 1; round <= 4; round++)
                {
                    Graph next = Sparsifier.Sparsify(graph, options.At(SparsitySchedules.Cubic, round / 4.0));
                    foreach ((SparseTensor old, SparseTensor now) in Sparsifier.Describe(graph).Zip(Sparsifier.Describe(next)))
                        Assert.True(now.Zeros >= old.Zeros && (now.Zeros > old.Zeros || scope != SparsityScope.Layer || old.Name == "stem.weight"), $"{pattern}: {old}, {now}");
                    foreach ((Node old, Node now) in graph.Weights.Zip(next.Weights))
                        Assert.True(old.Value!.Floats.ToArray().Zip(now.Value!.Floats.ToArray()).All(pair => pair.Second == 0 || pair.Second == pair.First), now.Name);
                    graph = next.Map((node, inputs) => node.Value is { Shape.Rank: > 1 } value
                        ? Node.Weight(node.Name, Tensor.Of(value.Shape, (ReadOnlySpan<float>)[.. value.Floats.ToArray().Zip(RandomTensors.Normal(value.Shape, round).Floats.ToArray(), (a, b) => a * b)]))
                        : node.With(inputs));
                }
                ImmutableArray<SparseTensor> all = Sparsifier.Describe(graph);
                Assert.Equal(0, all[0].Zeros);
                Assert.Equal(0.75, all.Skip(1).Sum(weight => weight.Zeros) / (double)all.Skip(1).Sum(weight => weight.Elements), 1e-3);
            }
    }

    /// <summary>All that a pattern allows may be asked for, and zeros that are there count wherever they stand in a run.</summary>
    [Fact]
    public void Patterns_reach_their_share()
    {
        for (int run = 2; run <= 12; run++)
            for (int kept = 1; kept < run; kept++)
            {
                Node x = new("x", new Input(ElementType.Float32, [1, run])), w = Node.Weight("w", Tensor.Build<float>([2, run], values => { for (int i = 0; i < values.Length; i++) values[i] = i + 1; }));
                Graph sparse = Sparsifier.Sparsify(new(new Node("y", new Gemm(TransposeB: true), x, w)), new() { Ratio = (run - kept) / (double)run, Pattern = SparsityPattern.Of(kept, run) });
                Assert.Equal(2 * (run - kept), Sparsifier.Describe(sparse)[0].Zeros);
            }
        Node input = new("x", new Input(ElementType.Float32, [1, 8])), half = Node.Weight("w", Tensor.Of<float>([1, 8], [0, 0, 0, 0, 1, 2, 3, 4]));
        Graph graph = new(new Node("y", new Gemm(TransposeB: true), input, half));
        Assert.Equal(4, Sparsifier.Describe(Sparsifier.Sparsify(graph, new() { Ratio = 0.5, Pattern = SparsityPattern.Of(2, 4) }))[0].Zeros);
    }

    /// <summary>Layers with a share of their own get it to the weight, as in the recipe of Han et al. 2015; the others compete for the rest.</summary>
    [Fact]
    public void Layers_may_have_their_own_share()
    {
        Graph graph = LeNet300100.Build().Graph;
        SparsityOptions options = new() { Ratio = 0.5, Scope = SparsityScope.Global, Ratios = ImmutableDictionary<string, double>.Empty.Add("ip1", 0.92).Add("ip2.weight", 0.91) };
        Assert.Equal([216_384, 27_300, 500], Sparsifier.Describe(Sparsifier.Sparsify(graph, options)).Select(weight => weight.Zeros));
        Assert.Equal([0, 0, 740], Sparsifier.Describe(Sparsifier.Sparsify(graph, new() { Ratio = 0, Ratios = ImmutableDictionary<string, double>.Empty.Add("ip3", 0.74) })).Select(weight => weight.Zeros));
    }

    /// <summary>Schedules end at the ratio and follow their formulas.</summary>
    [Fact]
    public void Schedules_follow_their_formulas()
    {
        Assert.Equal([0.9, 0.9, 0.9], At(SparsitySchedules.Constant));
        Assert.Equal([0.225, 0.45, 0.9], At(SparsitySchedules.Linear), Near);
        Assert.Equal([0.9 + (0 - 0.9) * 27 / 64, 0.9 - 0.9 / 8, 0.9], At(SparsitySchedules.Cubic), Near);
        Assert.Equal([1 - Math.Sqrt(Math.Sqrt(0.1)), 1 - Math.Sqrt(0.1), 0.9], At(SparsitySchedules.Geometric), Near);
        SparsityOptions half = new SparsityOptions { Ratio = 0.8, Ratios = ImmutableDictionary<string, double>.Empty.Add("a", 0.4) }.At(SparsitySchedules.Linear, 0.5);
        Assert.Equal((0.4, 0.2), (half.Ratio, half.Ratios["a"]));

        static double[] At(SparsitySchedule schedule) => [schedule(0.9, 0.25), schedule(0.9, 0.5), schedule(0.9, 1)];
        static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;
    }

    /// <summary>Patterns read back as they are written; what is none is refused, and so are options that don't fit.</summary>
    [Fact]
    public void What_does_not_fit_is_named()
    {
        foreach (string text in new[] { "unstructured", "2:4", "1x32" }) Assert.Equal(text, SparsityPattern.Parse(text).ToString());
        foreach (string text in new[] { "", "2/4", "2x4", "1x", ":4", "-1:4", "dense", "4:4", "0:4", "1x1" }) Assert.Contains(text, Assert.Throws<PenjingException>(() => SparsityPattern.Parse(text)).Message);
        Graph graph = LeNet300100.Build().Graph;
        Refuses("share of 1 of the weights", new() { Ratio = 1 });
        Refuses("-0.1", new() { Ratios = ImmutableDictionary<string, double>.Empty.Add("ip1", -0.1) });
        Refuses("2:4", new() { Ratio = 0.6, Pattern = SparsityPattern.Of(2, 4) });
        Refuses("'ip9'", new() { Keep = ["ip9"] });
        Refuses("'ip8'", new() { Ratios = ImmutableDictionary<string, double>.Empty.Add("ip8", 0.1) });
        Node x = new("x", new Input(ElementType.Float32, [1, 2]));
        graph = new(new Node("y", new Gemm(), x, Node.Weight("w", Tensor.Of([2, 1], 1f, float.NaN))));
        Refuses("'w' holds values that are not finite", new());

        void Refuses(string word, SparsityOptions options) => Assert.Contains(word, Assert.Throws<PenjingException>(() => Sparsifier.Sparsify(graph, options)).Message);
    }
}
