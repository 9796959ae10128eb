using System.Runtime.CompilerServices;

namespace Penjing;

/// <summary>
/// The model of a weight's indices into its rising codebook. An index's level is its distance from zero's place, below 0 for negative values. For each element,
/// where the codebook has a zero, first whether it is zero, believed by two things: the mean of |level| lately seen in the same output and the same input
/// channel, and |level| of the neighbours to the left and above in the same filter. Then, for another, its index bit by bit from the highest: the first four
/// under the mean of the levels that are not zero and the signed sum of the neighbours' levels, the others under the bits before them alone. Seeded, which
/// version 3 of the file brought, a belief in zero begins with what its classes promise, and one about a bit with what was seen under the bits before it alone.
/// </summary>
internal sealed class IndexModel
{
    private const int FractionBits = 8, MeanShift = 5, UsualMean = 32, InverseBits = 20;
    private const int NearLevels = 6, SideLevels = 9, FineLevels = 10, GuidedBits = 4;

    /// <summary>So few elements, or if seeded, elements that aren't zero, teach too little of the levels' means: there is one class of them.</summary>
    private const int FewElements = 2048, FewOthers = 1000;

    /// <summary>How many elements speak for a seeded belief in zero, and in what share of its range it begins.</summary>
    private const int SeedOfZero = 10, ShareBits = 10, LeastShare = 4;

    /// <summary>The borders of a mean's classes, in 32nds of the mean over all: three, and five, to the octave.</summary>
    private static readonly byte[] CoarseBorders = [10, 13, 16, 20, 25, 32, 40, 51, 64, 81, 102], FineBorders = [18, 21, 24, 28, 32, 37, 42, 49, 56];

    private static readonly byte[] Coarse = Classes(CoarseBorders), Fine = Classes(FineBorders);

    /// <summary>How many even bits a belief about an index's bit begins with, by its place: the deeper, the evener.</summary>
    private static readonly int[] Prior = [0, 2, 4, 8, 20, 40, 80, 120];

    private readonly int outputs, inputs, kernel, width;
    private readonly int zero, bits;
    private readonly int[] levels;
    private readonly byte[] near;
    private readonly byte[] side;
    private readonly uint[] zeroOdds = new uint[Coarse[^1] * NearLevels + NearLevels];
    private readonly uint[] guided;
    private readonly uint[] plain;
    private readonly int mean, meanOfOthers;
    private readonly bool seeded;

    /// <summary>The model for a shape, outputs first, then inputs, then the filter; a codebook; and the means that <see cref="MeansOf"/> tells.</summary>
    /// <param name="shape">The weight's shape.</param>
    /// <param name="zeroAt">The place of zero among the values; if not there, how many are below it.</param>
    /// <param name="hasZero">Whether zero is among the values.</param>
    /// <param name="count">How many values there are.</param>
    /// <param name="means">The mean of |level| over all elements, and over those that aren't zero.</param>
    /// <param name="seeded">Whether beliefs begin with more than even odds.</param>
    public IndexModel(Shape shape, int zeroAt, bool hasZero, int count, (int All, int Others) means, bool seeded)
    {
        this.seeded = seeded;
        outputs = shape.Rank > 0 ? shape[0] : 1;
        inputs = shape.Rank > 1 ? shape[1] : 1;
        kernel = shape.Rank > 2 ? shape.Product(2, shape.Rank) : 1;
        width = shape.Rank > 2 ? shape[-1] : 1;
        (zero, mean, meanOfOthers) = (hasZero ? zeroAt : -1, Math.Max(1, means.All), Math.Max(1, means.Others));
        levels = Levels(zeroAt, hasZero, count);
        bits = 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)(count - 1));
        int most = Math.Max(Math.Abs(levels[0]), Math.Abs(levels[^1]));
        near = [.. Enumerable.Range(0, 2 * most + 1).Select(sum => (byte)Near((long)sum << FractionBits))];
        side = [.. Enumerable.Range(-2 * most, 4 * most + 1).Select(sum => (byte)Side(sum))];
        for (int at = 0; at < zeroOdds.Length; at++) zeroOdds[at] = seeded ? SeedOf(at / NearLevels, at % NearLevels) : Odds.Even;
        guided = new uint[(SideLevels * FineLevels) << GuidedBits];
        for (int at = 0; at < guided.Length && !seeded; at++) guided[at] = Odds.EvenAfter(PriorOf(at & (1 << GuidedBits) - 1));
        plain = new uint[1 << bits];
        for (int node = 0; node < plain.Length; node++) plain[node] = Odds.EvenAfter(PriorOf(node));
    }

    /// <summary>The means of |level|, in 256ths: over all elements, and over those that aren't zero.</summary>
    public static (int All, int Others) MeansOf(ReadOnlySpan<ushort> indices, int zeroAt, bool hasZero, int count)
    {
        int[] levels = Levels(zeroAt, hasZero, count);
        long sum = 0;
        int others = 0;
        foreach (ushort index in indices)
        {
            sum += Math.Abs(levels[index]);
            others += levels[index] == 0 ? 0 : 1;
        }
        return ((int)((sum << FractionBits) / Math.Max(1, indices.Length)), (int)((sum << FractionBits) / Math.Max(1, others)));
    }

    /// <summary>Codes the indices of all elements; the reading side puts them into the span.</summary>
    /// <exception cref="ModelFormatException">The reading side finds an index beyond the codebook.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Code<TCoder>(ref TCoder coder, Span<ushort> indices) where TCoder : struct, IBitCoder, allows ref struct
    {
        if (indices.IsEmpty) return;
        int[] columns = new int[inputs], otherColumns = new int[inputs], above = new int[width];
        Array.Fill(columns, mean);
        Array.Fill(otherColumns, meanOfOthers);
        ReadOnlySpan<byte> coarse = Coarse, fine = Fine, nearOf = near, sideOf = side;
        ReadOnlySpan<int> levelOf = levels;
        Span<uint> ofZero = zeroOdds, ofGuided = guided, ofPlain = plain;
        long inverse = ((long)UsualMean << InverseBits) / (2L * mean), inverseOfOthers = ((long)UsualMean << InverseBits) / (2L * meanOfOthers);
        int sides = sideOf.Length / 2, at = 0, zeroIndex = zero;
        bool few = seeded ? (long)indices.Length * mean < (long)FewOthers * meanOfOthers : indices.Length < FewElements;
        for (int output = 0; output < outputs; output++)
        {
            int row = mean, otherRow = meanOfOthers;
            for (int input = 0; input < inputs; input++)
            {
                int left = 0, x = 0, column = columns[input], otherColumn = otherColumns[input];
                above.AsSpan().Clear();
                Span<ushort> filter = indices.Slice(at, kernel);
                at += kernel;
                for (int place = 0; place < filter.Length; place++)
                {
                    int up = above[x], level = 0, index = filter[place];
                    bool isZero = false;
                    if (zeroIndex >= 0)
                    {
                        int context = coarse[(int)Math.Min((column + row) * inverse >> InverseBits, coarse.Length - 1)] * NearLevels
                            + nearOf[Math.Abs(left) + Math.Abs(up)];
                        isZero = coder.Bit(ref ofZero[context], index == zeroIndex ? 1 : 0) != 0;
                    }
                    if (isZero) index = zeroIndex;
                    else
                    {
                        int context = sideOf[left + up + sides] * FineLevels
                            + (few ? 0 : fine[(int)Math.Min((otherColumn + otherRow) * inverseOfOthers >> InverseBits, fine.Length - 1)]);
                        index = coder.Number(ofGuided.Slice(context << GuidedBits, 1 << GuidedBits), ofPlain, index);
                        if (index >= levelOf.Length) throw new ModelFormatException($"a weight has the index {index} into a codebook of {levelOf.Length}");
                        level = levelOf[index];
                        int size = Math.Abs(level) << FractionBits;
                        otherColumn += size - otherColumn >> MeanShift;
                        otherRow += size - otherRow >> MeanShift;
                    }
                    filter[place] = (ushort)index;
                    int amount = Math.Abs(level) << FractionBits;
                    column += amount - column >> MeanShift;
                    row += amount - row >> MeanShift;
                    left = level;
                    above[x] = level;
                    if (++x == above.Length) (x, left) = (0, 0);
                }
                columns[input] = column;
                otherColumns[input] = otherColumn;
            }
        }
    }

    /// <summary>Each value's distance from zero's place.</summary>
    private static int[] Levels(int zeroAt, bool hasZero, int count) =>
        [.. Enumerable.Range(0, count).Select(index => index - zeroAt + (!hasZero && index >= zeroAt ? 1 : 0))];

    private static byte[] Classes(ReadOnlySpan<byte> borders)
    {
        var classes = new byte[borders[^1] + 1];
        for (int mean = 0; mean < classes.Length; mean++)
            foreach (byte border in borders) classes[mean] += (byte)(mean >= border ? 1 : 0);
        return classes;
    }

    /// <summary>The odds of zero where the channels' mean and the neighbours are of these classes: as many aren't zero as over all, by the classes' sizes.</summary>
    private uint SeedOf(int coarse, int near)
    {
        int size = coarse < CoarseBorders.Length ? CoarseBorders[coarse] : CoarseBorders[^1] + CoarseBorders[0], weight = near == 0 ? 6 : 7 + near;
        long others = ((long)mean * size * weight << ShareBits) / (9L * UsualMean * meanOfOthers);
        return Odds.Of((1 << ShareBits) - (int)Math.Clamp(others, LeastShare, (1 << ShareBits) - LeastShare), ShareBits, SeedOfZero);
    }

    private static int PriorOf(int node) => Prior[Math.Min(Prior.Length - 1, System.Numerics.BitOperations.Log2((uint)node | 1))];

    /// <summary>The class of a sum of two sizes: none, or by its ratio to the mean, in 16ths.</summary>
    private int Near(long sum) => sum == 0 ? 0 : 1 + Above(sum, 10) + Above(sum, 16) + Above(sum, 25) + Above(sum, 40);

    /// <summary>The class of a signed sum of two levels: four of either sign, and none.</summary>
    private int Side(int sum)
    {
        long size = (long)Math.Abs(sum) << FractionBits;
        int step = sum == 0 ? 0 : 1 + Above(10 * size, 56) + Above(10 * size, 128) + Above(10 * size, 256);
        return 4 + Math.Sign(sum) * step;
    }

    private int Above(long size, int sixteenths) => 16 * size >= (long)sixteenths * meanOfOthers ? 1 : 0;
}
