namespace Penjing.Tests;

/// <summary>Shapes, lists, tensors and operations as values.</summary>
public class ValueTests
{
    [Fact]
    public void ShapesAreEqualByValue()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal([2, 3, 4], shape);
        Assert.NotEqual([2, 3], shape);
        Assert.True(default(Shape) == [] && default(Shape).Rank == 0 && default(Shape).Elements == 1);
        Assert.Equal(shape.GetHashCode(), Shape.Create([2, 3, 4]).GetHashCode());
        Assert.Equal(("2×3×4", "scalar", 24, 4, 12), (shape.ToString(), default(Shape).ToString(), shape.Elements, shape[-1], shape.Product(1, 3)));
        Assert.Equal([2, 9, 4], shape.With(-2, 9));
    }

    [Fact]
    public void ShapesBeyondAnArrayAreRefused()
    {
        Assert.Contains("-1", Assert.Throws<ShapeException>(() => Shape.Create([2, -1])).Message);
        Assert.Throws<ShapeException>(() => Shape.Create([65536, 65536]));
        Assert.Throws<ShapeException>(() => Shape.Create([0, 65536, 65536]));
        Assert.Equal(0, Shape.Create([0, 65536]).Elements);
    }

    [Fact]
    public void BroadcastingIsNumPys()
    {
        Assert.Equal(Shape.Create([2, 3, 4]), Shape.Broadcast([3, 1], [2, 1, 4]));
        Assert.Equal(Shape.Create([2, 0]), Shape.Broadcast([2, 1], [0]));
        Assert.Equal(Shape.Create([5]), Shape.Broadcast([], [5]));
        Assert.Null(Shape.Broadcast([2, 3], [2, 4]));
    }

    [Fact]
    public void ListsAreEqualByValue()
    {
        Ints list = [1, 2, 3];
        Assert.True(list == Ints.Create([1, 2, 3]) && list != [1, 2] && default(Ints) == [] && default(Ints).Count == 0 && default(Ints).Items.IsEmpty);
        Assert.Equal("[1, 2, 3]", list.ToString());
        Assert.Equal(list.GetHashCode(), Ints.Create([1, 2, 3]).GetHashCode());
        Assert.Equal(6, list.Sum());
    }

    /// <summary>Operations are equal when their attributes are, lists and weights by value.</summary>
    [Fact]
    public void OperationsAreEqualByValue()
    {
        Assert.Equal<Op>(new Gather(1, [0, 2]), new Gather(1, [0, 2]));
        Assert.NotEqual<Op>(new Gather(1, [0, 2]), new Gather(1, [2, 0]));
        Assert.Equal<Op>(new Conv(Size.One, Padding.All(1), Size.One, 2, new Clip(0, 6)), new Conv(Size.One, Padding.All(1), Size.One, 2, new Clip(0, 6)));
        Assert.Equal<Op>(new Constant(Tensor.Of<float>([2], 1, 2)), new Constant(Tensor.Of<float>([2], 1, 2)));
        Assert.NotEqual<Op>(new Constant(Tensor.Of<float>([2], 1, 0f)), new Constant(Tensor.Of<float>([2], 1, -0f)));
        Assert.Equal(new Quantization([1, 2], [0, 0], 1), new Quantization([1, 2], [0, 0], 1));
    }

    [Fact]
    public void TensorsCheckTheirLength()
    {
        Assert.Contains("2×3", Assert.Throws<ShapeException>(() => Tensor.Of<float>([2, 3], 1, 2)).Message);
        Assert.Contains("12 bytes", Assert.Throws<ShapeException>(() => new Tensor(ElementType.Float16, [2, 3], new byte[11])).Message);
        Assert.Contains("Int32", Assert.Throws<InvalidOperationException>(() => Tensor.Zeros(ElementType.Int32, [2]).Floats.Length).Message);
        Assert.Throws<ShapeException>(() => Tensor.Zeros(ElementType.Int8, [2, 3]).Reshape([5]));
    }

    /// <summary>A tensor keeps a copy of what it was given, in its type's bytes.</summary>
    [Fact]
    public void TensorsCopyTheirValues()
    {
        float[] values = [1, 2, 3];
        Tensor tensor = Tensor.Of([3], values);
        values[0] = 9;
        Assert.Equal([1f, 2, 3], tensor.Floats.ToArray());
        Assert.Equal([0, 0, 128, 63], tensor.Bytes[..4].ToArray());
        Assert.Equal((ElementType.Int64, 16), (Tensor.Of<long>([2], 1, 2).Type, Tensor.Of<long>([2], 1, 2).Bytes.Length));
        Assert.True(tensor.BitsEqual(Tensor.Build<float>([3], span => { for (int i = 0; i < 3; i++) span[i] = i + 1; })));
        Assert.False(tensor.BitsEqual(tensor.Reshape([3, 1])));
        Assert.Equal("Float32 3", tensor.ToString());
    }

    [Fact]
    public void EveryTypeHasItsSize()
    {
        Assert.Equal([4, 2, 1, 1, 4, 8, 8, 2, 2, 4, 8, 1], Enum.GetValues<ElementType>().Select(type => type.Size()));
        Assert.Equal(Enum.GetValues<ElementType>(),
        [
            ElementTypes.Of<float>(), ElementTypes.Of<Half>(), ElementTypes.Of<sbyte>(), ElementTypes.Of<byte>(), ElementTypes.Of<int>(), ElementTypes.Of<long>(),
            ElementTypes.Of<double>(), ElementTypes.Of<short>(), ElementTypes.Of<ushort>(), ElementTypes.Of<uint>(), ElementTypes.Of<ulong>(), ElementTypes.Of<bool>(),
        ]);
        Assert.Throws<NotSupportedException>(() => ElementTypes.Of<decimal>());
    }

    [Fact]
    public void PreprocessingIsEqualByValue()
    {
        Preprocessing left = new(Channels.Rgb, [1, 2, 3], [4, 5, 6]);
        Assert.Equal(left, new Preprocessing(Channels.Rgb, [1, 2, 3], [4, 5, 6]));
        Assert.NotEqual(left, left with { Fit = Fit.Stretch });
    }
}
