namespace Penjing.Testing;

/// <content>Pooling and resizing.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Pools()
    {
        foreach (int channels in Widths)
        {
            yield return On("2×2 stride 2", new MaxPool(Size.Square(2), Size.Square(2)), [1, channels, 6, 8]);
            yield return On("3×3 stride 2", new AveragePool(Size.Square(3), Size.Square(2), Padding.All(1)), [1, channels, 7, 8]);
            yield return On("channels", new GlobalAveragePool(), [2, channels, 5, 7]);
            yield return On("channels", new GlobalMaxPool(), [2, channels, 5, 7]);
        }
        yield return On("one pixel", new GlobalAveragePool(), [1, 17, 1, 1]);
        foreach (ElementType type in Integers)
        {
            yield return Case($"{type}", new GlobalMaxPool(), [], RandomTensors.Any(type, [2, 5, 4, 4], 1));
            yield return Case($"{type}", new MaxPool(Size.Square(3), Size.Square(2), Padding.All(1)), [], RandomTensors.Any(type, [2, 5, 6, 7], 1));
        }
        (string, Size, Size, Padding)[] windows =
        [
            ("3×3 stride 1 padded", Size.Square(3), Size.One, Padding.All(1)),
            ("3×3 stride 2 padded", Size.Square(3), Size.Square(2), Padding.All(1)),
            ("2×3 stride 3×2", new(2, 3), new(3, 2), default),
            ("uneven padding", new(3, 4), new(2, 3), new(0, 1, 2, 3)),
            ("whole picture", new(9, 10), Size.One, default),
            ("stride beyond the kernel", Size.Square(2), Size.Square(3), new(1, 0, 0, 1)),
            ("padded at the end", Size.Square(3), Size.Square(2), new(0, 0, 1, 1)),
            ("5×5 stride 4 padded", Size.Square(5), Size.Square(4), Padding.All(2)),
        ];
        foreach ((string name, Size kernel, Size stride, Padding padding) in windows)
            foreach (bool ceil in (bool[])[false, true])
            {
                string full = ceil ? $"{name}, ceil" : name;
                yield return On(full, new MaxPool(kernel, stride, padding, Size.One, ceil), [2, 13, 9, 10]);
                yield return On(full, new AveragePool(kernel, stride, padding, ceil), [2, 13, 9, 10]);
                yield return On($"{full}, counting padding", new AveragePool(kernel, stride, padding, ceil, true), [2, 13, 9, 10]);
            }
        foreach (bool ceil in (bool[])[false, true])
        {
            yield return On($"dilated{(ceil ? ", ceil" : "")}", new MaxPool(Size.Square(3), Size.Square(2), Padding.All(1), Size.Square(2), ceil), [1, 9, 10, 11]);
            yield return On($"dilated unevenly{(ceil ? ", ceil" : "")}", new MaxPool(new(2, 3), new(1, 2), new(0, 1, 1, 0), new(3, 2), ceil), [1, 9, 10, 12]);
        }
    }

    private static IEnumerable<OpCase> Resizes()
    {
        foreach (CoordinateMode coordinates in Enum.GetValues<CoordinateMode>().Except([CoordinateMode.TfHalfPixelForNN]))
            foreach (Size output in (Size[])[new(10, 14), new(9, 11), new(3, 4), new(1, 2), new(7, 2), new(5, 7)])
            {
                yield return On($"linear {coordinates} to {output}", new Resize(output, ResizeMode.Linear, coordinates), [1, 13, 5, 7]);
                yield return On($"cubic {coordinates} to {output}", new Resize(output, ResizeMode.Cubic, coordinates), [1, 3, 5, 7]);
                foreach (NearestMode nearest in Enum.GetValues<NearestMode>())
                    yield return On($"nearest {nearest} {coordinates} to {output}", new Resize(output, ResizeMode.Nearest, coordinates, nearest), [2, 3, 5, 7]);
            }
        foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
            foreach (CoordinateMode coordinates in Enum.GetValues<CoordinateMode>().Except([CoordinateMode.TfHalfPixelForNN]))
                yield return On($"{mode} {coordinates} to a pixel", new Resize(Size.One, mode, coordinates), [1, 13, 5, 7]);
        foreach (Size output in (Size[])[new(10, 14), new(3, 4), new(7, 2)])
        {
            yield return On($"nearest TfHalfPixelForNN to {output}", new Resize(output, ResizeMode.Nearest, CoordinateMode.TfHalfPixelForNN, NearestMode.Floor), [2, 3, 5, 7]);
            yield return On($"cubic without what is outside to {output}", new Resize(output, ResizeMode.Cubic, CubicA: -0.5f, ExcludeOutside: true), [1, 3, 5, 7]);
            foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
                yield return On($"{mode} of a crop to {output}", new Resize(output, mode, CoordinateMode.TfCropAndResize, Crop: new(-0.2f, 0.3f, 0.9f, 1.4f), Extrapolation: 10), [1, 3, 5, 7]);
        }
        yield return On("by scales", new Resize(new(12, 10), ResizeMode.Linear, CoordinateMode.HalfPixel, NearestMode.RoundPreferFloor, 2.5f, 1.5f), [1, 5, 5, 7]);
        yield return On("nearest by scales", new Resize(new(12, 10), ResizeMode.Nearest, CoordinateMode.Asymmetric, NearestMode.Floor, 2.5f, 1.5f), [1, 5, 5, 7]);
        yield return On("by small scales", new Resize(new(3, 4), ResizeMode.Linear, CoordinateMode.PytorchHalfPixel, NearestMode.RoundPreferFloor, 0.7f, 0.6f), [1, 5, 5, 7]);
        foreach (int channels in Widths)
            yield return On("doubled", new Resize(new(6, 8), channels % 2 == 0 ? ResizeMode.Nearest : ResizeMode.Linear, CoordinateMode.Asymmetric, NearestMode.Floor), [1, channels, 3, 4]);
    }
}
