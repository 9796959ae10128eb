namespace Penjing;

/// <summary>What <see cref="GridSample"/> sees beyond the picture.</summary>
public enum GridPadding
{
    /// <summary>Zeros.</summary>
    Zeros,
    /// <summary>The edge repeated.</summary>
    Border,
    /// <summary>The picture mirrored at its edge.</summary>
    Reflection,
}

/// <summary>
/// N×C×H×W sampled at the points x, y of a grid N×H'×W'×2, to N×C×H'×W'; −1 and 1 are the picture's edges, or with AlignCorners the centers of its
/// corner pixels. Cubic with a = −0.75. Of Jaderberg 2015.
/// </summary>
public sealed record GridSample(ResizeMode Mode = ResizeMode.Linear, GridPadding Padding = GridPadding.Zeros, bool AlignCorners = false) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Floats(inputs);
        Rank(inputs[0], 4, "an input");
        Rank(inputs[1], 4, "a grid");
        Shape x = inputs[0].Shape, grid = inputs[1].Shape;
        Require(grid[0] == x[0] && grid[3] == 2, $"the grid {grid} has no points for {x}");
        Require(x[2] > 0 && x[3] > 0, $"the pictures of {x} have no pixels");
        return inputs[0] with { Shape = [x[0], x[1], grid[1], grid[2]] };
    }
}

/// <summary>How <see cref="RoiAlign"/> makes a pixel of its samples.</summary>
public enum RoiMode
{
    /// <summary>Their mean.</summary>
    Avg,
    /// <summary>The largest product of a sample's pixel and its weight, as ONNX has it.</summary>
    Max,
}

/// <summary>
/// Regions of pictures resampled to one size. Inputs are x N×C×H×W, the regions R×4 (left, top, right, bottom, in pixels of x after multiplication by
/// SpatialScale) and the picture of each region, R of Int64 or Int32; the output is R×C×Output. SamplingRatio 0 takes a sample for each pixel. Of He 2017.
/// </summary>
public sealed record RoiAlign(Size Output, int SamplingRatio = 0, float SpatialScale = 1, RoiMode Mode = RoiMode.Avg, bool HalfPixel = true) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 3, 3);
        Floats(inputs[..2]);
        Indexes(inputs[2]);
        Rank(inputs[0], 4, "an input");
        Rank(inputs[1], 2, "regions");
        Shape x = inputs[0].Shape;
        int regions = inputs[1].Shape[0];
        Exactly(inputs[1], [regions, 4], "regions");
        Exactly(inputs[2], [regions], "pictures");
        Require(Output is { Height: > 0, Width: > 0 } && SamplingRatio is >= 0 and <= 1024 && x[2] > 0 && x[3] > 0, $"{x} can't be sampled to {Output}");
        return new(ElementType.Float32, [regions, x[1], Output.Height, Output.Width]);
    }
}
