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
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void Convolution_agrees_with_double_precision(int kernel, int groups)
    {
        TorchRuntime.Start();
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
                        TorchTensor[] expected = Answer(conv, Double(x), Double(w), Double(slope));
                        TorchTensor[] actual = Answer(conv, last ? x.ChannelsLast() : x, w, last ? slope : slope.ChannelsLast());
                        double[] errors = [.. expected.Zip(actual, (a, b) => (Double(b) - a).abs().max().item<double>() / a.abs().max().item<double>())];
                        if (errors.Any(error => !(error < 1e-4)))
                            wrong.Add($"batch {batch}, {size}×{size}, {inputs} to {outputs}, {(last ? "last" : "first")}: {string.Join(" ", errors)}");
                    }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count}:\n{string.Join('\n', wrong.Take(60))}");
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
