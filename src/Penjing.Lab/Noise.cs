namespace Penjing.Lab;

/// <summary>Inputs for whoever gives none: floats from −1 to 1 that follow from a seed, zeros of other types.</summary>
internal static class Noise
{
    /// <summary>One tensor for each input.</summary>
    public static Tensor[] For(IEnumerable<ValueInfo> inputs, int seed)
    {
        Random random = new(seed);
        return [.. inputs.Select(input => input.Type == ElementType.Float32 ? Tensor.Build<float>(input.Shape, Fill) : Tensor.Zeros(input.Type, input.Shape))];

        void Fill(Span<float> values)
        {
            foreach (ref float value in values) value = 2 * random.NextSingle() - 1;
        }
    }
}
