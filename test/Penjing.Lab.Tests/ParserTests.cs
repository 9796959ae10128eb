using Penjing.Compression;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Lab.Tests;

/// <summary>Networks that answer each pixel: measured on the engine as counting by hand does, compressed by recipes, and asked about pictures of any size.</summary>
public sealed class ParserTests
{
    private static readonly DataSet data = new("halves", "made up", ["dark", "bright", "red"], new Halves(64, 1), new Halves(7, 2), new(Channels.Rgb, [100, 100, 100], [80, 80, 80], Fit.Stretch));
    private static readonly Model network = Trainer.Train(ParseNet.Build(0.125, Halves.Shown, classes: 3) with { Preprocessing = null }, data, Samples.Common with { Batch = 8, Epochs = 20, LearningRate = 0.05 }).Model;

    [Fact]
    public void An_evaluation_counts_pixels()
    {
        Evaluation evaluation = Evaluation.Of(network, data, 2, TestContext.Current.CancellationToken);
        Confusion expected = new(3);
        for (int i = 0; i < data.Test.Count; i++)
        {
            Tensor logits = Reference.Run(network.Graph, data.Test.Picture(i).ToInput(network.Preprocessing!, network.Graph.Inputs[0].Shape))[0];
            int pixels = logits.Shape[2] * logits.Shape[3];
            expected.Add(data.Test.Mask(i), [.. Enumerable.Range(0, pixels).Select(at => (byte)Enumerable.Range(0, 3).MaxBy(label => logits.Floats[label * pixels + at]))]);
        }
        Assert.Equal(expected.MeanIoU, evaluation.Score.MeanIoU!.Value, 2e-3);
        Assert.Equal(expected.Accuracy, evaluation.Score.Accuracy, 2e-3);
        Assert.Equal(evaluation.Score, new(evaluation.Confusion!.Accuracy, evaluation.Confusion.MeanIoU));
        Assert.True(evaluation.Score is { Value: > 0.25, Accuracy: > 0.4 }, $"{evaluation.Score}");
        Assert.Contains("each pixel", Assert.Throws<PenjingException>(() => Evaluation.Of(Samples.Network, data, 1, TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void Recipes_compress_it_and_tell_both_figures()
    {
        using Samples samples = new();
        Recipe recipe = new("small", [new PruneStage { Ratio = 0.3, Rounds = 1, Training = new() { Epochs = 12, LearningRate = 0.02, Soft = 0.5 } }, new ShareStage { Bits = 6, Training = new() { Epochs = 4, LearningRate = 0.01 } }]);
        var way = RecipeRun.Run(network, recipe, data, Samples.Common with { Batch = 8 }, samples.At("work"), stop: TestContext.Current.CancellationToken);
        Assert.True(way[0].Result.Score is { MeanIoU: > 0.6, PixelAccuracy: > 0.8 }, $"{way[0].Result}");
        Assert.All(way, stone => Assert.True(stone.Result.Score.MeanIoU > way[0].Result.Score.MeanIoU - 0.25 && stone.Result.Score.PixelAccuracy > way[0].Result.Score.PixelAccuracy - 0.25, $"{stone.Result} after {way[0].Result}"));
        Assert.True(way[^1].Result.Bytes < way[0].Result.Bytes / 3);
        Assert.Equal(way[^1].Result.Score, PenjingFile.Read(way[^1].File.Path).History[^1].Score);
        Assert.Contains("each pixel", Assert.Throws<PenjingException>(() => new SensitivityRun(network, data, 1, new(samples.At("cache")), TestContext.Current.CancellationToken).Measure(SensitivityBy.Bits, [2], "", null, (_, _, _) => { })).Message);
    }

    [Fact]
    public void It_is_quantized_to_integers()
    {
        Model prepared = network with { Graph = PostTraining.Prepare(network.Graph) };
        Model quantized = network with { Graph = Calibration.Of(prepared, data, 8, 1, stop: TestContext.Current.CancellationToken).Run(RangeMethod.MinMax, Refinements.Bias, []).Quantized };
        Score real = Evaluation.Of(network, data, 1, TestContext.Current.CancellationToken).Score, whole = Evaluation.Of(quantized, data, 1, TestContext.Current.CancellationToken).Score;
        Assert.InRange(whole.Value, real.Value - 0.1, 1);
    }

    /// <summary>A picture larger than the network's is answered in its own size, and the parts that a covering preprocessing cuts off are of class 0.</summary>
    [Theory]
    [InlineData(Fit.Stretch)]
    [InlineData(Fit.Cover)]
    public void Pictures_of_other_sizes_are_parsed(Fit fit)
    {
        Size size = new(80, 50), seen = fit is Fit.Cover ? new(75, 50) : size;
        Picture picture = new(size, Channels.Rgb, (byte[])[.. Enumerable.Range(0, size.Height * size.Width).SelectMany(at => Halves.Pixel(at / size.Width / 27, new(at)))]);
        Model model = network with { Preprocessing = network.Preprocessing! with { Fit = fit } };
        using Parser parser = new(model, new(1));
        MaskFile mask = parser.Parse(picture, TestContext.Current.CancellationToken);
        Assert.Equal(size, mask.Size);
        Assert.Equal([0x000000, 0x800000, 0x008000], mask.Colors);
        Tensor logits = Reference.Run(model.Graph, picture.ToInput(model.Preprocessing!, model.Graph.Inputs[0].Shape))[0];
        Tensor enlarged = Reference.Run(new Graph(new Node("enlarged", new Resize(seen, ResizeMode.Linear), new Node("logits", new Input(ElementType.Float32, logits.Shape)))), logits)[0];
        int pixels = seen.Height * seen.Width, top = (size.Height - seen.Height) / 2;
        byte[] inside = [.. Enumerable.Range(0, pixels).Select(at => (byte)Enumerable.Range(0, 3).MaxBy(label => enlarged.Floats[label * pixels + at]))];
        byte[] expected = [.. new byte[top * 50], .. inside, .. new byte[(size.Height - seen.Height - top) * 50]];
        Assert.InRange(expected.Zip(mask.Classes.ToArray()).Count(pair => pair.First != pair.Second), 0, 4);
        Assert.True(expected.Distinct().Count() > 1);
    }

    /// <summary>Each of a sheet's cells is the picture's mask or a network's answer, and lies on its picture.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sheets_show_pictures_truths_and_answers(bool masksOnly)
    {
        const int Shown = 5, Factor = 4, Width = 32 * Factor, Height = 48 * Factor, Gap = 6;
        DataSet shownData = data with { Test = new Halves(7, 2, unknown: true) };
        Model other = ParseNet.Build(0.125, Halves.Shown, classes: 3) with { Preprocessing = null };
        ParseSheet sheet = ParseSheet.Of(shownData, [other, network], Shown, masksOnly, TestContext.Current.CancellationToken);
        int columns = masksOnly ? 3 : 4, across = 1400 / (columns * Width + Gap);
        Assert.Equal(new Size((Shown + across - 1) / across * (Height + Gap), across * (columns * Width + Gap)), sheet.Classes.Size);
        using Parser parser = new(network, new(1)), before = new(other with { Preprocessing = data.Preprocessing }, new(1));
        for (int shown = 0; shown < Shown; shown++)
        {
            Picture picture = shownData.Test.Picture(shown * data.Test.Count / Shown);
            byte[] truth = [.. shownData.Test.Mask(shown * data.Test.Count / Shown).ToArray().Select(label => label == Split.Unlabelled ? (byte)0 : label)];
            byte[][] answers = [Answer(before), Answer(parser)], expected = [.. masksOnly ? Array.Empty<byte[]>() : [new byte[truth.Length]], truth, .. answers];
            Assert.NotEqual(answers[0], answers[1]);
            byte[] Answer(Parser one) => one.Parse(picture, TestContext.Current.CancellationToken).Classes.ToArray();
            for (int column = 0; column < columns; column++)
                for (int at = 0; at < truth.Length; at++)
                {
                    int row = shown / across * (Height + Gap) + at / 32 * Factor + 1, left = shown % across * (columns * Width + Gap) + column * Width + at % 32 * Factor + 1, pixel = row * sheet.Classes.Size.Width + left;
                    Assert.Equal(expected[column][at], sheet.Classes.Classes.Span[pixel]);
                    Assert.Equal(masksOnly, sheet.Picture.Pixels.Span.Slice(3 * pixel, 3).SequenceEqual((ReadOnlySpan<byte>)[255, 255, 255]));
                }
        }
    }

    [Fact]
    public void What_is_no_parser_is_named()
    {
        Assert.Contains("penjing run", Assert.Throws<ShapeException>(() => new Parser(Samples.Network, new())).Message);
        Assert.Contains("the same", Assert.Throws<PenjingException>(() => ParseSheet.Of(data, [network, ParseNet.Build(0.125, Size.Square(32), classes: 3)], 1, masksOnly: true, TestContext.Current.CancellationToken)).Message);
        Assert.Contains("--preprocessing", Assert.Throws<PenjingException>(() => new Parser(network with { Preprocessing = null }, new())).Message);
    }

    /// <summary>Pictures of two parts, one below the other, each dark, bright or red.</summary>
    private sealed class Halves : Split
    {
        public static readonly Size Shown = new(48, 32);
        private readonly byte[][] pictures, masks;

        public Halves(int count, int seed, bool unknown = false) : base(Shown, Channels.Rgb, count)
        {
            Random random = new(seed);
            masks = [.. Enumerable.Range(0, count).Select(_ =>
            {
                (int upper, int lower, int edge) = (random.Next(3), random.Next(3), random.Next(8, 40));
                return (byte[])[.. Enumerable.Range(0, Shown.Height * Shown.Width).Select(at => (byte)(at / Shown.Width < edge ? upper : lower))];
            })];
            pictures = [.. masks.Select(mask => (byte[])[.. mask.SelectMany(label => Pixel(label, random))])];
            if (unknown)
                foreach (byte[] mask in masks) mask.AsSpan(0, Shown.Width).Fill(Unlabelled);
        }

        public override bool HasMasks => true;

        internal override string Fingerprint => $"{Count} halves";

        public static byte[] Pixel(int label, Random random) => [.. ((int[])[label == 0 ? 10 : 200, label == 1 ? 200 : 10, label == 1 ? 200 : 10]).Select(value => (byte)(value + random.Next(40)))];

        public override ReadOnlySpan<byte> Pixels(int index) => pictures[index];

        public override ReadOnlySpan<byte> Mask(int index) => masks[index];
    }
}
