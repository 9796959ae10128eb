namespace Penjing.Testing;

/// <content>Functions of single elements and of pairs, of every type.</content>
public static partial class OpCases
{
    private static readonly ElementType[] Integers =
        [ElementType.Int8, ElementType.UInt8, ElementType.Int16, ElementType.UInt16, ElementType.Int32, ElementType.UInt32, ElementType.Int64, ElementType.UInt64];

    private static IEnumerable<OpCase> Functions()
    {
        foreach (UnaryFunction function in Enum.GetValues<UnaryFunction>().Except([UnaryFunction.Not]))
        {
            (double least, double most) = function switch
            {
                UnaryFunction.Acos or UnaryFunction.Asin or UnaryFunction.Atanh => (-0.99, 0.99),
                UnaryFunction.Acosh => (1, 5),
                UnaryFunction.Log or UnaryFunction.Sqrt or UnaryFunction.Reciprocal => (0.1, 6),
                UnaryFunction.Tan => (-1.2, 1.2),
                _ => (-4, 4),
            };
            foreach (Shape shape in (Shape[])[[], [67], [2, 5, 3, 7], [0, 4]])
                yield return Case($"of {shape}", new Unary(function), [], RandomTensors.Uniform(shape, Seed($"{function}", shape), least, most));
            yield return Case("of doubles", new Unary(function), [], Converted(ElementType.Float64, RandomTensors.Uniform([2, 9], 3, least, most)));
        }
        Tensor halves = Tensor.Of<float>([9], -2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 0, -0f, 3.49999f);
        Tensor strange = Tensor.Of<float>([2, 4], float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 1, -1, float.MaxValue, float.Epsilon);
        yield return Case("halves", new Unary(UnaryFunction.Round), [], halves);
        yield return Case("strange numbers", new Unary(UnaryFunction.IsNaN), [], strange);
        foreach ((bool negative, bool positive) in ((bool, bool)[])[(true, true), (true, false), (false, true)])
            yield return Case($"negative {negative}, positive {positive}", new IsInf(negative, positive), [], strange);
        yield return Case("truth", new Unary(UnaryFunction.Not), [], RandomTensors.Any(ElementType.Bool, [3, 5], 1));
        foreach (ElementType type in Integers)
        {
            yield return Case($"of {type}", new Unary(UnaryFunction.Abs), [], RandomTensors.Any(type, [3, 5], 1));
            yield return Case($"of {type}", new Unary(UnaryFunction.Sign), [], RandomTensors.Any(type, [3, 5], 2));
            if (!type.IsUnsigned()) yield return Case($"of {type}", new Unary(UnaryFunction.Neg), [], RandomTensors.Any(type, [3, 5], 3));
            yield return Case($"of {type}", new Relu(), [], RandomTensors.Any(type, [3, 5], 4));
            yield return Case($"of {type}", new Clip(-3.5f, 50.5f), [], RandomTensors.Any(type, [3, 5], 5));
        }
        foreach (Elementwise op in (Elementwise[])[new Elu(), new Elu(0.3f), new Celu(), new Celu(2), new Selu(), new Selu(2, 3), new ThresholdedRelu(), new ThresholdedRelu(0.2f),
            new Shrink(), new Shrink(1.5f, 0.7f), new Gelu(), new Gelu(true)])
        {
            foreach (Shape shape in (Shape[])[[], [2, 13, 3, 5]]) yield return Case($"{op} of {shape}", op, [], RandomTensors.Normal(shape, Seed("function", shape), 3));
        }
        foreach (ElementType from in Enum.GetValues<ElementType>())
            foreach (ElementType to in Enum.GetValues<ElementType>())
                yield return Case($"{from} to {to}", new Cast(to), [], from.IsFloat() && to.IsUnsigned()
                    ? Converted(from, RandomTensors.Uniform([2, 9], 1, 0, 100)) : Converted(from, RandomTensors.Uniform([2, 9], 1, from.IsUnsigned() ? 0 : -100, 100)));
    }

    private static IEnumerable<OpCase> Pairs()
    {
        (Shape Left, Shape Right)[] shapes = [([2, 13, 3, 5], [2, 13, 3, 5]), ([2, 13, 3, 5], [13, 1, 1]), ([], [3, 4]), ([3, 1, 5], [1, 4, 1]), ([0, 3], [1, 3])];
        foreach (Binary op in (Binary[])[new Min(), new Max(), new Equal(), new Less(), new LessOrEqual(), new Greater(), new GreaterOrEqual(), new Mod(true)])
        {
            foreach ((Shape left, Shape right) in shapes)
                yield return Case($"{left} with {right}", op, [], Steps(left, 1), Steps(right, 2));
            foreach (ElementType type in Integers)
                yield return Case($"{type}{(op is Mod ? ", fmod" : "")}", op, [], RandomTensors.Any(type, [7, 9], 1), NotZero(RandomTensors.Any(type, [9], 2)));
            yield return Case("doubles", op, [], Converted(ElementType.Float64, Steps([7, 9], 1)), Converted(ElementType.Float64, Steps([9], 2)));
        }
        foreach (ElementType type in Integers)
        {
            Tensor x = RandomTensors.Any(type, [5, 7], 1), y = NotZero(RandomTensors.Any(type, [7], 2)), small = Converted(type, RandomTensors.Uniform([7], 3, 0, 4));
            foreach (Binary op in (Binary[])[new Add(), new Sub(), new Mul(), new Div(), new Mod()]) yield return Case($"{type}", op, [], x, y);
            yield return Case($"{type}", new Pow(), [], Converted(type, RandomTensors.Uniform([5, 7], 4, 0, 4)), small);
            if (type.IsUnsigned())
                foreach (bool left in (bool[])[false, true]) yield return Case($"{type}, left {left}", new BitShift(left), [], x, small);
            yield return Case($"{type}", new Where(), [], RandomTensors.Any(ElementType.Bool, [5, 1], 5), x, y);
        }
        foreach ((Shape left, Shape right) in shapes)
        {
            Tensor a = RandomTensors.Any(ElementType.Bool, left, 1), b = RandomTensors.Any(ElementType.Bool, right, 2);
            foreach (Binary op in (Binary[])[new And(), new Or(), new Xor()]) yield return Case($"{left} with {right}", op, [], a, b);
            yield return Case($"truths, {left} with {right}", new Equal(), [], a, b);
            yield return Case($"{left} with {right}", new Pow(), [], RandomTensors.Uniform(left, 3, 0.1, 3), RandomTensors.Normal(right, 4));
            yield return Case($"{left} by {right}", new Where(), [], a, RandomTensors.Normal(right, 3), RandomTensors.Normal([], 4));
        }
        yield return Case("whole exponents", new Pow(), [1], RandomTensors.Normal([2, 9], 1), Tensor.Of<float>([9], 0, 1, 2, 3, 4, -1, -2, 5, 6));
        yield return Case("float to whole", new Pow(), [], RandomTensors.Normal([2, 9], 1), Tensor.Of<int>([9], 0, 1, 2, 3, 4, -1, -2, 5, 6));
        yield return Case("whole to float", new Pow(), [], Tensor.Of<int>([4], 1, 2, 3, 4), Tensor.Of<float>([4], 0.5f, 2, 3, 1.5f));
        yield return Case("mixed signs", new Mod(), [], Tensor.Of<int>([6], -4, 7, 5, 4, -7, 8), Tensor.Of<int>([6], 2, -3, 8, -2, 3, 5));
        yield return Case("mixed signs, with the left's", new Mod(true), [], Tensor.Of<int>([6], -4, 7, 5, 4, -7, 8), Tensor.Of<int>([6], 2, -3, 8, -2, 3, 5));
    }

    /// <summary>Multiples of a quarter, few enough to be equal at times, none zero.</summary>
    private static Tensor Steps(Shape shape, int seed)
    {
        var random = new Random(seed);
        return RandomTensors.Of(shape, () => random.Next(2) == 0 ? random.Next(1, 9) / 4f : random.Next(-8, 0) / 4f);
    }

    private static Tensor Converted(ElementType type, Tensor floats) => Reference.Evaluate(new Cast(type), [floats]);

    private static Tensor NotZero(Tensor tensor)
    {
        Tensor one = Converted(tensor.Type, Tensor.Of<float>([], 1));
        Tensor isZero = Reference.Evaluate(new Equal(), [tensor, Tensor.Zeros(tensor.Type, [])]);
        return Reference.Evaluate(new Where(), [isZero, one, tensor]);
    }
}
