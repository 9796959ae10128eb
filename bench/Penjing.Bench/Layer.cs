namespace Penjing.Bench;

/// <summary>An element of a layer, and what is known of it before it is coded.</summary>
internal readonly record struct Place(int Level, int Output, int Input, int Kernel, int Before, int MeanClass, int OthersClass, int NearClass, int SideClass);

/// <summary>A pruned and shared weight as levels: 0 for zero, else the value's place among the rising values above or below zero.</summary>
internal sealed class Layer
{
    private readonly int outputs, inputs, kernel, width;

    private Layer(Tensor weight)
    {
        (outputs, inputs, kernel, width) = (weight.Shape[0], weight.Shape[1], weight.Shape[2] * weight.Shape[3], weight.Shape[3]);
        float[] elements = weight.Floats.ToArray();
        Values = [.. elements.Distinct().Order()];
        Zero = Values.Count(value => value < 0);
        int above = Values.Contains(0) ? 0 : 1;
        Levels = [.. elements.Select(element => Array.BinarySearch(Values, element) - Zero + (element > 0 ? above : 0))];
    }

    /// <summary>The layers of a network whose kernels have four axes.</summary>
    public static Layer[] Of(Model model) => [.. model.Graph.Weights.Where(node => node.Shape.Rank == 4).Select(node => new Layer(node.Value!))];

    /// <summary>The distinct values, rising.</summary>
    public float[] Values { get; }

    /// <summary>How many values are below zero.</summary>
    public int Zero { get; }

    /// <summary>The elements' levels.</summary>
    public int[] Levels { get; }

    /// <summary>How many elements there are.</summary>
    public int Count => Levels.Length;

    /// <summary>The distances, less 1, of the values' bits taken as integers that rise with them.</summary>
    public uint[] Distances => [.. Values.Zip(Values.Skip(1), (low, high) => Rank(high) - Rank(low) - 1)];

    /// <summary>The zeros before each element that is not zero, in fillers of <paramref name="most"/> and a zero where there are more.</summary>
    public int[] Gaps(int most)
    {
        var gaps = new List<int>();
        int gap = 0;
        foreach (int level in Levels)
        {
            if (level == 0 && gap < most) gap++;
            else
            {
                gaps.Add(gap);
                gap = 0;
            }
        }
        return [.. gaps];
    }

    /// <summary>The bits of an adaptive code: for each element, <paramref name="element"/> gives contexts, how many even bits a belief begins with, and bits.</summary>
    public double Walk(Action<Place, Action<int, int, int>> element)
    {
        var beliefs = new Dictionary<int, (double One, double Seen)>();
        double bits = 0;
        void Cost(int context, int prior, int bit)
        {
            (double one, double seen) = beliefs.TryGetValue(context, out (double, double) belief) ? belief : (prior / 2.0, prior);
            double likely = Math.Clamp(seen == 0 ? 0.5 : one / seen, 1e-4, 1 - 1e-4);
            bits -= Math.Log2(bit == 1 ? likely : 1 - likely);
            beliefs[context] = (one + bit, seen + 1);
        }
        double all = Levels.Average(level => (double)Math.Abs(level)), others = Levels.Where(level => level != 0).Average(level => (double)Math.Abs(level));
        double[] columns = [.. Enumerable.Repeat(all, inputs)], otherColumns = [.. Enumerable.Repeat(others, inputs)];
        for (int output = 0, at = 0; output < outputs; output++)
        {
            (double row, double otherRow) = (all, others);
            for (int input = 0; input < inputs; input++)
                for (int place = 0; place < kernel; place++, at++)
                {
                    int left = place % width > 0 ? Levels[at - 1] : 0, up = place >= width ? Levels[at - width] : 0, level = Levels[at], size = Math.Abs(level);
                    element(new(level, output, input, place, output > 0 ? Levels[at - inputs * kernel] : 0, Octave((columns[input] + row) / 2 / all, 3, 6, 11),
                        Octave((otherColumns[input] + otherRow) / 2 / others, 5, 5, 9), Near((Math.Abs(left) + Math.Abs(up)) / others), Side((left + up) / others)), Cost);
                    columns[input] += (size - columns[input]) / 32;
                    row += (size - row) / 32;
                    if (level == 0) continue;
                    otherColumns[input] += (size - otherColumns[input]) / 32;
                    otherRow += (size - otherRow) / 32;
                }
        }
        return bits;
    }

    /// <summary>The bits of the values as the file has them: the first whole, then each distance's length against the one before, and its bits.</summary>
    public double DistanceBits()
    {
        var beliefs = new Dictionary<int, (double One, double Seen)>();
        double bits = 32;
        int before = 20;
        void Cost(int context, bool bit)
        {
            (double one, double seen) = beliefs.GetValueOrDefault(context, (0.5, 1));
            bits -= Math.Log2(bit ? one / seen : 1 - one / seen);
            beliefs[context] = (one + (bit ? 1 : 0), seen + 1);
        }
        foreach (uint distance in Distances)
        {
            int length = 32 - System.Numerics.BitOperations.LeadingZeroCount(distance), change = length - before;
            Cost(0, change == 0);
            if (change != 0) Cost(1, change > 0);
            for (int step = 1; step <= Math.Abs(change); step++) Cost(2 + 64 * (change > 0 ? 1 : 0) + step, step < Math.Abs(change));
            for (int bit = length - 2, node = change == 0 ? 1001 : 2001; bit >= 0; bit--)
            {
                if (bit < length - 4) bits++;
                else Cost(node, (distance >> bit & 1) != 0);
                node = 2 * node + (int)(distance >> bit & 1);
            }
            before = length;
        }
        return bits;
    }

    private static uint Rank(float value) => BitConverter.SingleToUInt32Bits(value) is uint bits && bits >> 31 != 0 ? ~bits : bits | 1u << 31;

    private static int Octave(double ratio, double steps, int middle, int last) => Math.Clamp((int)Math.Floor(Math.Log2(ratio + 1e-9) * steps) + middle, 0, last);

    private static int Near(double ratio) => ratio == 0 ? 0 : 1 + Octave(ratio, 1.5, 2, 4);

    private static int Side(double ratio) => 4 + Math.Sign(ratio) * (Math.Abs(ratio) is 0 ? 0 : Math.Abs(ratio) < 0.35 ? 1 : Math.Abs(ratio) < 0.8 ? 2 : Math.Abs(ratio) < 1.6 ? 3 : 4);
}
