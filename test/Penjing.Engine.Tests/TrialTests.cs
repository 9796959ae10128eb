using System.Collections.Immutable;

namespace Penjing.Engine.Tests;

/// <summary>Layers in words, and what a trial of their kernels tells.</summary>
public sealed class TrialTests
{
    /// <summary>Words become the layer that they say.</summary>
    [Theory]
    [InlineData("3x5x7-8", "1×3×5×7", "8×3×1×1", "1×8×5×7")]
    [InlineData("4x9x9-6-k3-s2-g2", "1×4×9×9", "6×2×3×3", "1×6×5×5")]
    [InlineData("4x9x9-4-g4-k5", "1×4×9×9", "4×1×5×5", "1×4×9×9")]
    [InlineData("2x9x9-2-k3-p0-d2", "1×2×9×9", "2×2×3×3", "1×2×5×5")]
    [InlineData("12-13-z50", "1×12", "13×12", "1×13")]
    public void WordsBecomeLayers(string text, string input, string weights, string output)
    {
        Node node = LayerText.Parse(text);
        Assert.Equal((input, weights, output), (node.Inputs[0].Shape.ToString(), node.Inputs[1].Shape.ToString(), node.Shape.ToString()));
        Assert.True(node.Inputs[1].Value!.Floats.SequenceEqual(LayerText.Parse(text).Inputs[1].Value!.Floats));
    }

    /// <summary>Words that are no layer are answered by what is wrong with them.</summary>
    [Theory]
    [InlineData("", "is no layer"), InlineData("256", "is no layer"), InlineData("3x5-8", "is no layer"), InlineData("3x5x7-8-k3x3", "is no layer")]
    [InlineData("3x5x7-8 -k3", "is no layer"), InlineData("-3x5x7-8", "is no layer"), InlineData("٣x5x7-8", "is no layer")]
    [InlineData("0x5x7-8", "too small"), InlineData("3x5x7-8-k0", "too small"), InlineData("3x5x7-8-s0", "too small"), InlineData("99999999999x1x1-1", "too large")]
    [InlineData("4x5x5-6-g4", "4 groups"), InlineData("6x5x5-4-g4", "4 groups"), InlineData("12-13-k3", "is a matrix"), InlineData("12-13-z100", "99 %")]
    [InlineData("99999x99999x9-1", "at most"), InlineData("100000-100000", "at most"), InlineData("3x2x2-8-k5-p0", "5×5")]
    public void WrongWordsAreAnswered(string text, string word) => Assert.Contains(word, Assert.ThrowsAny<PenjingException>(() => LayerText.Parse(text)).Message);

    /// <summary>Every kernel that fits is tried and its memory told, with other memory read in between and without, on one thread and more.</summary>
    [Theory]
    [InlineData("24x9x9-24-k3-g24", 1, 0)]
    [InlineData("24x9x9-24-k3-g24", 2, 1 << 20)]
    [InlineData("13x7x7-12-k3", 3, 100)]
    public void EveryCandidateIsTried(string text, int threads, long between)
    {
        Site site = new(LayerText.Parse(text), Isas.Best);
        ImmutableArray<KernelRow> rows = Trial.Candidates(site);
        ImmutableArray<Trial> trials = Trial.Of(rows, site with { Seats = threads }, 1, between, TestContext.Current.CancellationToken);
        Assert.Equal(rows, trials.Select(trial => trial.Row));
        Assert.All(trials, trial => Assert.True(trial.BestMs > 0 && trial.Ms >= trial.BestMs && trial.PackedBytes > 0 && trial.ScratchBytes >= 0, trial.ToString()));
        Assert.Throws<OperationCanceledException>(() => Trial.Of(rows, site with { Seats = threads }, 1, between, new CancellationToken(true)));
    }

    /// <summary>The peak is that of multiplications: no narrower vectors multiply much faster.</summary>
    [Fact]
    public void ThePeakIsMeasured()
    {
        double best = FmaPeak.Gflops(Isas.Best);
        Assert.InRange(best, 0.1, 1e5);
        Assert.Equal(best, FmaPeak.Gflops(Isas.Best));
    }
}
