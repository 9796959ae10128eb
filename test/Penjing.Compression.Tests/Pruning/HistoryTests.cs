using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>A pruned network's history and the network before it give its architecture.</summary>
public sealed class HistoryTests
{
    /// <summary>A network of each paper of the zoo.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.DistinctBy(entry => entry.Paper).Select(entry => entry.Name)];

    /// <summary>Two rounds of a network of every kind, replayed on its first weights and on others, and told as one cut.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_kind_of_network_is_rebuilt(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        double? width = name.StartsWith("vgg", StringComparison.Ordinal) ? 0.25 : name.StartsWith("resnet", StringComparison.Ordinal) ? 0.5 : null;
        Graph Built(int seed) => entry.Build(new() { Size = Size.Square(32), Classes = 5, Width = width, Seed = seed }).Graph;
        Graph original = Built(1);
        Model model = new(original);
        for (int round = 1; round <= 2; round++)
        {
            ChannelGroups groups = ChannelGroups.Of(model.Graph);
            ImmutableHashSet<int> doomed = Pruner.Choose(groups, new() { Ratio = 0.3, Importance = Importances.Random(round) });
            Stage stage = new("prune", "", null, 0, 0) { Cuts = PruningHistory.Cuts(groups, doomed) };
            Assert.Equal(doomed, PruningHistory.Doomed(groups, [stage]));
            model = model with { Graph = Pruner.Remove(model.Graph, doomed), History = [.. model.History, stage, new("trained", "", new(0.5), 0, 0)] };
        }
        ChannelGroups before = ChannelGroups.Of(original);
        ImmutableHashSet<int> all = PruningHistory.Doomed(before, model.History);
        Stage whole = new("prune", "", null, 0, 0) { Cuts = PruningHistory.Cuts(before, all) };
        foreach (Graph again in new[] { Pruner.Replay(original, model.History), Pruner.Replay(Built(2), model.History), Pruner.Replay(original, [whole]) })
        {
            Assert.Equal(model.Graph.Nodes.Length, again.Nodes.Length);
            Assert.True(again.Parameters < 0.8 * original.Parameters, name);
            foreach ((Node expected, Node actual) in model.Graph.Nodes.Zip(again.Nodes))
                Assert.True((expected.Name, expected.Op.Name, expected.Info) == (actual.Name, actual.Op.Name, actual.Info), $"{name}: {expected} became {actual}");
        }
        foreach (Node weight in Pruner.Replay(original, [whole]).Weights.Where(weight => weight.Shape.Rank > 1))
            Assert.True(weight.Value!.BitsEqual(model.Graph[weight.Name].Value!), $"{name}: {weight.Name}");
    }

    /// <summary>The history comes back from a file, and is refused by a network that it isn't of.</summary>
    [Fact]
    public void A_file_keeps_the_history()
    {
        Graph original = MobileNetV1.Small(0.25, repeats: 0).Graph;
        ChannelGroups groups = ChannelGroups.Of(original);
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, new() { Ratio = 0.4 });
        Stage stage = new("prune", "0.4 of the channels", new(0.5), 10, 20) { Cuts = PruningHistory.Cuts(groups, doomed) };
        Model model = new Model(Pruner.Remove(original, doomed)) with { History = [new("train", "", null, 1, 2), stage] };
        string path = Path.GetTempFileName();
        try
        {
            foreach (Storage storage in Enum.GetValues<Storage>())
            {
                PenjingFile.Write(path, model, storage);
                Model read = PenjingFile.Read(File.ReadAllBytes(path));
                Assert.Equal(model.History, read.History);
                Assert.Equal(model.Graph.Weights.Select(weight => weight.Shape), Pruner.Replay(original, read.History).Weights.Select(weight => weight.Shape));
            }
        }
        finally
        {
            File.Delete(path);
        }
        Assert.NotEqual(stage, stage with { Cuts = [] });
        PenjingException error = Assert.Throws<PenjingException>(() => Pruner.Replay(MobileNetV1.Small(0.5, repeats: 0).Graph, model.History));
        Assert.Contains("another network", error.Message, StringComparison.Ordinal);
        Assert.Contains("another network", Assert.Throws<PenjingException>(() => Pruner.Replay(SqueezeNet.Version11(size: 64).Graph, model.History)).Message, StringComparison.Ordinal);
    }
}
