namespace Penjing.Testing;

/// <content>Convolutions.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Convolutions()
    {
        foreach (int channels in Widths)
        {
            yield return Convolution("pointwise", [1, channels, 5, 7], Widths[(channels * 7) % Widths.Count], 1, 1, new());
            yield return Convolution("pointwise from 13", [1, 13, 3, 3], channels, 1, 1, new());
            yield return Convolution("3×3", [1, Widths[(channels * 5) % Widths.Count], 6, 5], channels, 3, 3, new(Size.One, Padding.All(1), Size.One));
            yield return Convolution("depthwise 3×3", [1, channels, 7, 6], channels, 3, 3, new(Size.One, Padding.All(1), Size.One, channels));
            yield return Convolution("depthwise 3×3 stride 2", [1, channels, 9, 8], channels, 3, 3, new(Size.Square(2), Padding.All(1), Size.One, channels));
        }
        foreach (int pixels in (int[])[1, 2, 3, 5, 6, 7, 11, 12, 13, 14, 15, 23, 29])
            yield return Convolution("pointwise row", [1, 24, 1, pixels], 17, 1, 1, new());
        foreach (Activation then in Activations)
        {
            yield return Convolution($"then {then}", [1, 8, 4, 4], 17, 3, 3, new(Size.One, Padding.All(1), Size.One, 1, then));
            yield return Convolution($"depthwise then {then}", [1, 13, 4, 4], 13, 3, 3, new(Size.One, Padding.All(1), Size.One, 13, then));
        }
        yield return Convolution("first layer", [1, 3, 17, 19], 32, 3, 3, new(Size.Square(2), new(0, 0, 1, 1), Size.One));
        yield return Convolution("first layer 7×7", [2, 3, 21, 23], 12, 7, 7, new(Size.Square(2), Padding.All(3), Size.One));
        yield return Convolution("11×11 stride 4", [1, 3, 31, 31], 9, 11, 11, new(Size.Square(4), default, Size.One));
        yield return Convolution("batch of three", [3, 5, 6, 7], 12, 3, 3, new(Size.One, Padding.All(1), Size.One));
        yield return Convolution("pointwise stride 2", [2, 16, 7, 8], 24, 1, 1, new(Size.Square(2), default, Size.One));
        yield return Convolution("pointwise padded", [1, 16, 3, 4], 24, 1, 1, new(Size.One, Padding.All(1), Size.One));
        yield return Convolution("whole picture", [1, 16, 4, 5], 13, 4, 5, new());
        yield return Convolution("kernel beyond the picture", [1, 6, 2, 2], 7, 5, 5, new(Size.One, Padding.All(2), Size.One));
        yield return Convolution("1×3", [1, 8, 5, 9], 12, 1, 3, new(Size.One, new(0, 1, 0, 1), Size.One));
        yield return Convolution("3×1", [1, 8, 9, 5], 12, 3, 1, new(new(2, 1), new(1, 0, 1, 0), Size.One));
        yield return Convolution("2×2 uneven padding", [1, 8, 5, 5], 12, 2, 2, new(Size.One, new(1, 0, 0, 1), Size.One));
        yield return Convolution("negative padding", [1, 8, 9, 9], 12, 3, 3, new(Size.One, new(-1, -2, -1, 1), Size.One));
        yield return Convolution("dilated", [1, 8, 9, 9], 12, 3, 3, new(Size.One, Padding.All(2), Size.Square(2)));
        yield return Convolution("dilated unevenly", [1, 8, 11, 12], 12, 3, 2, new(new(2, 1), new(2, 1, 0, 3), new(2, 3)));
        yield return Convolution("depthwise dilated", [1, 12, 11, 12], 12, 3, 3, new(Size.One, Padding.All(2), Size.Square(2), 12));
        yield return Convolution("depthwise 5×5", [2, 24, 9, 8], 24, 5, 5, new(Size.Square(2), Padding.All(2), Size.One, 24));
        foreach ((int height, int width) in ((int, int)[])[(1, 1), (1, 9), (9, 1), (2, 3), (14, 5)])
            foreach (int side in (int[])[3, 5])
                foreach (int stride in (int[])[1, 2])
                    yield return Convolution($"depthwise {side}×{side} stride {stride}", [1, 20, height, width], 20, side, side, new(Size.Square(stride), Padding.All(side / 2), Size.One, 20));
        foreach (int side in (int[])[3, 5])
            foreach ((int down, int across) in ((int, int)[])[(2, 2), (3, 3), (4, 4), (1, 2), (3, 1), (2, 7)])
                foreach (Padding padding in (Padding[])[default, new(side / 2 * down, side / 2 * across, side / 2 * down, side / 2 * across), new(1, 2, 3, 1), new(2, 11, 0, 9)])
                    yield return Convolution($"depthwise {side}×{side} dilated {down}×{across} padded {padding}", [2, 21, (side - 1) * down + 3, (side - 1) * across + 5], 21, side, side, new(Size.One, padding, new(down, across), 21));
        yield return Convolution("depthwise dilated beyond the picture", [1, 9, 3, 2], 9, 3, 3, new(Size.One, Padding.All(6), Size.Square(6), 9));
        yield return Convolution("depthwise far outside", [1, 17, 4, 3], 17, 3, 3, new(Size.One, new(5, 4, 3, 6), Size.One, 17, new HardSwish()));
        yield return Convolution("depthwise far inside", [2, 16, 9, 10], 16, 5, 5, new(Size.One, new(-2, -1, -1, -3), Size.One, 16));
        yield return Convolution("depthwise of parts", [2, 96, 5, 6], 96, 3, 3, new(Size.One, Padding.All(1), Size.One, 96, new Sigmoid()));
        yield return Convolution("depthwise 1×1", [1, 13, 4, 5], 13, 1, 1, new(Size.One, default, Size.One, 13));
        yield return Convolution("depthwise, two for each", [1, 12, 6, 5], 24, 3, 3, new(Size.One, Padding.All(1), Size.One, 12));
        yield return Convolution("depthwise, three for each", [1, 5, 6, 5], 15, 3, 3, new(Size.One, Padding.All(1), Size.One, 5));
        yield return Convolution("depthwise uneven padding", [1, 16, 8, 8], 16, 3, 3, new(Size.Square(2), new(0, 0, 1, 1), Size.One, 16));
        yield return Convolution("two groups", [1, 24, 6, 5], 12, 3, 3, new(Size.One, Padding.All(1), Size.One, 2));
        yield return Convolution("three groups pointwise", [2, 24, 5, 5], 39, 1, 1, new(Size.One, default, Size.One, 3));
        yield return Convolution("four groups of three", [1, 12, 6, 5], 20, 3, 3, new(Size.Square(2), Padding.All(1), Size.One, 4));
        yield return Convolution("no image", [0, 4, 5, 5], 6, 3, 3, new());

        var random = new Random(20);
        for (int i = 0; i < 40; i++)
        {
            int groups = random.Next(1, 4), inputs = groups * random.Next(1, 12), outputs = groups * random.Next(1, 24);
            Size kernel = new(random.Next(1, 5), random.Next(1, 5)), dilation = new(random.Next(1, 3), random.Next(1, 3));
            Padding padding = new(random.Next(0, 3), random.Next(0, 3), random.Next(0, 3), random.Next(0, 3));
            Shape x = [random.Next(1, 3), inputs, (kernel.Height - 1) * dilation.Height + random.Next(1, 9), (kernel.Width - 1) * dilation.Width + random.Next(1, 9)];
            Activation? then = random.Next(3) == 0 ? Activations[random.Next(Activations.Length)] : null;
            yield return Convolution($"random {i}", x, outputs, kernel.Height, kernel.Width,
                new(new(random.Next(1, 4), random.Next(1, 4)), padding, dilation, groups, then), bias: random.Next(3) > 0);
        }
    }

    private static OpCase Convolution(string name, Shape x, int outputs, int kh, int kw, Conv conv, bool? bias = null)
    {
        Shape w = [outputs, x[1] / conv.Groups, kh, kw];
        int seed = Seed(name, x) ^ outputs;
        Tensor input = RandomTensors.Normal(x, seed), kernel = RandomTensors.Kernel(w, seed + 1);
        string full = $"{name}, {x} by {w}";
        return bias ?? outputs % 2 == 1
            ? Case($"{full} with bias", conv, [1, 2], input, kernel, RandomTensors.Normal([outputs], seed + 2))
            : Case(full, conv, [1], input, kernel);
    }

    private static IEnumerable<OpCase> TransposedConvolutions()
    {
        yield return Transposed("1×1", [1, 5, 3, 4], 7, 1, 1, new(Size.One, default, Size.One));
        yield return Transposed("2×2 stride 2", [1, 13, 4, 5], 12, 2, 2, new(Size.Square(2), default, Size.One));
        yield return Transposed("3×3 stride 2 output padding", [2, 16, 4, 5], 9, 3, 3, new(Size.Square(2), Padding.All(1), Size.One, Size.One));
        yield return Transposed("4×4 stride 2", [1, 8, 5, 3], 17, 4, 4, new(Size.Square(2), Padding.All(1), Size.One));
        yield return Transposed("dilated", [1, 4, 5, 6], 3, 3, 2, new(new(2, 3), new(1, 0, 2, 1), new(2, 3), new(1, 2)));
        yield return Transposed("kernel below stride", [1, 4, 5, 6], 3, 2, 2, new(Size.Square(3), default, Size.One));
        yield return Transposed("two groups", [1, 8, 4, 4], 12, 3, 3, new(Size.Square(2), Padding.All(1), Size.One, Size.One, 2));
        yield return Transposed("depthwise", [1, 12, 4, 5], 12, 4, 4, new(Size.Square(2), Padding.All(1), Size.One, default, 12));
        yield return Transposed("16×16 stride 8", [1, 3, 3, 3], 3, 16, 16, new(Size.Square(8), Padding.All(4), Size.One));
    }

    private static OpCase Transposed(string name, Shape x, int outputs, int kh, int kw, ConvTranspose conv)
    {
        Shape w = [x[1], outputs / conv.Groups, kh, kw];
        int seed = Seed(name, x);
        Tensor input = RandomTensors.Normal(x, seed), kernel = RandomTensors.Kernel(w, seed + 1);
        string full = $"{name}, {x} by {w}";
        return outputs % 2 == 1
            ? Case($"{full} with bias", conv, [1, 2], input, kernel, RandomTensors.Normal([outputs], seed + 2))
            : Case(full, conv, [1], input, kernel);
    }
}
