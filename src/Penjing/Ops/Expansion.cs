namespace Penjing;

/// <summary>The input repeated along axes of extent 1, and along new ones before, to what it and <see cref="Shape"/> broadcast to.</summary>
public sealed record Expand(Shape Shape) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        return Kept(inputs[0], Shape.Broadcast(inputs[0].Shape, Shape)
            ?? throw new ShapeException($"{Name}: {inputs[0].Shape} doesn't broadcast with {Shape}"));
    }
}

/// <summary>The whole input so many times along each axis.</summary>
public sealed record Tile(Ints Repeats) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        Require(Repeats.Count == x.Rank && Repeats.All(count => count >= 0), $"{Repeats} are no counts for the axes of {x}");
        long[] extents = [.. x.Select((extent, axis) => (long)extent * Repeats[axis])];
        Require(extents.All(extent => extent <= int.MaxValue), $"{x} is too large to be repeated {Repeats} times");
        return Kept(inputs[0], [.. extents.Select(extent => (int)extent)]);
    }
}

/// <summary>The last two axes as matrices, zero below (Upper) or above their diagonal, which is shifted by K to the right.</summary>
public sealed record Trilu(bool Upper = true, long K = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Plain(inputs);
        Require(inputs[0].Shape.Rank >= 2, $"{inputs[0].Shape} is no matrix");
        return inputs[0];
    }
}
