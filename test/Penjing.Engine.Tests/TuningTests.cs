using System.Collections.Immutable;
using System.Text;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Kernels chosen by measurement: what is measured, how it is kept, and that no choice and no file changes an answer.</summary>
public sealed class TuningTests : IDisposable
{
    private static readonly Graph small = MobileNetV1.Small(0.25, repeats: 1).Graph;
    private readonly string folder = Directory.CreateTempSubdirectory("penjing-tuning-").FullName;

    private string Model => Path.Combine(folder, "model.penjing");

    /// <summary>Equal layers are measured once, what is known is not measured again, and a session takes what was measured.</summary>
    [Fact]
    public void EachLayerIsMeasuredOnce()
    {
        var told = new List<TuningProgress>();
        Tuning tuning = Tuning.Measure(small, new(1), told.Add, TestContext.Current.CancellationToken);
        (ImmutableArray<Site> sites, long bytes) = Tuning.Sites(small, new(1));
        string[] several = [.. sites.Where(site => Trial.Candidates(site).Length > 1).Select(LayerKey.Of)];
        Assert.True(several.Length > several.Distinct().Count() && bytes > 0);
        Assert.Equal(several.Distinct(), tuning.Layers.Select(layer => layer.Layer));
        Assert.All(tuning.Layers, layer => Assert.True(layer.Threads == 1 && layer.Isa == Isas.Best && layer.Milliseconds.Count > 1 && layer.Milliseconds.Values.All(ms => ms > 0), layer.ToString()));
        Assert.Equal(Enumerable.Range(0, told.Count), told.Select(progress => progress.Done));
        Assert.Equal((1.0, ""), (told[^1].Fraction, told[^1].Layer));
        told.Clear();
        Assert.Equal(tuning.Layers, Tuning.Measure(small, new(1, Tuning: tuning), told.Add, TestContext.Current.CancellationToken).Layers);
        Assert.Single(told);
        Assert.All(sites, site => Assert.Null(tuning.Row(site with { Seats = 2 })));
    }

    /// <summary>Whatever is chosen for a layer is taken, and gives the untuned session's answers.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnyChoiceGivesTheSameAnswers(int threads)
    {
        Tensor fed = RandomTensors.Normal(small.Inputs[0].Shape, 1);
        using Session untuned = new(small, new(threads));
        Tensor expected = untuned.Run(fed)[0];
        for (int seed = 0; seed < 10; seed++)
        {
            Tuning tuning = Random(small, threads, new Random(seed));
            using Session tuned = new(small, new(threads, Tuning: tuning));
            Closeness.Check(expected, tuned.Run(fed)[0], 1e-4, $"seed {seed}");
            Assert.NotEqual(untuned.Steps.Select(step => step.Kernel), tuned.Steps.Select(step => step.Kernel));
        }
    }

    /// <summary>What is written is read again, and the session of the file beside it takes it.</summary>
    [Fact]
    public void AFileIsReadAsItWasWritten()
    {
        PenjingFile.Write(Model, new(small));
        Assert.Null(Tuning.Beside(Model, out string? none));
        Tuning tuning = Random(small, 2, new Random(1));
        tuning.Write(Tuning.PathFor(Model));
        Tuning read = Tuning.Read(Tuning.PathFor(Model));
        Assert.Equal(tuning.Layers.Select(Words), read.Layers.Select(Words));
        using Session loaded = Session.Load(Model, new(2)), given = new(small, new(2, Tuning: tuning)), untuned = Session.Load(Model, new(2, Tuning: Tuning.Empty));
        Assert.Equal(given.Steps.Select(step => step.Kernel), loaded.Steps.Select(step => step.Kernel));
        Assert.NotEqual(untuned.Steps.Select(step => step.Kernel), loaded.Steps.Select(step => step.Kernel));
        Assert.Equal((null, null), (none, loaded.Remark));
        Assert.Equal(["model.penjing", "model.penjing.tuned.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        static string Words(TunedLayer layer) => $"{layer.Layer} {layer.Isa} {layer.Threads} {layer.Kernel} {string.Join(' ', layer.Milliseconds)}";
    }

    /// <summary>A file from another machine, of another engine, or damaged in any way is not used; the session runs without it and says why in one line.</summary>
    [Fact]
    public void AFileThatDoesntFitIsNotUsed()
    {
        PenjingFile.Write(Model, new(small));
        string path = Tuning.PathFor(Model);
        Random(small, 1, new Random(1)).Write(path);
        string whole = File.ReadAllText(path);
        Tensor fed = RandomTensors.Normal(small.Inputs[0].Shape, 1);
        using Session untuned = new(small, new(1));
        Tensor expected = untuned.Run(fed)[0];
        (string Text, string Word)[] cases =
        [
            ("", "damaged"), ("null", "damaged"), ("[]", "damaged"), ("{}", "damaged"), (whole[..^40], "damaged"), (whole + "x", "damaged"),
            (whole.Replace("\"machine\": \"", "\"machine\": \"Z80, "), "another machine"), (whole.Replace("\"engine\": \"", "\"engine\": \"0."), "another build"),
            (whole.Replace("penjing tuning 1", "penjing tuning 2"), "another format"), (whole.Replace("f32-", "f33-"), "no kernel"),
            (whole.Replace("\"threads\": 1", "\"threads\": \"one\""), "damaged"), (whole.Replace("\"kernel\": \"f32-", "\"kernel\": \"g32-"), "not measured"),
        ];
        foreach ((string text, string word) in cases)
        {
            Assert.NotEqual(whole, text);
            File.WriteAllText(path, text);
            Assert.Contains(word, Assert.Throws<PenjingException>(() => Tuning.Read(path)).Message);
            using Session session = Session.Load(Model, new(1));
            Assert.True(session.Remark is { } remark && remark.Contains(word) && remark.Contains(path) && !remark.Contains('\n'), session.Remark);
            Closeness.CheckBits(expected, session.Run(fed)[0], word);
        }
        Directory.CreateDirectory(Path.Combine(folder, "folder.penjing.tuned.json"));
        Assert.Throws<PenjingException>(() => Tuning.Read(Path.Combine(folder, "folder.penjing.tuned.json")));
    }

    /// <summary>However a file is injured, it is read, or refused by the one exception; what is read still gives right answers.</summary>
    [Fact]
    public void InjuriesAreHarmless()
    {
        string path = Path.Combine(folder, "injured.json");
        Random(small, 1, new Random(1)).Write(path);
        byte[] whole = File.ReadAllBytes(path);
        Tensor fed = RandomTensors.Normal(small.Inputs[0].Shape, 1), expected = Reference.Run(small, fed)[0];
        int read = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = [.. whole];
            for (int count = random.Next(1, 4); count > 0; count--) bytes[random.Next(bytes.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : random.Next(32, 127));
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length)];
            File.WriteAllBytes(path, bytes);
            try
            {
                Tuning tuning = Tuning.Read(path);
                if (read++ % 50 > 0) continue;
                using Session session = new(small, new(1, Tuning: tuning));
                Closeness.Check(expected, session.Run(fed)[0], 1e-4, $"seed {seed}");
            }
            catch (PenjingException)
            {
                // Refused, as it should be.
            }
        }
        Assert.InRange(read, 1, 2900);
    }

    /// <summary>A choice that was made without one of the kernels that there are counts for nothing; of kernels that a process doesn't have the next is taken.</summary>
    [Fact]
    public void ANewKernelAsksForANewMeasurement()
    {
        Tuning tuning = Random(small, 1, new Random(1)), older = new([.. tuning.Layers.Select(layer => layer with { Milliseconds = layer.Milliseconds.Remove(layer.Milliseconds.Keys.First()) })]);
        Tuning other = new([.. tuning.Layers.Select(layer => layer with { Kernel = "x9-elsewhere", Milliseconds = layer.Milliseconds.Add("x9-elsewhere", 0) })]);
        (ImmutableArray<Site> sites, _) = Tuning.Sites(small, new(1));
        Assert.Contains(sites, site => tuning.Row(site) is not null);
        Assert.All(sites, site => Assert.Null(older.Row(site)));
        foreach (Site site in sites.Where(site => tuning.Row(site) is not null))
            Assert.Equal(tuning.Layers.First(layer => layer.Layer == LayerKey.Of(site)).Milliseconds.MinBy(time => time.Value).Key, other.Row(site)!.Name);
    }

    /// <summary>The model's own choice stays where it is within the noise of the fastest.</summary>
    [Theory]
    [InlineData(1.0, 1.0, 0), InlineData(1.019, 1.0, 0), InlineData(1.03, 1.0, 1), InlineData(0.5, 1.0, 0)]
    public void TheModelsChoiceIsKeptWithinTheNoise(double own, double other, int taken)
    {
        KernelRow[] rows = [.. KernelTable.Rows.Take(2)];
        ImmutableArray<Trial> trials = [.. rows.Zip([own, other], (row, ms) => new Trial(row, row.Name, ms, ms, 0, 0))];
        Assert.Equal(rows[taken], Tuning.Best(trials, rows[0]).Row);
    }

    /// <summary>Layers are told apart by all that the choice hangs on, and by nothing else.</summary>
    [Fact]
    public void KeysTellWhatMatters()
    {
        string[] layers = ["16x8x8-16", "16x8x8-32", "16x8x9-16", "16x8x8-16-k3", "16x8x8-16-k3-p0", "16x8x8-16-k3-s2", "16x8x8-16-k3-d2", "16x8x8-16-g4", "16x8x8-16-z90", "16-16"];
        string[] keys = [.. layers.Select(Key)];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys, layers.Select(Key));
        Site site = new(LayerText.Parse("16x8x8-16"), Isas.Best);
        Assert.NotEqual(keys[0], LayerKey.Of(site with { OutputPitch = 48 }));
        Assert.NotEqual(keys[0], LayerKey.Of(site with { InputPitches = site.InputPitches.SetItem(0, 48) }));
        Assert.Equal("Conv { Stride = 2×2, Padding = 1, Dilation = 1×1, Groups = 2, Then = Relu } of 1×64×8×8, constant 128×32×3×3 with 90 % zeros, constant 128", Key("64x8x8-128-k3-s2-g2-z90"));

        static string Key(string text) => LayerKey.Of(new(LayerText.Parse(text), Isas.Best));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A tuning that takes anything that fits, so that some layer has another kernel than the model would take.</summary>
    private static Tuning Random(Graph graph, int threads, Random random)
    {
        (ImmutableArray<Site> sites, _) = Tuning.Sites(graph, new(threads));
        return new(
        [
            .. from one in sites.Select(site => (Layer: LayerKey.Of(site), Site: site, Rows: Trial.Candidates(site))).DistinctBy(one => one.Layer)
               where one.Rows.Length > 1
               let other = one.Rows.Where(row => row != KernelTable.Choose(one.Site)).ToArray()
               select new TunedLayer(one.Layer, Isas.Best, threads, other[random.Next(other.Length)].Name, "",
                   one.Rows.ToImmutableSortedDictionary(row => row.Name, _ => random.NextDouble(), StringComparer.Ordinal)),
        ]);
    }
}
