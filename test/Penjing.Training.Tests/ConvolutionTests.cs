using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training.Tests;

/// <summary>Torch's convolution is right for any number of channels, forwards and backwards, however its input lies in memory.</summary>
public sealed class ConvolutionTests
{
    private static readonly int[] Inputs = [1, 2, 17, 24, 64];
    private static readonly int[] Outputs = [1, 8, 20, 33, 40, 64, 72, 96, 100];

    /// <summary>Against the same in double precision, which goes another way through torch.</summary>
    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(3, 1, false)]
    [InlineData(5, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(3, 2, false)]
    [InlineData(1, 1, true)]
    [InlineData(3, 1, true)]
    [InlineData(5, 1, true)]
    public void Convolution_agrees_with_double_precision(int kernel, int groups, bool mixed)
    {
        TorchRuntime.Start();
        torch.manual_seed(3);
        List<string> wrong = [];
        int count = 0;
        foreach (int batch in (int[])[1, 32])
            foreach (int size in (int[])[1, 9])
                foreach (int inputs in Inputs)
                    foreach (int outputs in Outputs)
                    {
                        bool last = (++count & 1) == 0;
                        using DisposeScope scope = torch.NewDisposeScope();
                        Conv conv = new() { Padding = Padding.All(kernel / 2), Groups = groups };
                        TorchTensor x = torch.randn(batch, groups * inputs, size, size), w = torch.randn(groups * outputs, inputs, kernel, kernel);
                        TorchTensor slope = torch.randn(batch, groups * outputs, size, size);
                        if (mixed) (x, w, slope) = (x.AsBFloat16(), w.AsBFloat16(), slope.AsBFloat16());
                        TorchTensor[] expected = Expected(conv, x, w, slope);
                        TorchTensor[] actual = Answer(conv, last ? x.ChannelsLast() : x, w, last ? slope : slope.ChannelsLast());
                        double[] errors = [.. expected.Zip(actual, (a, b) => (Double(b) - a).abs().max().item<double>() / a.abs().max().item<double>())];
                        if (errors.Any(error => !(error < (mixed ? 1e-2 : 1e-4))))
                            wrong.Add($"batch {batch}, {size}×{size}, {inputs} to {outputs}, {(last ? "last" : "first")}: {string.Join(" ", errors)}");
                    }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count}:\n{string.Join('\n', wrong.Take(60))}");
    }

    /// <summary>Small pictures, of which edges of the kernel see nothing but padding.</summary>
    [Fact]
    public void Kernels_larger_than_the_picture_agree_with_double_precision()
    {
        TorchRuntime.Start();
        torch.manual_seed(3);
        Random random = new(3);
        for (int round = 0; round < 200; round++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            int height = random.Next(1, 5), width = random.Next(1, 5), taps = random.Next(1, 6), groups = random.Next(1, 3), dilation = random.Next(1, 4);
            Conv conv = new(new(random.Next(1, 4), random.Next(1, 4)), new(Pad(), Pad(), Pad(), Pad()), Size.Square(dilation), groups);
            int reach = (taps - 1) * dilation + 1;
            if (height + conv.Padding.Top + conv.Padding.Bottom < reach || width + conv.Padding.Left + conv.Padding.Right < reach) continue;
            TorchTensor x = torch.randn(2, groups * 3, height, width), w = torch.randn(groups * 4, 3, taps, taps);
            using TorchTensor shape = TorchWindows.Convolve(conv, x, w, null);
            TorchTensor slope = torch.randn(shape.shape);
            foreach ((TorchTensor a, TorchTensor b) in Expected(conv, x, w, slope).Zip(Answer(conv, x, w, slope)))
                Assert.True((Double(b) - a).abs().max().item<double>() < 1e-4, $"{taps} taps on {height}×{width}: {conv}");

            int Pad() => random.Next(0, 6);
        }
    }

    private static TorchTensor[] Expected(Conv conv, TorchTensor x, TorchTensor kernel, TorchTensor slope)
    {
        TorchTensor input = Double(x).requires_grad_(true), weights = Double(kernel).requires_grad_(true);
        Padding padding = conv.Padding;
        TorchTensor output = torch.nn.functional.conv2d(torch.nn.functional.pad(input, [padding.Left, padding.Right, padding.Top, padding.Bottom]), weights, null,
            [conv.Stride.Height, conv.Stride.Width], [0, 0], [conv.Dilation.Height, conv.Dilation.Width], conv.Groups);
        output.backward([Double(slope)]);
        return [output.detach(), input.grad!, weights.grad!];
    }

    private static TorchTensor Double(TorchTensor x) => x.to_type(torch.ScalarType.Float64);

    /// <summary>Output, and the gradients of input and kernel.</summary>
    private static TorchTensor[] Answer(Conv conv, TorchTensor x, TorchTensor kernel, TorchTensor slope)
    {
        TorchTensor input = x.detach().requires_grad_(true), weights = kernel.detach().requires_grad_(true);
        TorchTensor output = TorchWindows.Convolve(conv, input, weights, null);
        output.backward([slope]);
        return [output.detach(), input.grad!, weights.grad!];
    }
}
