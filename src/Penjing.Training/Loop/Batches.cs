namespace Penjing.Training;

/// <summary>What a network is fed in each step: pictures in an order drawn anew each epoch, augmented, as floats whose channels lie last.</summary>
internal sealed class Batches
{
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
        table = Pictures.Table(preprocessing, input);
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

    /// <summary>Draws the order of the step's epoch; before <see cref="Fill"/>, which several threads may then call.</summary>
    public void Begin(int step)
    {
        if (epoch == step / StepsPerEpoch) return;
        epoch = step / StepsPerEpoch;
        new Chance((ulong)options.Seed, OrderStream, (ulong)epoch).Shuffle(order);
    }

    /// <summary>Writes pictures <paramref name="from"/> to <paramref name="end"/> of a step's batch, augmented, as H×W×C floats each, and their labels.</summary>
    public void Fill(int step, int from, int end, Span<float> pictures, Span<long> labels)
    {
        for (int i = from; i < end; i++)
        {
            long place = (long)step % StepsPerEpoch * options.Batch + i;
            int index = order[place % order.Length];
            labels[i - from] = split.Labels[index];
            Chance chance = new((ulong)options.Seed, PictureStream, (ulong)step * (ulong)options.Batch + (ulong)i);
            int shift = 2 * options.Shift + 1, down = chance.Below(shift) - options.Shift, across = chance.Below(shift) - options.Shift;
            Place(Fitted(split, index), down, across, options.Flip && chance.Below(2) == 1, pictures.Slice((i - from) * PerPicture, PerPicture));
        }
    }

    /// <summary>Writes pictures of another split as they are, as H×W×C floats each.</summary>
    public void FillPlain(Split other, int from, int end, Span<float> pictures)
    {
        for (int i = from; i < end; i++) Place(Fitted(other, i), 0, 0, false, pictures.Slice((i - from) * PerPicture, PerPicture));
    }

    private ReadOnlySpan<byte> Fitted(Split from, int index) => from.Size == size && from.Channels == preprocessing.Channels
        ? from.Pixels(index)
        : from.Picture(index).Fitted(size, preprocessing.Fit).To(preprocessing.Channels).Pixels.Span;

    private void Place(ReadOnlySpan<byte> pixels, int down, int across, bool flip, Span<float> to)
    {
        for (int row = 0; row < size.Height; row++)
        {
            Span<float> line = to.Slice(row * size.Width * depth, size.Width * depth);
            int above = row + down;
            ReadOnlySpan<byte> source = above >= 0 && above < size.Height ? pixels.Slice(above * size.Width * depth, size.Width * depth) : [];
            for (int column = 0; column < size.Width; column++)
            {
                int beside = (flip ? size.Width - 1 - column : column) + across;
                bool inside = !source.IsEmpty && beside >= 0 && beside < size.Width;
                for (int c = 0; c < depth; c++) line[column * depth + c] = table[c * 256 + (inside ? source[beside * depth + c] : 0)];
            }
        }
    }
}
