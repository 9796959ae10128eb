namespace Penjing.Lab;

/// <summary>A network's outputs read as probabilities of classes.</summary>
internal static class Probabilities
{
    /// <summary>Turns logits into probabilities by softmax; what already are probabilities (none negative, none above 1, sum 1 up to what a step of 1/256 each may be off) stays.</summary>
    public static void From(Span<float> values)
    {
        double sum = 0;
        float most = float.NegativeInfinity, least = float.PositiveInfinity;
        foreach (float value in values)
        {
            sum += value;
            most = Math.Max(most, value);
            least = Math.Min(least, value);
        }
        if (least >= 0 && most <= 1 && Math.Abs(sum - 1) < Math.Max(1e-3, Math.Min(0.25, values.Length / 512.0))) return;
        double total = 0;
        foreach (float value in values) total += Math.Exp(value - most);
        foreach (ref float value in values) value = (float)(Math.Exp(value - most) / total);
    }

    /// <summary>The likeliest class of each pixel, of C×H×W values; of equal ones, the first.</summary>
    public static byte[] Likeliest(ReadOnlySpan<float> values, int classes)
    {
        int pixels = values.Length / classes;
        float[] best = values[..pixels].ToArray();
        var likeliest = new byte[pixels];
        for (int label = 1; label < classes; label++)
        {
            ReadOnlySpan<float> plane = values.Slice(label * pixels, pixels);
            for (int i = 0; i < pixels; i++)
                if (plane[i] > best[i]) (best[i], likeliest[i]) = (plane[i], (byte)label);
        }
        return likeliest;
    }

    /// <summary>How many classes are likelier than this one; of equal ones, the first counts as likelier.</summary>
    public static int Rank(ReadOnlySpan<float> values, int index)
    {
        int rank = 0;
        for (int i = 0; i < values.Length; i++)
            if (values[i] > values[index] || (values[i] == values[index] && i < index)) rank++;
        return rank;
    }

    /// <summary>The likeliest classes, best first.</summary>
    public static int[] Top(ReadOnlySpan<float> values, int count)
    {
        float[] scores = values.ToArray();
        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(index => scores[index]).ThenBy(index => index).Take(count)];
    }
}
