using TorchSharp;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// What a network's answers are held against: the class of each picture, or of each pixel. The loss is the cross-entropy, weighed by class where asked for, and, for pixels, a
/// <see cref="RegionLoss"/> beside it.
/// </summary>
internal sealed class Objective : IDisposable
{
    private readonly TrainingOptions options;
    private readonly TorchTensor? weights;

    // Logits are enlarged from a smaller map as a rule: of four pixels one tells as much.
    private const int HalvedFrom = 64;

    /// <summary>The objective of training a network of so many classes on this data.</summary>
    public Objective(DataSet data, TrainingOptions options, int classes)
    {
        this.options = options;
        if (options.Region is not RegionLoss.None && !data.HasMasks)
            throw new PenjingException($"the data set '{data.Name}' has a class for each picture, not for each pixel: train without the option {nameof(options.Region)} {options.Region}");
        if (options.Balance > 0) weights = torch.tensor(Weights(Shares(data, classes), options.Balance)).DetachFromDisposeScope();
    }

    /// <summary>The weight of each class by its share of all truths; weighed so, all truths together count as much as they did. A class that is nowhere counts nowhere.</summary>
    public static float[] Weights(double[] shares, double balance)
    {
        double all = shares.Where(share => share > 0).Sum(share => Math.Pow(share, 1 - balance));
        return [.. shares.Select(share => share > 0 ? (float)(Math.Pow(share, -balance) / all) : 0)];
    }

    /// <summary>The mean loss of a batch.</summary>
    /// <param name="logits">Batch × classes, and × height × width where each pixel is answered.</param>
    /// <param name="truths">The classes, or <see cref="Batches.Ignored"/>.</param>
    public TorchTensor Loss(TorchTensor logits, TorchTensor truths)
    {
        // The mean over no pixel at all is none.
        if (logits.dim() > 2 && truths.Is(Batches.Ignored).all().item<bool>()) return logits.sum().Times(0);
        TorchTensor loss = functional.cross_entropy(logits, truths, weights, ignore_index: Batches.Ignored, label_smoothing: options.LabelSmoothing);
        return options.Region switch
        {
            RegionLoss.Lovasz => loss.Plus(Regions(logits, truths, Lovasz)),
            RegionLoss.Dice => loss.Plus(Regions(logits, truths, Dice)),
            _ => loss,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => weights?.Dispose();

    /// <summary>The mean, over the classes that are there, of a loss of one class's probabilities and truths.</summary>
    private static TorchTensor Regions(TorchTensor logits, TorchTensor truths, Func<TorchTensor, TorchTensor, TorchTensor> loss)
    {
        if (Math.Min(logits.shape[2], logits.shape[3]) >= HalvedFrom) (logits, truths) = (Halved(logits, 2), Halved(truths, 1));
        TorchTensor known = truths.flatten().Is(Batches.Ignored).logical_not().nonzero().flatten(), flat = truths.flatten().index_select(0, known);
        TorchTensor chances = logits.softmax(1).permute(1, 0, 2, 3).flatten(1).index_select(1, known);
        TorchTensor[] losses = [.. flat.unique().output.data<long>().Select(label => loss(chances[label], flat.Is(label).to_type(torch.ScalarType.Float32)))];
        return losses.Length == 0 ? logits.sum().Times(0) : torch.stack(losses).mean();

        static TorchTensor Halved(TorchTensor map, int axis) => map.slice(axis, 0, map.shape[axis], 2).slice(axis + 1, 0, map.shape[axis + 1], 2);
    }

    /// <summary>Errors, largest first, by what each adds to 1 − intersection / union where all before it are wrong.</summary>
    private static TorchTensor Lovasz(TorchTensor chances, TorchTensor truths)
    {
        (TorchTensor errors, TorchTensor order) = (truths - chances).abs().sort(0, descending: true);
        TorchTensor sorted = truths.index_select(0, order), all = sorted.sum();
        TorchTensor jaccard = ((all - sorted.cumsum(0)) / all.Plus(sorted.From(1).cumsum(0))).From(1);
        TorchTensor steps = jaccard - functional.pad(jaccard, [1, 0]).narrow(0, 0, jaccard.shape[0]);
        return torch.dot(errors, steps.detach());
    }

    private static TorchTensor Dice(TorchTensor chances, TorchTensor truths) => ((chances * truths).sum().Times(2).Plus(1) / chances.sum().Plus(truths.sum()).Plus(1)).From(1);

    /// <summary>The share that each class has of all truths of the training pictures.</summary>
    private static double[] Shares(DataSet data, int classes)
    {
        var counts = new long[classes];
        for (int i = 0; i < data.Train.Count; i++)
            if (!data.HasMasks) counts[data.Train.Labels[i]]++;
            else
                foreach (byte label in data.Train.Mask(i))
                    if (label != Split.Unlabelled) counts[label]++;
        double all = Math.Max(1, counts.Sum());
        return [.. counts.Select(count => count / all)];
    }
}
