using System.Globalization;
using Penjing.Testing;

namespace Penjing.Models.Tests;

/// <summary>The zoo's networks are the published ones, and its names lead to them.</summary>
public sealed class ZooTests
{
    /// <summary>Where a published count is not the count to its last digit: how far off, as a fraction.</summary>
    private static readonly Dictionary<string, double> loose = new()
    {
        // ShuffleNet v1's tables give one round figure for all numbers of groups at the scales 0.5 and 0.25, and leave the stem's channels open.
        ["shufflenet-v1-g8-0.25"] = 0.05,
        // Table 1 is up to 1 % below the count, and the authors' repository, where parameters are from, has no bias in the classifier.
        ["shufflenet-v1"] = 0.02,
        // He et al. round down.
        ["resnet-50-original"] = 0.02,
    };

    private static readonly string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "models.md"));

    /// <summary>The names of the zoo.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.Select(entry => entry.Name)];

    /// <summary>Parameters that training moves, and multiply-accumulates, to the last digit that was published; docs/models.md says the same.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Costs_are_the_published(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        Graph graph = entry.Build().Graph;
        Check(entry.PublishedParameters, Cost.Trainable(graph), name + ", parameters");
        Check(entry.PublishedMacs, Cost.Macs(graph), name + ", multiply-accumulates");
        string row = string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {entry.Channels}×{entry.Size} | {Cost.Trainable(graph):N0} | {entry.PublishedParameters} "
            + $"| {Cost.Macs(graph):N0} | {entry.PublishedMacs} | {4 * graph.Parameters:N0} |");
        Assert.Contains(row, page, StringComparison.Ordinal);
        Assert.Equal(Answer(entry, entry.Classes, entry.Size), graph.Outputs[0].Shape);
        Assert.Equal([1, entry.Channels, entry.Size.Height, entry.Size.Width], graph.Inputs[0].Shape);
    }

    /// <summary>What the statistics of BatchNormalization add: PyTorch's state of ResNet-18 holds 9,600 elements that no gradient moves.</summary>
    [Fact]
    public void Statistics_are_counted_apart()
    {
        Graph graph = ResNet.Build(18).Graph;
        Assert.Equal(11_689_512, Cost.Trainable(graph));
        Assert.Equal(11_689_512 + 9_600, graph.Parameters);
    }

    /// <summary>ResNet-20 with option B has the 272,474 parameters that the usual implementations with projections have.</summary>
    [Fact]
    public void Shortcuts_cost_what_they_should()
    {
        Assert.Equal(269_722, Cost.Trainable(CifarResNet.Build(20).Graph));
        Assert.Equal(272_474, Cost.Trainable(CifarResNet.Build(20, projections: true).Graph));
        Assert.Equal(853_018, Cost.Trainable(CifarResNet.Build(56).Graph));
    }

    /// <summary>Blocks with a shortcut begin near the identity: what each adds to its input is scaled to a tenth, and nothing else is.</summary>
    [Theory]
    [InlineData("resnet-34", 16)]
    [InlineData("resnet-50", 16)]
    [InlineData("cifar-resnet-20", 9)]
    [InlineData("mobilenet-v2-1.0", 10)]
    [InlineData("shufflenet-v1-g3-1.0", 13)]
    public void Residual_blocks_begin_near_the_identity(string name, int blocks)
    {
        ILookup<float, Node> scales = Zoo.Find(name).Build(new()).Graph.Nodes.Where(node => node.Op is BatchNormalization).ToLookup(node => node.Inputs[1].Value!.Floats[0]);
        Assert.Equal([0.1f, 1], scales.Select(group => group.Key).Order());
        Assert.Equal(blocks, scales[0.1f].Count());
        Assert.All(scales[0.1f], node => Assert.DoesNotContain(".shortcut", node.Name, StringComparison.Ordinal));
        Assert.All(scales.SelectMany(group => group), node => Assert.Single(node.Inputs[1].Value!.Floats.ToArray().Distinct()));
    }

    /// <summary>Each name leads to one network, whose own name, with its size, leads back.</summary>
    [Fact]
    public void Names_lead_there_and_back()
    {
        Assert.Equal(Zoo.All.Length, Zoo.All.Select(entry => entry.Name).Distinct().Count());
        foreach (ZooEntry entry in Zoo.All)
        {
            if (entry.Name == "vgg-16") continue;
            Model model = entry.Build(new() { Classes = 3 });
            Assert.Equal(entry with { }, Zoo.Find(model.Name));
            Assert.Equal($"{entry.Name}-{(entry.Size.Height == entry.Size.Width ? $"{entry.Size.Width}" : $"{entry.Size.Height}x{entry.Size.Width}")}", model.Name);
        }
    }

    /// <summary>Other widths and sizes are asked for by name, or by options.</summary>
    [Theory]
    [InlineData("mobilenet-v1-0.75-192", "mobilenet-v1-0.75-192", "mobilenet-v1-0.75-192")]
    [InlineData("mobilenet-v1", "mobilenet-v1-1.0", "mobilenet-v1-1.0-224")]
    [InlineData("mobilenet-v1-160", "mobilenet-v1-1.0-160", "mobilenet-v1-1.0-160")]
    [InlineData("mobilenet-v1-small-0.5-32", "mobilenet-v1-small-0.5-32", "mobilenet-v1-small-0.5-32")]
    [InlineData("mobilenet-v2-1.3", "mobilenet-v2-1.3", "mobilenet-v2-1.3-224")]
    [InlineData("resnet-18-0.25-64", "resnet-18-0.25-64", "resnet-18-0.25-64")]
    [InlineData("resnet-18-1.0", "resnet-18", "resnet-18-224")]
    [InlineData("resnet-50-original-0.5-96", "resnet-50-original-0.5-96", "resnet-50-original-0.5-96")]
    [InlineData("squeezenet-1.1-227", "squeezenet-1.1-227", "squeezenet-1.1-227")]
    [InlineData("shufflenet-v1-g4-0.75-128", "shufflenet-v1-g4-0.75-128", "shufflenet-v1-g4-0.75-128")]
    [InlineData("mobilenet-v1-1", "mobilenet-v1-1.0", "mobilenet-v1-1.0-224")]
    [InlineData("shufflenet-v2-2", "shufflenet-v2-2.0", "shufflenet-v2-2.0-224")]
    [InlineData("mobilenet-v1-1-160", "mobilenet-v1-1.0-160", "mobilenet-v1-1.0-160")]
    [InlineData("mobilenet-v1-small-16", "mobilenet-v1-small-1.0-16", "mobilenet-v1-small-1.0-16")]
    [InlineData("lenet-5-32", "lenet-5-32", "lenet-5-32")]
    [InlineData("vgg-16-small-0.5-28", "vgg-16-small-0.5-28", "vgg-16-small-0.5-28")]
    [InlineData("parsenet-0.75", "parsenet-0.75", "parsenet-0.75-384x256")]
    [InlineData("parsenet-0.35-288x192", "parsenet-0.35-288x192", "parsenet-0.35-288x192")]
    [InlineData("parsenet-96", "parsenet-1.0-96", "parsenet-1.0-96")]
    public void Widths_and_sizes_are_read_from_names(string asked, string name, string built)
    {
        ZooEntry entry = Zoo.Find(asked);
        Assert.Equal(name, entry.Name);
        Assert.Equal(built, entry.Build().Name);
    }

    /// <summary>Options reach the network: picture, classes, seed, probabilities, width.</summary>
    [Fact]
    public void Options_are_met()
    {
        foreach (ZooEntry entry in Zoo.All.DistinctBy(entry => entry.Paper + entry.Name.Split('-')[1]))
        {
            ZooOptions options = new() { Size = Size.Square(64), Channels = 2, Classes = 7, Seed = 5, Softmax = true, Width = entry.Width is null ? null : 0.5 };
            Graph graph = entry.Build(options).Graph;
            Assert.Equal([1, 2, 64, 64], graph.Inputs[0].Shape);
            Assert.Equal(Answer(entry, 7, Size.Square(64)), graph.Outputs[0].Shape);
            Assert.IsType<Softmax>(graph.Outputs[0].Op);
            Node weight = graph.Weights.MaxBy(node => node.Shape.Elements)!;
            Assert.True(weight.Value!.BitsEqual(entry.Build(options).Graph[weight.Name].Value!), $"{entry.Name}: one seed gave two networks");
            Graph other = entry.Build(options with { Seed = 6 }).Graph;
            Assert.False(weight.Value!.BitsEqual(other[weight.Name].Value!), $"{entry.Name}: two seeds gave one network");
        }
    }

    /// <summary>What is no network is answered with what there is; what makes none, with its parameter.</summary>
    [Fact]
    public void Errors_name_what_there_is()
    {
        string[] wrong = ["", "resnet", "resnet-18-", "resnet-18-0.5-0.5", "lenet-5-0.5", "mobilenet-v1-0.x", "mobilenet-v1-1e3", "vgg-16-224-224", "parsenet-0.5-64x", "parsenet-0.5-64x64x64"];
        foreach (string name in wrong)
            Assert.Contains("shufflenet-v1-g8-WIDTH", Assert.Throws<PenjingException>(() => Zoo.Find(name)).Message, StringComparison.Ordinal);
        Assert.Contains("no width", Assert.Throws<PenjingException>(() => Zoo.Find("lenet-5").Build(new() { Width = 2 })).Message, StringComparison.Ordinal);
        Assert.Contains("square", Assert.Throws<PenjingException>(() => Zoo.Find("resnet-18-64x32").Build()).Message, StringComparison.Ordinal);
        Assert.Contains("groups 5", Assert.Throws<PenjingException>(() => ShuffleNetV1.Build(5)).Message, StringComparison.Ordinal);
        Assert.Contains("depth 101", Assert.Throws<PenjingException>(() => ResNet.Build(101)).Message, StringComparison.Ordinal);
        Assert.Contains("depth 21", Assert.Throws<PenjingException>(() => CifarResNet.Build(21)).Message, StringComparison.Ordinal);
        foreach (ZooEntry entry in Zoo.All)
        {
            Assert.Contains("size 0", Assert.Throws<PenjingException>(() => entry.Build(new() { Size = Size.Square(0) })).Message, StringComparison.Ordinal);
            Assert.Contains("classes", Assert.Throws<PenjingException>(() => entry.Build(new() { Classes = -1 })).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A picture too small for the layers is answered with the smallest that is taken; from that on there is a network.</summary>
    [Theory]
    [InlineData("lenet-5", 16)]
    [InlineData("squeezenet-1.0", 29)]
    [InlineData("squeezenet-1.1", 25)]
    [InlineData("vgg-16-0.25", 32)]
    [InlineData("vgg-16-small-0.25", 16)]
    [InlineData("cifar-resnet-20", 1)]
    [InlineData("resnet-18-0.25", 1)]
    [InlineData("mobilenet-v2-0.35", 1)]
    [InlineData("shufflenet-v1-g4-0.25", 1)]
    [InlineData("shufflenet-v2-0.5", 1)]
    [InlineData("parsenet-0.5", 32)]
    public void Too_small_a_picture_is_answered_with_the_smallest(string name, int least)
    {
        ZooEntry entry = Zoo.Find(name);
        string message = Assert.Throws<PenjingException>(() => entry.Build(new() { Size = Size.Square(least - 1) })).Message;
        Assert.EndsWith($" can't be built with size {least - 1}: give one from {least} to 16384", message, StringComparison.Ordinal);
        for (int size = least; size < least + 8; size++) Assert.Equal(Answer(entry, 3, Size.Square(size)), entry.Build(new() { Size = Size.Square(size), Classes = 3 }).Graph.Outputs[0].Shape);
    }

    /// <summary>What a network yields: a value for each class, or for each class and pixel.</summary>
    private static int[] Answer(ZooEntry entry, int classes, Size size) => entry.Name.StartsWith("parsenet", StringComparison.Ordinal) ? [1, classes, size.Height, size.Width] : [1, classes];

    private static void Check(string published, long counted, string what)
    {
        if (published == "") return;
        string[] words = published.Split(' ');
        double unit = words is [_, var letter] ? letter switch { "M" => 1e6, "G" => 1e9, _ => 0 } : 1;
        double number = double.Parse(words[0], NumberStyles.Number, CultureInfo.InvariantCulture) * unit;
        double last = unit / Math.Pow(10, words[0].Contains('.') ? words[0].Length - words[0].IndexOf('.') - 1 : 0);
        double allowed = loose.FirstOrDefault(entry => what.StartsWith(entry.Key, StringComparison.Ordinal)).Value * number;
        Assert.True(Math.Abs(counted - number) <= Math.Max(unit == 1 ? 0 : last / 2, allowed), $"{what}: published are {published}, counted {counted:N0}");
    }
}
