using Penjing.Compression;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// AdaRound (Nagel et al., Up or Down?, 2020): whether a weight is rounded up or down is learnt, so that what its layer yields from rounded inputs comes near to
/// what it yielded from real ones. A layer's squared error is a quadratic form in its weights, whose coefficients are gathered over pictures once: a step then
/// costs the same however many there were. The activation behind the layer is left out.
/// </summary>
public sealed class AdaptiveRounding : IDisposable
{
    private const int Steps = 250;
    private const double Rate = 0.05, Stretch = 1.2, Push = 0.5, Warm = 0.2, Soft = 20, Hard = 2, Undecided = 0.4999, MeanDecay = 0.9, SquareDecay = 0.999;

    private readonly Node layer;
    private const long MostPairs = 1 << 28;

    private readonly TorchTensor kernel, squares, products;
    private long seen;

    /// <summary>The rounding of a layer's weights, its input not yet seen.</summary>
    /// <param name="layer">A layer of <see cref="PostTraining.Layers"/>.</param>
    /// <exception cref="PenjingException">Torch can't be loaded, or an output of the layer reads too many values.</exception>
    public AdaptiveRounding(Node layer)
    {
        TorchRuntime.Start();
        this.layer = layer;
        if ((long)Groups * Fan * Fan > MostPairs)
            throw new PenjingException($"layer '{layer.Name}' reads {Fan} values for an output: what each pair of them has in common, which rounding as suits the layer follows from, doesn't fit into memory. Round to the nearest integers, or keep the layer real");
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        kernel = Rows(layer.Inputs[1].Value!.ToTorch()).contiguous().DetachFromDisposeScope();
        squares = torch.zeros(kernel.shape[0], kernel.shape[2], kernel.shape[2]).DetachFromDisposeScope();
        products = torch.zeros_like(squares).DetachFromDisposeScope();
    }

    private bool IsTurned => layer.Op is Gemm { TransposeB: false };

    private int Groups => layer.Op is Conv conv ? conv.Groups : 1;

    /// <summary>How many weights an output has.</summary>
    private int Fan => layer.Inputs[1].Shape is var shape && IsTurned ? shape[0] : shape.Product(1, shape.Rank);

    /// <summary>Sees the layer's input once more.</summary>
    /// <param name="real">Of the real network.</param>
    /// <param name="rounded">Of the one that is rounded as far as this layer.</param>
    public void Add(Tensor real, Tensor rounded)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        TorchTensor x = Patches(rounded.ToTorch()), off = x - Patches(real.ToTorch());
        squares.Accumulate(torch.bmm(x, x.transpose(1, 2)));
        products.Accumulate(torch.bmm(off, x.transpose(1, 2)));
        seen += x.shape[2];
    }

    /// <summary>
    /// The layer's weights, each rounded to one of the two reals beside it that integers stand for, but for the largest of an output, which say what the scales
    /// are.
    /// </summary>
    /// <param name="quantization">That which the weights have in a graph of <see cref="PostTraining.Simulate"/>.</param>
    public Tensor Round(Quantization quantization)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.no_grad();
        TorchTensor scales = torch.tensor([.. quantization.Scales]).reshape(kernel.shape[0], -1, 1), steps = kernel / scales, nearest = steps.round(), floor = steps.floor(), rest = steps - floor;
        // Inputs that so few pictures have not shown count as much as the mean of those seen: the more there were, the less.
        TorchTensor form = squares.clone();
        form.diagonal(0, 1, 2).Accumulate(squares.diagonal(0, 1, 2).sum(1, keepdim: true).Over(Math.Max(1, seen)));
        TorchTensor free = rest.Plus(-0.5).abs().IsBelow(Undecided), linear = torch.bmm(kernel, products), slope = Slope(nearest);
        TorchTensor usual = (Off(nearest) * (slope - linear)).sum(2, keepdim: true).AtLeast(1e-30), before = Errors(nearest);
        TorchTensor choice = rest.Plus((Stretch - 1) / 2).Over(Stretch).logit().requires_grad_(true), mean = torch.zeros_like(choice), square = torch.zeros_like(choice);
        for (int step = 0; step < Steps; step++)
        {
            using DisposeScope inner = torch.NewDisposeScope();
            double done = ((double)step / Steps - Warm) / (1 - Warm), power = Hard + (Soft - Hard) * 0.5 * (1 + Math.Cos(done * Math.PI));
            TorchTensor pull = (Slope(floor.Plus(Up())) * scales).Times(2) / usual;
            TorchTensor gradient = Gradient(pull, done > 0 ? power : null);
            // Adam (Kingma and Ba 2015).
            mean.Scale(MeanDecay).Accumulate(gradient, 1 - MeanDecay);
            square.Scale(SquareDecay).Accumulate(gradient.Power(2), 1 - SquareDecay);
            TorchTensor spread = square.Over(1 - Math.Pow(SquareDecay, step + 1)).sqrt().Plus(1e-8);
            choice.Accumulate(mean / spread, -Rate / (1 - Math.Pow(MeanDecay, step + 1)));
        }
        TorchTensor learnt = torch.where(free, floor.Plus(Up().round()), nearest);
        return Weights(torch.where(Errors(learnt).lt(before), learnt, nearest) * scales);

        TorchTensor Gradient(TorchTensor pull, double? power)
        {
            using IDisposable gradients = torch.enable_grad();
            TorchTensor up = Up(), loss = (up * pull).sum();
            if (power is { } hardness) loss = loss.Plus((free * up.Times(2).Plus(-1).abs().Power(hardness).From(1)).sum().Times(Push));
            return torch.autograd.grad([loss], [choice])[0];
        }

        TorchTensor Up() => choice.sigmoid().Times(Stretch).Plus((1 - Stretch) / 2).Within(0, 1);

        TorchTensor Off(TorchTensor whole) => whole * scales - kernel;

        // With D, the rounding's error, an output is off by D x + W (x − real): its square is D S D' + 2 D P' W' and what doesn't depend on D.
        TorchTensor Slope(TorchTensor whole) => torch.bmm(Off(whole), form).Plus(linear);

        TorchTensor Errors(TorchTensor whole) => (Off(whole) * Slope(whole).Plus(linear)).sum(2, keepdim: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        kernel.Dispose();
        squares.Dispose();
        products.Dispose();
    }

    /// <summary>Weights as groups × outputs of a group × what an output reads.</summary>
    private TorchTensor Rows(TorchTensor weights) => (IsTurned ? weights.t() : weights).reshape(Groups, -1, Fan);

    /// <summary>Rows as the layer has its weights.</summary>
    private Tensor Weights(TorchTensor rows) => (IsTurned ? rows[0].t() : rows.reshape(layer.Inputs[1].Shape.ToTorch())).ToPenjing(ElementType.Float32);

    /// <summary>An input as groups × what an output reads × how often it reads.</summary>
    private TorchTensor Patches(TorchTensor x)
    {
        if (layer.Op is not Conv conv) return x.t().unsqueeze(0);
        Shape shape = layer.Inputs[1].Shape;
        TorchTensor padded = functional.pad(x, [conv.Padding.Left, conv.Padding.Right, conv.Padding.Top, conv.Padding.Bottom]);
        return functional.unfold(padded, (shape[2], shape[3]), (conv.Dilation.Height, conv.Dilation.Width), (0, 0), (conv.Stride.Height, conv.Stride.Width))
            .transpose(0, 1).reshape(Groups, Fan, -1);
    }
}
