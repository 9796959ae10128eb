namespace Penjing;

/// <summary>How a <see cref="Resize"/> makes an output pixel.</summary>
public enum ResizeMode
{
    /// <summary>The nearest input pixel.</summary>
    Nearest,
    /// <summary>Bilinear between four pixels.</summary>
    Linear,
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

/// <summary>
/// N×C×H×W to N×C×Output. Scales are what ONNX's formulas divide by; 0 means output / input. Coordinates outside the picture take its edge.
/// </summary>
public sealed record Resize(
    Size Output,
    ResizeMode Mode = ResizeMode.Nearest,
    CoordinateMode Coordinates = CoordinateMode.HalfPixel,
    NearestMode Nearest = NearestMode.RoundPreferFloor,
    float ScaleHeight = 0,
    float ScaleWidth = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Rank(inputs[0], 4, "an input");
        Shape x = inputs[0].Shape;
        Require(Output.Height > 0 && Output.Width > 0 && x[2] > 0 && x[3] > 0, $"{x} can't be resized to {Output}");
        Require(float.IsFinite(ScaleHeight) && float.IsFinite(ScaleWidth) && ScaleHeight >= 0 && ScaleWidth >= 0, $"the scales {ScaleHeight}, {ScaleWidth} are not positive");
        return inputs[0] with { Shape = [x[0], x[1], Output.Height, Output.Width] };
    }

    /// <summary>The input coordinate of an output coordinate along one axis, before any rounding or clamping.</summary>
    internal double Coordinate(int x, int input, int output, float scale)
    {
        double ratio = scale > 0 ? scale : (double)output / input;
        return Coordinates switch
        {
            CoordinateMode.AlignCorners => output == 1 ? 0 : (double)x * (input - 1) / (output - 1),
            CoordinateMode.Asymmetric => x / ratio,
            CoordinateMode.PytorchHalfPixel when output == 1 => 0,
            _ => (x + 0.5) / ratio - 0.5,
        };
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
