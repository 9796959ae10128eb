namespace Penjing.Tests;

/// <summary>The driver of local rewrites.</summary>
public class RewriterTests
{
    private static readonly Node x = new("x", new Input(ElementType.Float32, [2, 3]));

    private static Node Row(int count)
    {
        Node node = x;
        for (int i = 0; i < count; i++) node = new($"n{i}", new Relu(), node);
        return node;
    }

    /// <summary>A graph on which nothing matches comes back as itself.</summary>
    [Fact]
    public void NothingChangedIsTheSameGraph()
    {
        Graph graph = new(Row(5));
        Assert.Same(graph, graph.Rewrite(Passes.DropIdentities));
        Assert.Same(graph, graph.Rewrite());
    }

    /// <summary>A rule is offered again what it yielded, and every node after it: a long row collapses to one node.</summary>
    [Fact]
    public void RulesRunToTheEnd()
    {
        Pass pass = new("Relu, Relu => Relu", (node, _) => node is { Op: Relu, Inputs: [{ Op: Relu } before] } ? new(node.Name, new Relu(), before.Inputs) : null);
        Graph graph = new Graph(Row(50)).Rewrite(pass);
        Assert.Equal(2, graph.Nodes.Length);
        Assert.Equal("n49", graph.Outputs[0].Name);
    }

    /// <summary>Passes run in their order, each on what those before left.</summary>
    [Fact]
    public void PassesRunInOrder()
    {
        Pass first = new("Relu => Tanh", (node, _) => node.Op is Relu ? new(node.Name, new Tanh(), node.Inputs) : null);
        Pass second = new("Tanh => Sigmoid", (node, _) => node.Op is Tanh ? new(node.Name, new Sigmoid(), node.Inputs) : null);
        Assert.IsType<Sigmoid>(new Graph(Row(1)).Rewrite(first, second).Outputs[0].Op);
        Assert.IsType<Tanh>(new Graph(Row(1)).Rewrite(second, first).Outputs[0].Op);
    }

    /// <summary>Rules that undo each other, or match what they yield, end in an error that names the pass.</summary>
    [Fact]
    public void LoopsAreFound()
    {
        Pass same = new("Relu => Relu", (node, _) => node.Op is Relu ? new(node.Name, new Relu(), node.Inputs) : null);
        Pass flip = new("Relu <=> Tanh",
            (node, _) => node.Op is Relu ? new(node.Name, new Tanh(), node.Inputs) : null, (node, _) => node.Op is Tanh ? new(node.Name, new Relu(), node.Inputs) : null);
        foreach (Pass pass in (Pass[])[same, flip])
            Assert.Contains(pass.Name, Assert.Throws<InvalidOperationException>(() => new Graph(Row(2)).Rewrite(pass)).Message);
    }

    /// <summary>Readers are the reading inputs and outputs of the graph, before and behind what was replaced.</summary>
    [Fact]
    public void ReadersAreCounted()
    {
        Node a = new("a", new Relu(), x), b = new("b", new Add(), a, a), c = new("c", new Tanh(), b);
        var counted = new Dictionary<string, int>();
        Pass count = new("count", (node, readers) =>
        {
            foreach (Node input in node.Inputs) counted[input.Name] = readers(input);
            return node is { Name: "a", Op: Relu } ? new(node.Name, new Sigmoid(), node.Inputs) : null;
        });
        new Graph([c, b, c]).Rewrite(count);
        Assert.Equal((1, 2, 2), (counted["x"], counted["a"], counted["b"]));
    }

    /// <summary>Outputs and inputs keep their order and count.</summary>
    [Fact]
    public void OutputsAndInputsStay()
    {
        Node other = new("other", new Input(ElementType.Float32, [1])), same = new("same", new Identity(), x);
        Graph graph = new Graph([same, Row(1), same], [other, x]).Rewrite(Passes.DropIdentities);
        Assert.Equal(["x", "n0", "x"], graph.Outputs.Select(node => node.Name));
        Assert.Equal([other, x], graph.Inputs);
    }
}
