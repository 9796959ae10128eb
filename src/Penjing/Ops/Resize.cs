namespace Penjing;

/// <summary>How a <see cref="Resize"/> makes an output pixel.</summary>
public enum ResizeMode
{
    /// <summary>The nearest input pixel.</summary>
    Nearest,
    /// <summary>Bilinear between four pixels.</summary>
    Linear,
    /// <summary>Bicubic between sixteen pixels (Keys 1981).</summary>
    Cubic,
}

/// <summary>Where an output coordinate lies in the input, by ONNX's names.</summary>
public enum CoordinateMode
{
    /// <summary>(x + ½) / scale − ½.</summary>
    HalfPixel,
    /// <summary>As <see cref="HalfPixel"/>, but 0 where the output has one pixel.</summary>
    PytorchHalfPixel,
    /// <summary>x · (input − 1) / (output − 1): the corners meet.</summary>
    AlignCorners,
    /// <summary>x / scale.</summary>
    Asymmetric,
    /// <summary>(x + ½) / scale, of opset 11.</summary>
    TfHalfPixelForNN,
    /// <summary>Along the part of the picture that <see cref="Resize.Crop"/> names, its corners met.</summary>
    TfCropAndResize,
}

/// <summary>How <see cref="ResizeMode.Nearest"/> rounds a coordinate.</summary>
public enum NearestMode
{
    /// <summary>To the nearest, halves down.</summary>
    RoundPreferFloor,
    /// <summary>To the nearest, halves up.</summary>
    RoundPreferCeil,
    /// <summary>Down.</summary>
    Floor,
    /// <summary>Up.</summary>
    Ceil,
}

/// <summary>A part of a picture: 0 is its first row or column, 1 its last.</summary>
public sealed record Region(float Top, float Left, float Bottom, float Right);

/// <summary>
/// N×C×H×W to N×C×Output. Scales are what ONNX's formulas divide by; 0 means output / input. Coordinates outside the picture take its edge. Of 8-bit integers with one
/// quantization, but for cubes and crops, the outcome has it too: pixels lie in steps of 1/256 of the way from one to the next, and means are rounded as what they stand for is, halves
/// to an even number of steps from zero.
/// </summary>
/// <param name="Output">The size of the output.</param>
/// <param name="Mode">How a pixel is made.</param>
/// <param name="Coordinates">Where it lies in the input.</param>
/// <param name="Nearest">How the nearest pixel is found.</param>
/// <param name="ScaleHeight">The vertical scale, or 0.</param>
/// <param name="ScaleWidth">The horizontal scale, or 0.</param>
/// <param name="CubicA">The slope parameter of the cubic.</param>
/// <param name="ExcludeOutside">Whether the cubic's weights of pixels outside the picture are left out, and the others scaled to the sum 1.</param>
/// <param name="Crop">The part that <see cref="CoordinateMode.TfCropAndResize"/> takes; null is the whole.</param>
/// <param name="Extrapolation">What <see cref="CoordinateMode.TfCropAndResize"/> sees outside the picture.</param>
public sealed record Resize(
    Size Output,
    ResizeMode Mode = ResizeMode.Nearest,
    CoordinateMode Coordinates = CoordinateMode.HalfPixel,
    NearestMode Nearest = NearestMode.RoundPreferFloor,
    float ScaleHeight = 0,
    float ScaleWidth = 0,
    float CubicA = -0.75f,
    bool ExcludeOutside = false,
    Region? Crop = null,
    float Extrapolation = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        if (!IsMean || inputs[0] is not { Type: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null }) Floats(inputs);
        Rank(inputs[0], 4, "an input");
        Shape x = inputs[0].Shape;
        Require(Output.Height > 0 && Output.Width > 0 && x[2] > 0 && x[3] > 0, $"{x} can't be resized to {Output}");
        Require(float.IsFinite(ScaleHeight) && float.IsFinite(ScaleWidth) && ScaleHeight >= 0 && ScaleWidth >= 0,
            $"the scales {ScaleHeight}, {ScaleWidth} are not positive");
        Require(Crop is null || (float.IsFinite(Crop.Top) && float.IsFinite(Crop.Left) && float.IsFinite(Crop.Bottom) && float.IsFinite(Crop.Right)),
            $"{Crop} is no part of a picture");
        return inputs[0] with { Shape = [x[0], x[1], Output.Height, Output.Width] };
    }

    /// <summary>Whether coordinates outside the picture are not seen.</summary>
    internal bool Extrapolates => Coordinates is CoordinateMode.TfCropAndResize;

    /// <summary>Whether each pixel is a mean of input pixels, or one of them: then 8-bit integers, of one quantization, are resized to integers of the same.</summary>
    internal bool IsMean => Mode is not ResizeMode.Cubic && !Extrapolates;

    /// <summary>Into how many parts the way between two pixels is divided where integers are resized: sums of two axes are exact in a float's 24 bits.</summary>
    internal const int Parts = 256;

    /// <summary>The two input rows or columns that each output one lies between, and how far it is from the first, 0 to 1; of the nearest ones that and 0.</summary>
    internal IEnumerable<(int Near, int Far, double Part)> Places(double[] coordinates, int extent) => coordinates.Select(at =>
    {
        double inside = Math.Clamp(at, 0, extent - 1);
        int near = (int)inside;
        return Mode is ResizeMode.Nearest ? (Pixel(at, extent), 0, 0) : (near, Math.Min(near + 1, extent - 1), inside - near);
    });

    /// <summary>The same in whole <see cref="Parts"/>.</summary>
    internal (int Near, int Far, int Part)[] WholePlaces(double[] coordinates, int extent) => [.. Places(coordinates, extent).Select(place => (place.Near, place.Far, (int)Math.Round(place.Part * Parts)))];

    /// <summary>The input row of each output row, before any rounding or clamping.</summary>
    internal double[] Rows(int height) =>
        [.. Enumerable.Range(0, Output.Height).Select(row => Coordinate(row, height, Output.Height, ScaleHeight, Crop?.Top ?? 0, Crop?.Bottom ?? 1))];

    /// <summary>The input column of each output column, before any rounding or clamping.</summary>
    internal double[] Columns(int width) =>
        [.. Enumerable.Range(0, Output.Width).Select(column => Coordinate(column, width, Output.Width, ScaleWidth, Crop?.Left ?? 0, Crop?.Right ?? 1))];

    private double Coordinate(int x, int input, int output, float scale, double start, double end)
    {
        double ratio = scale > 0 ? scale : (double)output / input;
        return Coordinates switch
        {
            CoordinateMode.AlignCorners => output == 1 ? 0 : (double)x * (input - 1) / (output - 1),
            CoordinateMode.Asymmetric => x / ratio,
            CoordinateMode.PytorchHalfPixel when output == 1 => 0,
            CoordinateMode.TfHalfPixelForNN => (x + 0.5) / ratio,
            CoordinateMode.TfCropAndResize when output == 1 => 0.5 * (start + end) * (input - 1),
            CoordinateMode.TfCropAndResize => start * (input - 1) + x * (end - start) * (input - 1) / (output - 1),
            _ => (x + 0.5) / ratio - 0.5,
        };
    }

    /// <summary>The input pixels, and their weights, that an output coordinate is the sum of; none where <see cref="Extrapolation"/> stands.</summary>
    internal (int Pixel, double Weight)[] Taps(double coordinate, int extent)
    {
        if (Extrapolates && !(coordinate >= 0 && coordinate <= extent - 1)) return [];
        if (Mode is ResizeMode.Nearest) return [(Pixel(coordinate, extent), 1)];
        double inside = Mode is ResizeMode.Cubic ? coordinate : Math.Clamp(coordinate, 0, extent - 1), part = inside - Math.Floor(inside);
        int first = (int)Math.Floor(inside), last = extent - 1;
        if (Mode is ResizeMode.Linear) return [(first, 1 - part), (Math.Min(first + 1, last), part)];
        (int Pixel, double Weight)[] taps = [.. Cubic(part, CubicA).Select((weight, i) => (first + i - 1, weight))];
        double sum = ExcludeOutside ? taps.Where(tap => tap.Pixel >= 0 && tap.Pixel <= last).Sum(tap => tap.Weight) : 1;
        return [.. taps.Select(tap => (Math.Clamp(tap.Pixel, 0, last), ExcludeOutside && (tap.Pixel < 0 || tap.Pixel > last) ? 0 : tap.Weight / sum))];
    }

    /// <summary>The weights of four pixels, the second of which lies <paramref name="part"/> before the coordinate.</summary>
    internal static double[] Cubic(double part, double a)
    {
        return [Outer(part + 1), Inner(part), Inner(1 - part), Outer(2 - part)];

        double Inner(double d) => ((a + 2) * d - (a + 3)) * d * d + 1;
        double Outer(double d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    }

    /// <summary>The input pixel that a coordinate takes in <see cref="ResizeMode.Nearest"/>.</summary>
    internal int Pixel(double coordinate, int input) => (int)Math.Clamp(Nearest switch
    {
        NearestMode.RoundPreferFloor => Math.Ceiling(coordinate - 0.5),
        NearestMode.RoundPreferCeil => Math.Floor(coordinate + 0.5),
        NearestMode.Floor => Math.Floor(coordinate),
        _ => Math.Ceiling(coordinate),
    }, 0, input - 1);
}
