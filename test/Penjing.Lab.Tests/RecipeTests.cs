using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Models;
using Penjing.Testing;
using Penjing.Training;
using Xunit;

namespace Penjing.Lab.Tests;

/// <summary>Recipes: their JSON, what they refuse, and what they do.</summary>
public class RecipeTests
{
    public static TheoryData<string> Names => [.. Recipe.Names];

    /// <summary>Those that ship say what they do, fit networks of the zoo with BatchNormalization, and come back from JSON as they were.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void ShippedRecipesFit(string name)
    {
        Recipe recipe = Recipe.Named(name);
        Assert.Equal(name, recipe.Name);
        Assert.NotEmpty(recipe.About);
        Assert.Equal(recipe.ToJson(), Recipe.Parse(recipe.ToJson(), "itself").ToJson());
        Graph graph = Zoo.Find("cifar-resnet-20").Build().Graph, after = recipe.Outline(graph);
        Assert.True(recipe.Stages.Any(stage => stage is PruneStage or SlimStage) ? after.Parameters < 0.8 * graph.Parameters : after.Parameters <= graph.Parameters);
    }

    /// <summary>Where a recipe doesn't bound the gradient, networks without BatchNormalization have a bound nonetheless, and others none.</summary>
    [Fact]
    public void GradientsAreBoundedWhereNothingNormalizes()
    {
        Retraining own = new() { ClipNorm = 0 }, open = Recipe.Named("deep-compression").Stages[0].Training;
        Model unnormalized = Zoo.Find("squeezenet-1.1").Outline(), normalized = Zoo.Find("cifar-resnet-20").Outline();
        Assert.Null(open.ClipNorm);
        Assert.Equal([2, 0, 0, 0], new[] { open.Options(new(), unnormalized), own.Options(new(), unnormalized), open.Options(new(), normalized), own.Options(new(), normalized) }.Select(options => options.ClipNorm));
    }

    [Fact]
    public void SixShip() => Assert.Equal(["deep-compression", "filter-pruning", "pruned-8bit", "pruned-q", "shared-8bit", "slimming"], Recipe.Names);

    /// <summary>What is wrong is named: the text, the member, the stage.</summary>
    [Theory]
    [InlineData("nonsense", "is no recipe")]
    [InlineData("{\"name\":\"a\",\"stages\":[]}", "has no stages")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"shrink\"}]}", "there is no stage 'shrink' to do, but train, sparsify")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\",\"ration\":0.5}]}", "there is no member 'ration' in a prune stage")]
    [InlineData("{\"stages\":[{\"do\":\"prune\"}]}", "name")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\",\"ratio\":1.5}]}", "stage 1 (prune)")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\",\"score\":\"luck\"}]}", "luck")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\",\"caps\":{\"nobody\":0.5}}]}", "nobody")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\",\"round\":\"up\"}]}", "is no recipe")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"sparsify\",\"pattern\":\"4:2\"}]}", "stage 1 (sparsify)")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"sparsify\",\"schedule\":\"never\"}]}", "never")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\",\"bits\":0}]}", "0 bits")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\",\"bitsOf\":{\"nobody\":3}}]}", "nobody")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"prune\"},{\"do\":\"quantize\",\"keep\":[\"nobody\"]}]}", "nobody")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"quantize\",\"method\":\"guess\"}]}", "guess")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\"},{\"do\":\"prune\"}]}", "stage 1 (share)")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\"},{\"do\":\"quantize\"}]}", "stage 1 (share)")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"quantize\",\"shared\":true}]}", "no layer's weights share values")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\"},{\"do\":\"quantize\",\"shared\":true,\"refine\":\"equalize, bias\"}]}", "part weights that share a value")]
    [InlineData("{\"name\":\"a\",\"stages\":[{\"do\":\"share\"},{\"do\":\"quantize\",\"shared\":true,\"training\":{\"epochs\":1}}]}", "part weights that share a value")]
    public void FaultsAreNamed(string json, string words)
    {
        Graph graph = Zoo.Find("lenet-5").Build().Graph;
        PenjingException error = Assert.Throws<PenjingException>(() => Recipe.Parse(json, "mine").Outline(graph));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A result takes its place when all is known of it: stopped before, what was there is there.</summary>
    [Fact]
    public void AFileIsWrittenLastOfAll()
    {
        using Samples samples = new();
        string path = samples.At("network.penjing");
        File.WriteAllText(path, "before");
        Assert.ThrowsAny<OperationCanceledException>(() => Shipped.Write(Samples.Network, new("train", "", null, 0, 0), Samples.Data, path, stop: new(canceled: true)));
        Assert.Equal("before", File.ReadAllText(path));
        Shipped shipped = Shipped.Write(Samples.Network, new("train", "", null, 0, 0), Samples.Data, path, stop: TestContext.Current.CancellationToken);
        Assert.Equal((path, new FileInfo(path).Length), (shipped.Path, shipped.Bytes));
        Assert.Equal(shipped.Evaluation!.Score, PenjingFile.Read(path).History[^1].Score);
        Assert.Single(Directory.GetFileSystemEntries(samples.Folder));
    }

    /// <summary>Caps hold, channels are rounded by time, and features are learnt from, all as the JSON says.</summary>
    [Fact]
    public void CapsRoundingAndFeaturesAreStagesOwn()
    {
        using Samples samples = new();
        string answer = Samples.Network.Graph.Outputs[0].Name, capped = Samples.Network.Graph.Nodes.Last(node => node.Op is Conv { Groups: 1 }).Name;
        Recipe recipe = Recipe.Parse($$"""
            { "name": "own", "stages": [
              { "do": "prune", "ratio": 0.6, "rounds": 1, "round": "time", "caps": { "{{capped}}": 0.25 }, "training": { "epochs": 0.5 } },
              { "do": "sparsify", "ratio": 0.5, "rounds": 1, "depthwise": true, "training": { "epochs": 0.5, "features": [{ "student": "{{answer}}", "teacher": "{{answer}}", "weight": 0.5 }] } } ] }
            """, "own");
        Assert.Equal(recipe.ToJson(), Recipe.Parse(recipe.ToJson(), "itself").ToJson());
        Assert.True(recipe.Stages[1].IsTaught);
        ImmutableArray<Milestone> way = RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common, samples.At("own"), stop: TestContext.Current.CancellationToken);
        Graph pruned = way[1].File.Model.Graph;
        Assert.True(pruned.Parameters < Samples.Network.Graph.Parameters);
        Assert.InRange(pruned[capped].Shape[1], 0.75 * Samples.Network.Graph[capped].Shape[1], Samples.Network.Graph[capped].Shape[1]);
        Assert.Contains("by measured time", way[1].File.Model.History[^1].Detail, StringComparison.Ordinal);
        Assert.All(Sparsifier.Describe(way[2].File.Model.Graph), weight => Assert.InRange(weight.Zeros, 0.4 * weight.Elements, weight.Elements));
    }

    /// <summary>Each stage's file holds what the outline promised, and what was measured of it; a run broken off at any step ends with the same bytes.</summary>
    [Fact]
    public void BrokenOffRunsEndWithTheSameFiles()
    {
        using Samples samples = new();
        Recipe recipe = new("all", [
            new PruneStage { Ratio = 0.4, Rounds = 2, Multiple = 2, Training = new() { Epochs = 1, Soft = 0.5 } },
            new SparsifyStage { Ratio = 0.5, Rounds = 2, Training = new() { Epochs = 1, ClipNorm = 1 } },
            new ShareStage { Bits = 4, Training = new() { Epochs = 0.5, LearningRate = 0.002 } }]);
        ImmutableArray<Milestone> whole = RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common, samples.At("whole"), stop: TestContext.Current.CancellationToken);
        Assert.Equal([null, .. recipe.Stages], whole.Select(stone => stone.Stage));
        Graph outline = recipe.Outline(Samples.Network.Graph), last = whole[^1].File.Model.Graph;
        Assert.Equal(outline.Parameters, last.Parameters);
        Assert.Equal(Cost.Macs(outline), Cost.Macs(last));
        ImmutableArray<SparseTensor> weights = Sparsifier.Describe(whole[2].File.Model.Graph);
        Assert.InRange(weights.Sum(weight => weight.Zeros) / (double)weights.Sum(weight => weight.Elements), 0.4, 0.5);
        Assert.All(whole, stone => Assert.Equal(new FileInfo(stone.File.Path).Length, stone.Result.Bytes));
        Assert.Equal(["prune", "sparsify", "share"], whole[^1].File.Model.History.TakeLast(3).Select(stage => stage.Name));
        Assert.NotEmpty(whole[^1].File.Model.History[^3].Cuts);

        // A folder is gone on with by the same arguments alone.
        Assert.Throws<PenjingException>(() => RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common with { Seed = 4 }, samples.At("whole"), stop: TestContext.Current.CancellationToken));
        Model other = Samples.Network with { Graph = Scratch.Fresh(Samples.Network.Graph, seed: 1) };
        Assert.Throws<PenjingException>(() => RecipeRun.Run(other, recipe, Samples.Data, Samples.Common, samples.At("whole"), stop: TestContext.Current.CancellationToken));

        int steps = 0;
        ImmutableArray<Milestone> again = default;
        while (again.IsDefault)
        {
            using CancellationTokenSource stop = new();
            int left = 3;
            try
            {
                again = RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common, samples.At("broken"), (_, _) =>
                {
                    steps++;
                    if (--left == 0) stop.Cancel();
                }, stop.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(steps, 1, 200);
            }
        }
        Assert.All(whole.Zip(again), pair => Assert.Equal(File.ReadAllBytes(pair.First.File.Path), File.ReadAllBytes(pair.Second.File.Path)));
    }

    /// <summary>A pruned network becomes integers, smaller for it and about as accurate; a layer that is named stays real.</summary>
    [Fact]
    public void PrunedNetworksBecomeIntegers()
    {
        using Samples samples = new();
        Recipe recipe = new("8-bit", [new PruneStage { Ratio = 0.3, Rounds = 1, Multiple = 2, Training = new() { Epochs = 1 } }, new QuantizeStage { Method = "percentile", Keep = ["stem.bn"] }]);
        ImmutableArray<Milestone> way = RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common, samples.At("8-bit"), stop: TestContext.Current.CancellationToken);
        Graph graph = way[2].File.Model.Graph;
        Assert.Equal(PostTraining.Prepare(way[1].File.Model.Graph).Parameters, graph.Nodes.Where(node => node.Op is Conv or Gemm).Sum(node => node.Inputs.Skip(1).Sum(weight => (long)weight.Shape.Elements)));
        Assert.Equal("stem.bn", Assert.Single(graph.Nodes, node => node is { Op: Conv, Info.Type: ElementType.Float32 }).Name);
        Assert.True(way[2].Result.Bytes < 0.7 * way[1].Result.Bytes, $"{way[1].Result.Bytes} and {way[2].Result.Bytes} bytes");
        Assert.InRange(way[2].Result.Score.Value, way[1].Result.Score.Value - 0.05, 1);

        // Trained on, they are integers of other scales.
        recipe = new("trained", [new QuantizeStage { Training = new() { Epochs = 1, LearningRate = 0.005, Soft = 0.5 } }]);
        Graph trained = RecipeRun.Run(Samples.Network, recipe, Samples.Data, Samples.Common, samples.At("trained"), stop: TestContext.Current.CancellationToken)[1].File.Model.Graph;
        Graph untrained = RecipeRun.Run(Samples.Network, new("untrained", [new QuantizeStage()]), Samples.Data, Samples.Common, samples.At("untrained"), stop: TestContext.Current.CancellationToken)[1].File.Model.Graph;
        Assert.Equal(untrained.Nodes.Select(node => (node.Name, node.Op.Name, node.Info.Type)), trained.Nodes.Select(node => (node.Name, node.Op.Name, node.Info.Type)));
        Assert.All(trained.Nodes.Zip(untrained.Nodes).Where(pair => pair.First.Op is QuantizeLinear), pair => Assert.NotEqual(pair.Second.Op, pair.First.Op));
        PenjingException error = Assert.Throws<PenjingException>(() => RecipeRun.Run(Samples.Network, new("wrong", [new QuantizeStage { Keep = ["nobody"] }]), Samples.Data, Samples.Common, samples.At("wrong"), stop: TestContext.Current.CancellationToken));
        Assert.Contains("nobody", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A shared network becomes integers that are as few as its values: a smaller file than integers alone, of the same operations, about as accurate as the shared one.</summary>
    [Fact]
    public void SharedNetworksBecomeFewIntegers()
    {
        using Samples samples = new();
        ShareStage share = new() { Bits = 3, DepthwiseBits = 3, Training = new() { Epochs = 0.5, LearningRate = 0.002 } };
        ImmutableArray<Milestone> way = RecipeRun.Run(Samples.Network, new("shared", [share, new QuantizeStage { Shared = true }]), Samples.Data, Samples.Common, samples.At("shared"), stop: TestContext.Current.CancellationToken);
        Milestone whole = RecipeRun.Run(Samples.Network, new("whole", [new QuantizeStage()]), Samples.Data, Samples.Common, samples.At("whole"), stop: TestContext.Current.CancellationToken)[1];
        Graph few = way[2].File.Model.Graph, all = whole.File.Model.Graph;
        Assert.Equal(all.Nodes.Select(node => (node.Name, node.Op.Name, node.Info.Type)), few.Nodes.Select(node => (node.Name, node.Op.Name, node.Info.Type)));
        Assert.True(Largest(few) <= 2 * (1 << 3) + 1 && Largest(all) > 32, $"{Largest(few)} and {Largest(all)} integers in a layer");
        Assert.True(way[2].Result.Bytes < 0.7 * whole.Result.Bytes, $"{way[2].Result.Bytes} and {whole.Result.Bytes} bytes");
        Assert.InRange(way[2].Result.Score.Value, way[1].Result.Score.Value - 0.05, 1);

        Assert.Contains(Ranges.Names, name => whole.File.Model.History[^1].Detail.Contains($"ranges by {name} over", StringComparison.Ordinal));

        // The most integers that weights of a layer have.
        static int Largest(Graph graph) => graph.Nodes.Where(node => node is { Op: Conv or Gemm, Inputs: [_, { Info.Type: ElementType.Int8, Shape.Elements: > 500 }, ..] })
            .Max(node => node.Inputs[1].Value!.AsSpan<sbyte>().ToArray().Distinct().Count());
    }

    /// <summary>Forgotten weights are as before any training: of the asked variance, the normalizations the identity, the shapes the same.</summary>
    [Fact]
    public void FreshWeightsForgetAll()
    {
        Graph graph = Samples.Network.Graph, fresh = Scratch.Fresh(graph, seed: 1);
        foreach ((Node before, Node after) in graph.Nodes.Zip(fresh.Nodes))
        {
            Assert.Equal(before.Shape, after.Shape);
            if (after.Op is BatchNormalization)
            {
                Assert.All(after.Inputs[1].Value!.Floats.ToArray(), value => Assert.Equal(1, value));
                Assert.All(after.Inputs[3].Value!.Floats.ToArray(), value => Assert.Equal(0, value));
            }
            if (after.Op is Conv or Gemm && after.Inputs[1] is { Shape: { Elements: > 1000 } shape, Value: { } weight })
            {
                double fan = after.Op is Gemm { TransposeB: false } ? shape[0] : (double)shape.Elements / shape[0];
                Assert.InRange(weight.Floats.ToArray().Average(value => (double)value * value) * fan / 2, 0.8, 1.2);
                Assert.False(weight.BitsEqual(before.Inputs[1].Value!));
            }
        }
    }

    /// <summary>Bits of its own leave a layer all else that its kind has: a depthwise one its milder price.</summary>
    [Fact]
    public void BitsOfALayerLeaveItsKindsOtherSettings()
    {
        Graph graph = Samples.Network.Graph;
        Node depthwise = graph.Nodes.First(node => node.Op is Conv { Groups: > 1 }), dense = graph.Nodes.First(node => node.Op is Conv { Groups: 1 });
        ShareStage same = new() { Rate = 0.3 }, own = same with { BitsOf = ImmutableSortedDictionary<string, int>.Empty.Add(depthwise.Name, same.DepthwiseBits).Add(dense.Inputs[1].Name, same.Bits) };
        Assert.Equal(same.Outline(graph).Weights.Select(Values), own.Outline(graph).Weights.Select(Values));

        static float[] Values(Node weight) => weight.Value!.Floats.ToArray();
    }

    /// <summary>A stage is taught where any of its trainings is.</summary>
    [Fact]
    public void StagesKnowWhetherTheyAreTaught()
    {
        Assert.False(new SlimStage().IsTaught);
        Assert.True(new SlimStage { Before = new() { Soft = 0.5 } }.IsTaught);
        Assert.True(new SlimStage { Training = new() { Soft = 0.5 } }.IsTaught);
    }
}
