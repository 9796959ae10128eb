using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>The arena planner against the definition: what is wanted at one time doesn't overlap.</summary>
public class ArenaTests
{
    /// <summary>Random blocks that meet never overlap, all are aligned, and none leaves the arena.</summary>
    [Fact]
    public void BlocksThatMeetNeverOverlap()
    {
        var random = new Random(5);
        for (int round = 0; round < 300; round++)
        {
            Block[] blocks = [.. Enumerable.Range(0, random.Next(0, 60)).Select(_ => Random(random))];
            Arena arena = Arena.Of(blocks);
            Check([.. arena.Offsets.Zip(blocks)], arena.Bytes, $"round {round}");
            Assert.True(arena.Bytes >= Arena.Bound(blocks), $"round {round}");
        }
    }

    /// <summary>Of random graphs, no two values or scratches that are alive at once overlap, unless a value is written over the last reading of another.</summary>
    [Fact]
    public void ValuesAliveAtOnceNeverOverlap()
    {
        int overlaid = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            using Session session = new(seed % 2 == 0 ? RandomGraphs.Network(seed) : JoinedGraphs.Network(seed), new(1));
            Plan plan = session.Plan;
            var placed = plan.Values.Select(value => (value.Offset, value.Block)).ToList();
            placed.AddRange(plan.Scratch.Select((offset, step) => (offset, new Block(plan.Steps[step].Info.ScratchBytes, step, step)))
                .Where(scratch => scratch.offset >= 0));
            foreach ((int at, Spot read) in plan.Steps.SelectMany((step, at) => step.Inputs.Select(read => (at, read))))
            {
                (PlannedStep step, int output) = (plan.Steps[at], plan.Steps[at].Output.Value);
                if (read.Value < 0 || output < 0 || output == read.Value) continue;
                if (plan.Values[read.Value].Offset != plan.Values[output].Offset || plan.Values[read.Value].Block.Last != at) continue;
                for (int i = 0; i < step.Inputs.Length; i++) Assert.True(step.Inputs[i].Value != read.Value || step.Kernel.Overwrites(i), $"seed {seed}, step {at}");
                Assert.Equal(plan.Values[read.Value].Block.Bytes, plan.Values[output].Block.Bytes);
                placed[read.Value] = (placed[read.Value].Offset, placed[read.Value].Block with { Last = at - 1 });
                overlaid++;
            }
            Check(placed, plan.ArenaBytes, $"seed {seed}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{overlaid} values were overlaid");
    }

    /// <summary>The names of all networks of the zoo.</summary>
    public static TheoryData<string> Networks => new(Zoo.All.Select(entry => entry.Name));

    /// <summary>The arena of every network of the zoo, the largest at a quarter of its width, is at most 1.05 of the largest set of values that live at once.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void ArenasAreTight(string network)
    {
        ZooEntry entry = Zoo.Find(network);
        Model model = network.StartsWith("vgg", StringComparison.Ordinal) ? entry.Build(new() { Width = 0.25 }) : entry.Outline();
        using Session session = new(model, new(1));
        double ratio = (double)session.ArenaBytes / session.Plan.BoundBytes;
        TestContext.Current.TestOutputHelper?.WriteLine($"arena {session.ArenaBytes} bytes, bound {session.Plan.BoundBytes}, ratio {ratio:F4}");
        Assert.True(ratio <= 1.05, $"{session.ArenaBytes} bytes against {session.Plan.BoundBytes}");
    }

    private static Block Random(Random random)
    {
        int first = random.Next(30);
        return new(random.Next(3) == 0 ? random.Next(5000) : random.Next(200) * 64L, first, first + random.Next(8));
    }

    private static void Check(List<(long Offset, Block Block)> placed, long bytes, string what)
    {
        for (int a = 0; a < placed.Count; a++)
        {
            Assert.True(placed[a].Offset % 64 == 0 && placed[a].Offset >= 0 && placed[a].Offset + placed[a].Block.Bytes <= bytes, what);
            for (int b = 0; b < a; b++)
                Assert.True(!placed[a].Block.Meets(placed[b].Block) || placed[a].Offset + placed[a].Block.Bytes <= placed[b].Offset
                    || placed[b].Offset + placed[b].Block.Bytes <= placed[a].Offset, $"{what}: {placed[a]} and {placed[b]}");
        }
    }
}
