namespace Penjing.Training;

/// <summary>What a network is fed in each step: pictures in an order drawn anew each epoch, augmented, as floats whose channels lie last, and their classes or masks, augmented alike.</summary>
internal sealed class Batches
{
    /// <summary>The truth of a pixel that counts nowhere.</summary>
    public const long Ignored = -100;

    private const ulong OrderStream = 1, PictureStream = 2;

    private readonly Split split;
    private readonly Preprocessing preprocessing;
    private readonly Size size;
    private readonly int depth;
    private readonly float[] table;
    private readonly TrainingOptions options;
    private readonly int[] order;
    private int epoch = -1;

    /// <summary>Batches for a network's input.</summary>
    /// <exception cref="ShapeException">The preprocessing doesn't fit the input.</exception>
    public Batches(Split split, Preprocessing preprocessing, Shape input, TrainingOptions options)
    {
        this.split = split;
        this.preprocessing = preprocessing;
        this.options = options;
        table = preprocessing.Table(input);
        size = new(input[2], input[3]);
        depth = input[1];
        order = new int[split.Count];
        StepsPerEpoch = Math.Max(1, split.Count / options.Batch);
    }

    /// <summary>How pictures become inputs.</summary>
    public Preprocessing Preprocessing => preprocessing;

    /// <summary>Whole batches of an epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Floats of one picture.</summary>
    public int PerPicture => size.Height * size.Width * depth;

    /// <summary>The shape of so many pictures' truths: a class each, or one for each pixel.</summary>
    public long[] Truths(int pictures) => split.HasMasks ? [pictures, size.Height, size.Width] : [pictures];

    /// <summary>Draws the order of the step's epoch; before <see cref="Fill"/>, which several threads may then call.</summary>
    public void Begin(int step)
    {
        if (epoch == step / StepsPerEpoch) return;
        epoch = step / StepsPerEpoch;
        new Chance((ulong)options.Seed, OrderStream, (ulong)epoch).Shuffle(order);
    }

    /// <summary>Writes pictures <paramref name="from"/> to <paramref name="end"/> of a step's batch, augmented, as H×W×C floats each, and their <see cref="Truths"/>.</summary>
    public void Fill(int step, int from, int end, Span<float> pictures, Span<long> truths)
    {
        int pixels = size.Height * size.Width;
        for (int i = from; i < end; i++)
        {
            long place = (long)step % StepsPerEpoch * options.Batch + i;
            int index = order[place % order.Length];
            Chance chance = new((ulong)options.Seed, PictureStream, (ulong)step * (ulong)options.Batch + (ulong)i);
            View view = View.Draw(ref chance, options, size);
            view.Picture(Fitted(split, index), depth, options.Tint > 0 ? Tinted(ref chance) : table, pictures.Slice((i - from) * PerPicture, PerPicture));
            if (split.HasMasks) view.Mask(FittedMask(split, index), view.Flip ? split.Mirrored : null, truths.Slice((i - from) * pixels, pixels));
            else truths[i - from] = split.Labels[index];
        }
    }

    /// <summary>Writes pictures of another split as they are, as H×W×C floats each.</summary>
    public void FillPlain(Split other, int from, int end, Span<float> pictures)
    {
        View plain = View.Whole(size);
        for (int i = from; i < end; i++) plain.Picture(Fitted(other, i), depth, table, pictures.Slice((i - from) * PerPicture, PerPicture));
    }

    /// <summary>The mask of a split's picture in the size of the network's input.</summary>
    public ReadOnlySpan<byte> FittedMask(Split from, int index) => from.Mask(index, size, preprocessing.Fit);

    private ReadOnlySpan<byte> Fitted(Split from, int index) => from.Size == size && from.Channels == preprocessing.Channels
        ? from.Pixels(index)
        : from.Picture(index).Fitted(size, preprocessing.Fit).To(preprocessing.Channels).Pixels.Span;

    /// <summary>The float of each byte in another light.</summary>
    private float[] Tinted(ref Chance chance)
    {
        const double Middle = 128;
        double least = 1 - options.Tint, most = 1 + options.Tint, brightness = chance.Between(least, most), contrast = chance.Between(least, most);
        var tinted = new float[table.Length];
        for (int c = 0; c < depth; c++)
        {
            double strength = brightness * chance.Between(1 - options.Tint / 2, 1 + options.Tint / 2);
            for (int value = 0; value < 256; value++)
                tinted[c * 256 + value] = ((float)Math.Clamp(((value - Middle) * contrast + Middle) * strength, 0, 255) - preprocessing.Mean[c]) / preprocessing.Deviation[c];
        }
        return tinted;
    }
}
