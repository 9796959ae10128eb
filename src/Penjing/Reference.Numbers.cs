using System.Numerics;
using System.Runtime.InteropServices;

namespace Penjing;

/// <content>Numbers of every type: floats are computed in double precision, integers and truth values exactly.</content>
public static partial class Reference
{
    private static Tensor Each(Elementwise op, Tensor input, ValueInfo info, ValueInfo result)
    {
        if (input.Type is ElementType.Float32 && result.Type is ElementType.Float32)
            return Tensor.Build<float>(input.Shape, output =>
            {
                ReadOnlySpan<float> x = input.Floats;
                for (int i = 0; i < output.Length; i++) output[i] = (float)op.Apply(x[i]);
            });
        if (info.Quantization is { } quantization && op is Activation)
            return Clamped(input, quantization, (float)op.Apply(double.NegativeInfinity), (float)op.Apply(double.PositiveInfinity));
        return input.Type.IsFloat()
            ? Stored(result, [.. Reals(input).Select(op.Apply)])
            : Stored(result, [.. Wholes(input).Select(op.Apply)]);
    }

    private static Tensor Pairwise(Binary op, Tensor left, Tensor right, ValueInfo result)
    {
        if (left.Type is ElementType.Float32 && right.Type is ElementType.Float32 && result.Type is ElementType.Float32)
            return Pairwise(op.Apply, left, right, result.Shape);
        return left.Type.IsFloat() || right.Type.IsFloat()
            ? Stored(result, Pairs<double, double>(op.Apply, Reals(left), left.Shape, Reals(right), right.Shape, result.Shape))
            : Stored(result, Pairs<Int128, Int128>(op.Apply, Wholes(left), left.Shape, Wholes(right), right.Shape, result.Shape));
    }

    private static Tensor Pairwise(Func<double, double, double> function, Tensor left, Tensor right, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> a = left.Floats, b = right.Floats;
        int[] fromLeft = Offsets(shape, Strides(left.Shape, shape.Rank)), fromRight = Offsets(shape, Strides(right.Shape, shape.Rank));
        for (int i = 0; i < output.Length; i++) output[i] = (float)function(a[fromLeft[i]], b[fromRight[i]]);
    });

    private static R[] Pairs<T, R>(Func<T, T, R> function, T[] left, Shape leftShape, T[] right, Shape rightShape, Shape shape)
    {
        int[] fromLeft = Offsets(shape, Strides(leftShape, shape.Rank)), fromRight = Offsets(shape, Strides(rightShape, shape.Rank));
        var results = new R[fromLeft.Length];
        for (int i = 0; i < results.Length; i++) results[i] = function(left[fromLeft[i]], right[fromRight[i]]);
        return results;
    }

    private static Tensor Choose(Tensor condition, Tensor x, Tensor y, Shape shape)
    {
        int size = x.Type.Size();
        int[] which = Spread(condition), fromX = Spread(x), fromY = Spread(y);
        var output = new byte[which.Length * size];
        for (int i = 0; i < which.Length; i++)
        {
            bool holds = condition.Bytes.Span[which[i]] != 0;
            (holds ? x : y).Bytes.Span.Slice((holds ? fromX : fromY)[i] * size, size).CopyTo(output.AsSpan(i * size));
        }
        return new(x.Type, shape, output);

        int[] Spread(Tensor operand) => Offsets(shape, Strides(operand.Shape, shape.Rank));
    }

    /// <summary>The elements as doubles: exactly, but for integers beyond 2⁵³.</summary>
    private static double[] Reals(Tensor tensor) =>
        tensor.Type is ElementType.Bool ? [.. Wholes(tensor).Select(value => (double)value)] : Numbers<double>(tensor);

    /// <summary>The elements as integers: exactly, but for the fractions of floats.</summary>
    private static Int128[] Wholes(Tensor tensor) =>
        tensor.Type is ElementType.Bool ? [.. tensor.Bytes.ToArray().Select(value => (Int128)(value == 0 ? 0 : 1))] : Numbers<Int128>(tensor);

    private static N[] Numbers<N>(Tensor tensor) where N : INumber<N> => tensor.Type switch
    {
        ElementType.Float32 => Numbers<float, N>(tensor),
        ElementType.Float16 => Numbers<Half, N>(tensor),
        ElementType.Float64 => Numbers<double, N>(tensor),
        ElementType.Int8 => Numbers<sbyte, N>(tensor),
        ElementType.UInt8 => Numbers<byte, N>(tensor),
        ElementType.Int16 => Numbers<short, N>(tensor),
        ElementType.UInt16 => Numbers<ushort, N>(tensor),
        ElementType.Int32 => Numbers<int, N>(tensor),
        ElementType.UInt32 => Numbers<uint, N>(tensor),
        ElementType.Int64 => Numbers<long, N>(tensor),
        _ => Numbers<ulong, N>(tensor),
    };

    private static N[] Numbers<T, N>(Tensor tensor) where T : unmanaged, INumber<T> where N : INumber<N>
    {
        ReadOnlySpan<T> elements = tensor.AsSpan<T>();
        var numbers = new N[elements.Length];
        for (int i = 0; i < numbers.Length; i++) numbers[i] = N.CreateTruncating(elements[i]);
        return numbers;
    }

    /// <summary>Doubles as elements: rounded to narrower floats; to integers towards zero, at most to the type's ends; to Bool, whether they are not 0.</summary>
    private static Tensor Stored(ValueInfo info, double[] numbers) => info.Type is ElementType.Float32
        ? Tensor.Build<float>(info.Shape, output => { for (int i = 0; i < output.Length; i++) output[i] = (float)numbers[i]; })
        : Store(info, numbers);

    /// <summary>Integers as elements: rounded to floats; to narrower integers by their low bits; to Bool as whether they are not 0.</summary>
    private static Tensor Stored(ValueInfo info, Int128[] numbers) => Store(info, numbers);

    private static Tensor Store<N>(ValueInfo info, N[] numbers) where N : INumber<N> => info.Type switch
    {
        ElementType.Float32 => Store<float, N>(info, numbers),
        ElementType.Float16 => Store<Half, N>(info, numbers),
        ElementType.Float64 => Store<double, N>(info, numbers),
        ElementType.Int8 => Store<sbyte, N>(info, numbers),
        ElementType.UInt8 => Store<byte, N>(info, numbers),
        ElementType.Int16 => Store<short, N>(info, numbers),
        ElementType.UInt16 => Store<ushort, N>(info, numbers),
        ElementType.Int32 => Store<int, N>(info, numbers),
        ElementType.UInt32 => Store<uint, N>(info, numbers),
        ElementType.Int64 => Store<long, N>(info, numbers),
        ElementType.UInt64 => Store<ulong, N>(info, numbers),
        _ => Tensor.Build<bool>(info.Shape, output => { for (int i = 0; i < output.Length; i++) output[i] = !N.IsZero(numbers[i]); }),
    };

    private static Tensor Store<T, N>(ValueInfo info, N[] numbers) where T : unmanaged, INumber<T> where N : INumber<N> => Tensor.Build<T>(info.Shape, output =>
    {
        for (int i = 0; i < output.Length; i++) output[i] = typeof(N) == typeof(double) ? T.CreateSaturating(numbers[i]) : T.CreateTruncating(numbers[i]);
    });

    /// <summary>The elements' bits moved: element i of the output is that at from[i], or zero where that is negative.</summary>
    private static Tensor Moved(Tensor input, Shape shape, ReadOnlySpan<int> from)
    {
        int size = input.Type.Size();
        ReadOnlySpan<byte> x = input.Bytes.Span;
        var output = new byte[checked(shape.Elements * size)];
        for (int i = 0; i < from.Length; i++)
            if (from[i] >= 0) x.Slice(from[i] * size, size).CopyTo(output.AsSpan(i * size));
        return new(input.Type, shape, output);
    }
}
