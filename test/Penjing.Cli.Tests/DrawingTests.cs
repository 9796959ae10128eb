using System.Globalization;
using System.Net;
using System.Xml.Linq;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Cli.Tests;

/// <summary>Pictures of networks: boxes don't overlap, edges run around them and downwards, and everything is in the picture.</summary>
public sealed class DrawingTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void Boxes_stand_apart_and_edges_run_around_them()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            (double, double)[] boxes = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => ((double)random.Next(20, 260), (double)random.Next(20, 110)))];
            List<(int From, int To)> edges = [];
            for (int to = 1; to < boxes.Length; to++)
                for (int count = random.Next(0, 4); count > 0; count--) edges.Add((Math.Max(0, to - 1 - (random.Next(3) == 0 ? random.Next(to) : 0)), to));
            Check(boxes, [.. edges.Distinct()], $"seed {seed}");
        }
    }

    [Theory]
    [InlineData("squeezenet-1.0"), InlineData("resnet-18"), InlineData("shufflenet-v2-0.5"), InlineData("mobilenet-v2-0.35")]
    public void Networks_of_the_zoo_can_be_drawn(string name)
    {
        Graph graph = Zoo.Find(name).Build().Graph;
        var boxes = Box.Of(graph, weight => weight.Value!.Bytes.Length);
        Assert.Equal(graph.Nodes.Where(node => node.Op is not Constant), boxes.SelectMany(box => box.Nodes).OrderBy(node => graph.Nodes.IndexOf(node)));
        Assert.Equal((graph.Parameters, 4 * graph.Parameters, Cost.Macs(graph)),
            (boxes.Sum(box => box.Parameters), boxes.Sum(box => box.Bytes), boxes.Sum(box => box.Macs)));
        Check([.. boxes.Select(_ => (256.0, 80.0))], [.. boxes.SelectMany((box, index) => box.Inputs.Select(input => (input, index)))], name);
    }

    [Fact]
    public void Random_networks_can_be_drawn()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Graph graph = FoldableGraphs.Network(seed);
            foreach (Graph drawn in new[] { graph, graph.Rewrite(Passes.ForInference) })
            {
                var boxes = Box.Of(drawn, weight => weight.Value!.Bytes.Length);
                Assert.Equal(drawn.Parameters, boxes.Sum(box => box.Parameters));
                XDocument picture = XDocument.Parse(GraphSvg.Draw("a < b & \"c\"", $"seed {seed}", boxes).Text);
                Assert.Equal(boxes.Length, picture.Descendants().Count(item => (string?)item.Attribute("class") is { } name
                    && name.StartsWith("box ", StringComparison.Ordinal)));
            }
        }
    }

    [Theory]
    [InlineData(-3, -1, 1, "Slice 5…7"), InlineData(2, int.MaxValue, 1, "Slice 2…8"), InlineData(1, -1, 2, "Slice 1…6 step 2")]
    [InlineData(-1, int.MinValue, -1, "Slice 7 down to 0"), InlineData(6, 0, -3, "Slice 6 down to 3 step 3"), InlineData(3, 3, 1, "Slice 3…3")]
    public void A_slice_says_what_it_takes(int start, int end, int step, string title)
    {
        Node input = new("x", new Input(ElementType.Float32, [1, 8]));
        Assert.Equal(title, BoxTitle.Of(new("y", new Slice(1, start, end, step), input)).Title);
    }

    [Fact]
    public void Inspect_draws()
    {
        string model = MadeUp.Model(scratch["small.penjing"]);
        Run run = Cli.Run("inspect", model, "--svg", scratch["a.svg"], "--html", scratch["a.html"], "--profile", "--runs", "2").Ends(0);
        Assert.Contains("a.svg", run.Output);
        Assert.Contains(" ms", run.Output);
        string svg = WebUtility.HtmlDecode(File.ReadAllText(scratch["a.svg"])), page = WebUtility.HtmlDecode(File.ReadAllText(scratch["a.html"]));
        XDocument.Load(scratch["a.svg"]);
        foreach (string word in new[] { "block1.pointwise", "1×1×28×28", "MACs", "time" })
        {
            Assert.Contains(word, svg);
            Assert.Contains(word, page);
        }
        Assert.DoesNotContain("http", page.Replace("http://www.w3.org/2000/svg", ""));
        byte[] before = File.ReadAllBytes(model);
        Cli.Run("inspect", model, "--svg", model).Refuses(1, "small.penjing", "another path");
        Cli.Run("inspect", model, "--html", Path.Combine(scratch.Folder, ".", "small.penjing")).Refuses(1, "small.penjing", "another path");
        Cli.Run("inspect", model, "--svg", scratch["same"], "--html", scratch["same"]).Refuses(1, "same", "another path");
        Assert.Equal(before, File.ReadAllBytes(model));
        Assert.False(File.Exists(scratch["same"]));
        Cli.Run("inspect", model, "--svg", scratch["none/a.svg"]).Refuses(1, "none", "folder");
        Cli.Run("inspect", scratch["none.onnx"], "--html", scratch["b.html"]).Refuses(1, "none.onnx");
        Assert.False(File.Exists(scratch["b.html"]));
    }

    public void Dispose() => scratch.Dispose();

    private static void Check((double Width, double Height)[] boxes, (int From, int To)[] edges, string what)
    {
        LayeredLayout layout = LayeredLayout.Of(boxes, edges);
        for (int i = 0; i < boxes.Length; i++)
        {
            Place box = layout.Boxes[i];
            Assert.True(box.Left >= 0 && box.Top >= 0 && box.Left + box.Width <= layout.Width + 0.01 && box.Bottom <=
                layout.Height + 0.01, $"{what}: box {i} {box} is outside of {layout.Width}×{layout.Height}");
            for (int j = 0; j < i; j++)
                Assert.True(box.Left >= layout.Boxes[j].Left + layout.Boxes[j].Width || layout.Boxes[j].Left >= box.Left + box.Width || box.Top >=
                    layout.Boxes[j].Bottom || layout.Boxes[j].Top >= box.Bottom,
                    $"{what}: boxes {i} and {j} overlap: {box}, {layout.Boxes[j]}");
        }
        foreach (((int from, int to), IReadOnlyList<Stretch> stretches) in edges.Zip(layout.Edges))
        {
            Assert.Equal(layout.Boxes[from].Bottom, stretches[0].Y1, 1e-6);
            Assert.Equal(layout.Boxes[to].Top, stretches[^1].Y2, 1e-6);
            foreach (Stretch stretch in stretches)
            {
                Assert.True(stretch.Y2 > stretch.Y1, string.Create(CultureInfo.InvariantCulture,
                    $"{what}: the edge {from} → {to} doesn't run downwards: {stretch}"));
                for (int i = 0; i < boxes.Length; i++)
                {
                    Place box = layout.Boxes[i];
                    bool apart = stretch.Y2 <= box.Top + 1e-6 || stretch.Y1 >= box.Bottom - 1e-6 || Math.Max(stretch.X1, stretch.X2) <=
                        box.Left || Math.Min(stretch.X1, stretch.X2) >= box.Left + box.Width;
                    Assert.True(apart, $"{what}: the edge {from} → {to} runs through box {i}: {stretch}, {box}");
                }
            }
        }
    }
}
