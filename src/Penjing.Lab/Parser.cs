using System.Collections.Immutable;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>A network that answers each pixel, at work on pictures of any size.</summary>
public sealed class Parser : IDisposable
{
    private readonly Preprocessing preprocessing;
    private readonly SessionOptions options;
    private readonly Session session;
    private readonly Shape input, output;

    /// <summary>A parser of a network.</summary>
    /// <exception cref="PenjingException">The network doesn't answer each pixel, or doesn't say how a picture becomes its input.</exception>
    public Parser(Model model, SessionOptions options)
    {
        if (model.Graph is not { Inputs: [{ Shape: { Rank: 4 }, Info.Type: ElementType.Float32 }], Outputs: [{ Shape: { Rank: 4 } logits, Info.Type: ElementType.Float32 }] } || logits[2] * logits[3] == 1)
            throw new ShapeException($"the network makes {string.Join(", ", model.Graph.Outputs.Select(one => one.Info))} of {string.Join(", ", model.Graph.Inputs.Select(one => one.Info))}: "
                + "a parser takes one Float32 picture and yields a value for each class and pixel (N×classes×H×W); for a class a picture, use `penjing run`");
        if (logits[1] > Training.Split.Unlabelled) throw new ShapeException($"the network tells {logits[1]} classes apart: a mask has room for {Training.Split.Unlabelled}");
        preprocessing = model.Preprocessing ?? throw new PenjingException("the model doesn't say how a picture becomes its input: note it by `penjing convert --preprocessing`");
        this.options = options;
        session = new(model, options with { Batch = 1 });
        (input, output) = (session.Inputs[0].Info.Shape, session.Outputs[0].Info.Shape);
        Colors = model.Colors.Length >= output[1] ? model.Colors : Usual(output[1]);
    }

    /// <summary>The colour of each class, as 0xRRGGBB: the model's, or where it has none, those of the PASCAL VOC masks.</summary>
    public ImmutableArray<int> Colors { get; }

    /// <summary>
    /// The likeliest class of each of a picture's pixels: logits are enlarged to the picture's size, bilinearly. What the network doesn't see of the picture, where its
    /// preprocessing cuts edges off, is of class 0.
    /// </summary>
    public MaskFile Parse(Picture picture, CancellationToken stop = default)
    {
        var logits = new float[output.Elements];
        session.Run(picture.ToInput(preprocessing, input).Floats, logits, stop);
        (double left, double top, double width, double height) = Resampling.Part(picture.Size, new(input[2], input[3]), preprocessing.Fit);
        Size seen = new((int)Math.Round(height), (int)Math.Round(width));
        byte[] classes = Likeliest(logits, seen, stop), all = new byte[picture.Size.Height * picture.Size.Width];
        for (int row = 0; row < seen.Height; row++)
            classes.AsSpan(row * seen.Width, seen.Width).CopyTo(all.AsSpan((row + (int)top) * picture.Size.Width + (int)left));
        return new(picture.Size, all, Colors);
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    /// <summary>The likeliest class of each pixel of the enlarged logits, of which no more than one class's are there at a time; of equal ones, the first.</summary>
    private byte[] Likeliest(float[] logits, Size size, CancellationToken stop)
    {
        int pixels = output[2] * output[3];
        Node enlarged = new("enlarged", new Resize(size, ResizeMode.Linear), new Node("logits", new Input(ElementType.Float32, [1, 1, output[2], output[3]])));
        using Session resize = new(new Graph(enlarged), new(options.Threads));
        float[] plane = new float[enlarged.Shape.Elements], best = new float[plane.Length];
        var likeliest = new byte[plane.Length];
        Array.Fill(best, float.NegativeInfinity);
        for (int label = 0; label < output[1]; label++)
        {
            resize.Run(logits.AsSpan(label * pixels, pixels), plane, stop);
            for (int i = 0; i < plane.Length; i++)
                if (plane[i] > best[i]) (best[i], likeliest[i]) = (plane[i], (byte)label);
        }
        return likeliest;
    }

    /// <summary>The bits of a class's number, from the lowest on, are in turns the highest free bit of red, green and blue.</summary>
    private static ImmutableArray<int> Usual(int classes) => [.. Enumerable.Range(0, classes).Select(label =>
        Enumerable.Range(0, 8).Sum(bit => (label >> bit & 1) << 8 * (2 - bit % 3) + 7 - bit / 3))];
}
