using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>Graphs: what they refuse, their order, and edits of the whole.</summary>
public class GraphTests
{
    private static Node Input(string name, params int[] extents) => new(name, new Input(ElementType.Float32, Shape.Create(extents)));

    [Fact]
    public void TwoNodesOfOneNameAreRefused()
    {
        Node x = Input("x", 3);
        Assert.Contains("'y'", Assert.Throws<ShapeException>(() => new Graph(new Node("y", new Tanh(), new Node("y", new Relu(), x)))).Message);
    }

    [Fact]
    public void OutputsAndInputsAreChecked()
    {
        Node x = Input("x", 3), other = Input("other", 3), y = new("y", new Relu(), x);
        Assert.Throws<ShapeException>(() => new Graph([]));
        Assert.Contains("'x'", Assert.Throws<ShapeException>(() => new Graph([y], [other])).Message);
        Assert.Contains("'y'", Assert.Throws<ShapeException>(() => new Graph([y], [x, y])).Message);
        Assert.Contains("'x'", Assert.Throws<ShapeException>(() => new Graph([y], [x, x])).Message);
    }

    /// <summary>What no output needs is not in the graph, except a listed input.</summary>
    [Fact]
    public void DeadCodeIsGone()
    {
        Node x = Input("x", 3), unused = Input("unused", 5), y = new("y", new Relu(), x);
        _ = new Node("dead", new Tanh(), y);
        Assert.Equal([x, y], new Graph(y).Nodes);
        Graph graph = new([y], [unused, x]);
        Assert.Equal([unused, x], graph.Inputs);
        Assert.Equal(3, graph.Nodes.Length);
        Assert.Equal(new float[] { 0, 0, 2 }, Reference.Run(graph, Tensor.Zeros(ElementType.Float32, [5]), Tensor.Of<float>([3], -1, 0, 2))[0].Floats.ToArray());
    }

    /// <summary>Every node stands after its inputs, once, on random networks.</summary>
    [Fact]
    public void NodesStandAfterTheirInputs()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Graph graph = RandomGraphs.Network(seed);
            var seen = new HashSet<Node>();
            foreach (Node node in graph.Nodes)
            {
                Assert.True(node.Inputs.All(seen.Contains), $"seed {seed}: {node}");
                Assert.True(seen.Add(node), $"seed {seed}: {node}");
            }
        }
    }

    /// <summary>A hundred thousand nodes in a row neither overflow the stack nor the patience, in building, mapping, rewriting and running.</summary>
    [Fact]
    public void DeepGraphsHold()
    {
        Node node = Input("x", 2);
        for (int i = 0; i < 100_000; i++) node = new($"n{i}", i % 2 == 0 ? new Relu() : new Identity(), node);
        Graph graph = new(node);
        Assert.Equal(100_001, graph.Map((old, inputs) => old.With(inputs)).Nodes.Length);
        Assert.Equal(50_001, graph.Rewrite(Passes.DropIdentities).Nodes.Length);
        Assert.Equal(2, Reference.Run(graph, Tensor.Of<float>([2], -1, 2))[0].Floats[1]);
    }

    /// <summary>A map that changes nothing gives the same nodes; one that renames gives a graph that computes the same.</summary>
    [Fact]
    public void MapKeepsWhatItIsNotAskedToChange()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            Graph graph = RandomGraphs.Network(seed), same = graph.Map((node, inputs) => node.With(inputs));
            Assert.Equal(graph.Nodes, same.Nodes);
            Graph renamed = graph.Map((node, inputs) => new($"new.{node.Name}", node.Op, inputs));
            Tensor[] fed = RandomGraphs.Fed(graph, seed), expected = Reference.Run(graph, fed), actual = Reference.Run(renamed, fed);
            Assert.All(expected.Zip(actual), pair => Closeness.CheckBits(pair.First, pair.Second, $"seed {seed}"));
        }
    }

    /// <summary>Each reading input counts as one reader.</summary>
    [Fact]
    public void ConsumersCountEachReadingInput()
    {
        Node x = Input("x", 3), twice = new("twice", new Add(), x, x), y = new("y", new Relu(), x);
        ILookup<Node, Node> readers = new Graph([twice, y]).Consumers();
        Assert.Equal([twice, twice, y], readers[x]);
        Assert.Empty(readers[y]);
    }

    /// <summary>A network at batch 3 answers what it answers to each image by itself.</summary>
    [Fact]
    public void WithBatchRunsImagesSideBySide()
    {
        Node x = Input("x", 1, 3, 6, 5);
        Node conv = new("conv", new Conv(Size.One, Padding.All(1), Size.One), x, Node.Weight("w", RandomTensors.Normal([4, 3, 3, 3], 1)));
        Graph one = new(new Node("soft", new Softmax(), new Node("flat", new Flatten(), conv))), three = one.WithBatch(3);
        Assert.Equal([3, 120], three.Outputs[0].Shape);
        Tensor images = RandomTensors.Normal([3, 3, 6, 5], 2);
        ReadOnlySpan<float> answers = Reference.Run(three, images)[0].Floats;
        for (int i = 0; i < 3; i++)
            Assert.Equal(answers.Slice(i * 120, 120).ToArray(), Reference.Run(one, Tensor.Of([1, 3, 6, 5], images.Floats.Slice(i * 90, 90)))[0].Floats.ToArray());
        Assert.Same(three, three.WithBatch(3));
    }

    /// <summary>A Reshape that fixes the batch is an error, whether it misfits or would mix the images.</summary>
    [Fact]
    public void WithBatchRefusesAFixedBatch()
    {
        Node x = Input("x", 1, 3, 4);
        Assert.Contains("'flat'", Assert.Throws<ShapeException>(() => new Graph(new Node("flat", new Reshape([1, 12]), x)).WithBatch(2)).Message);
        Assert.Contains("'flat'", Assert.Throws<ShapeException>(() => new Graph(new Node("flat", new Reshape([1, -1]), x)).WithBatch(2)).Message);
        Assert.Throws<ShapeException>(() => new Graph(new Node("y", new Relu(), x)).WithBatch(-1));
    }

    /// <summary>A network without matrices answers pictures of another size as one that was built for them; a matrix behind a Flatten fixes the size.</summary>
    [Fact]
    public void WithSizeIsForFullyConvolutionalNetworks()
    {
        Node kernel = Node.Weight("w", RandomTensors.Normal([4, 3, 3, 3], 1)), matrix = Node.Weight("m", RandomTensors.Normal([4, 2], 2));
        Graph built = Of(Input("x", 1, 3, 9, 8), pooled: true), resized = Of(Input("x", 1, 3, 6, 5), pooled: true).WithSize(9, 8);
        Assert.Equal([1, 3, 9, 8], resized.Inputs[0].Shape);
        Tensor picture = RandomTensors.Normal([1, 3, 9, 8], 3);
        Assert.Equal(Reference.Run(built, picture)[0].Floats.ToArray(), Reference.Run(resized, picture)[0].Floats.ToArray());
        Assert.Contains("'y'", Assert.Throws<ShapeException>(() => Of(Input("x", 1, 3, 1, 1), pooled: false).WithSize(9, 8)).Message);

        Graph Of(Node x, bool pooled)
        {
            Node conv = new("conv", new Conv(Size.One, Padding.All(1), Size.One), x, kernel);
            return new(new Node("y", new Gemm(), new Node("flat", new Flatten(), pooled ? new("pool", new GlobalAveragePool(), conv) : conv), matrix));
        }
    }

    [Fact]
    public void NodesAreFoundByName()
    {
        Graph graph = new(new Node("y", new Relu(), Input("x", 3)));
        Assert.Equal("y", graph["y"].Name);
        Assert.Contains("'z'", Assert.Throws<KeyNotFoundException>(() => graph["z"]).Message);
    }

    /// <summary>Inputs of another count, shape or type are refused with both sides.</summary>
    [Fact]
    public void RunChecksItsInputs()
    {
        Graph graph = new(new Node("y", new Relu(), Input("x", 3)));
        Assert.Contains("1 input", Assert.Throws<ShapeException>(() => Reference.Run(graph)).Message);
        string message = Assert.Throws<ShapeException>(() => Reference.Run(graph, Tensor.Zeros(ElementType.Float32, [4]))).Message;
        Assert.All(["'x'", "Float32 3", "Float32 4"], part => Assert.Contains(part, message));
        Assert.Throws<ShapeException>(() => Reference.Run(graph, Tensor.Zeros(ElementType.Int32, [3])));
        Assert.Throws<InvalidOperationException>(() => Reference.Evaluate(new Input(ElementType.Float32, [3]), []));
    }

    /// <summary>Multiply-accumulates of MobileNet's first layers by hand.</summary>
    [Fact]
    public void MacsAreThoseOfPapers()
    {
        Node x = Input("x", 1, 3, 224, 224);
        Node conv = new("conv", new Conv(Size.Square(2), Padding.All(1), Size.One), x, Node.Weight("w1", Tensor.Zeros(ElementType.Float32, [32, 3, 3, 3])));
        Node depthwise = new("dw", new Conv(Size.One, Padding.All(1), Size.One, 32), conv, Node.Weight("w2", Tensor.Zeros(ElementType.Float32, [32, 1, 3, 3])));
        Assert.Equal(112L * 112 * 32 * 27, Cost.Macs(conv));
        Assert.Equal(112L * 112 * 32 * 9, Cost.Macs(depthwise));
        Assert.Equal(Cost.Macs(conv) + Cost.Macs(depthwise), Cost.Macs(new Graph(depthwise)));
        Node up = new("up", new ConvTranspose(Size.Square(2), default, Size.One), Input("z", 1, 4, 5, 5), Node.Weight("w3", Tensor.Zeros(ElementType.Float32, [4, 6, 2, 2])));
        Assert.Equal(25L * 4 * 6 * 4, Cost.Macs(up));
        Assert.Equal(2L * 5 * 7, Cost.Macs(new Node("gemm", new Gemm(), Input("a", 2, 5), Input("b", 5, 7))));
    }
}
