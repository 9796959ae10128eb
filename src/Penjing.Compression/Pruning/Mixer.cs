namespace Penjing.Compression;

/// <summary>
/// One view of every layer that mixes channels by constant weights (Conv, ConvTranspose, Gemm, MatMul): outputs × inputs of its group × taps.
/// </summary>
/// <param name="Groups">How many groups the inputs and the outputs fall into; 1 for a dense layer.</param>
/// <param name="Inputs">Channels read, over all groups.</param>
/// <param name="Outputs">Channels yielded, over all groups.</param>
/// <param name="Taps">Weights between one input and one output.</param>
/// <param name="InputMajor">Whether the weights lie by inputs first: ConvTranspose's C×(M/groups)×taps, Gemm's K×N.</param>
/// <param name="InputAxis">The axis of the first operand that is summed over.</param>
/// <param name="OutputAxis">The axis of the result that the weights yield.</param>
internal readonly record struct Mixer(int Groups, int Inputs, int Outputs, int Taps, bool InputMajor, int InputAxis, int OutputAxis)
{
    /// <summary>Inputs of one group.</summary>
    public int Fan => Inputs / Groups;

    /// <summary>Outputs of one group.</summary>
    public int Yield => Outputs / Groups;

    /// <summary>Whether each group reads a single channel, so that an output lives and dies with its input: a depthwise convolution.</summary>
    public bool Carries => Groups > 1 && Fan == 1;

    /// <summary>Whether the groups tie the numbers of channels that may be cut: kept inputs, and kept outputs, must be equal in each.</summary>
    public bool Grouped => Groups > 1 && Fan > 1;

    /// <summary>Where the first tap between an output and an input of the output's group lies; the other taps follow.</summary>
    public int Index(int output, int inputOfGroup)
    {
        int group = output / Yield;
        return Taps * (InputMajor ? (group * Fan + inputOfGroup) * Yield + output % Yield : output * Fan + inputOfGroup);
    }

    /// <summary>The output channel of the weight that lies at an index.</summary>
    public int Output(int index) => InputMajor ? index / (Taps * Fan * Yield) * Yield + index / Taps % Yield : index / (Taps * Fan);

    /// <summary>The view of a node, or null where it is no such layer or its weights are no plain float constants.</summary>
    public static Mixer? Of(Node node)
    {
        if (node.Op is not (Conv or ConvTranspose or Gemm { TransposeA: false } or MatMul)) return null;
        if (node.Inputs.Skip(1).Any(input => input.Op is not Constant { Quantization: null, Value.Type: ElementType.Float32 })) return null;
        Shape w = node.Inputs[1].Shape;
        return node.Op switch
        {
            Conv conv => new(conv.Groups, w[1] * conv.Groups, w[0], w[2] * w[3], false, 1, 1),
            ConvTranspose conv => new(conv.Groups, w[0], w[1] * conv.Groups, w[2] * w[3], true, 1, 1),
            Gemm { TransposeB: true } => new(1, w[1], w[0], 1, false, 1, 1),
            Gemm => new(1, w[0], w[1], 1, true, 1, 1),
            MatMul when w.Rank == 2 && node.Inputs[0].Shape.Rank >= 2 => new(1, w[0], w[1], 1, true, node.Inputs[0].Shape.Rank - 1, node.Shape.Rank - 1),
            _ => null,
        };
    }

    /// <summary>The weights' shape for other counts of groups, inputs and outputs.</summary>
    public static Shape Resized(Node node, Mixer resized)
    {
        Shape w = node.Inputs[1].Shape;
        Shape matrix = resized.InputMajor ? [resized.Inputs, resized.Yield] : [resized.Outputs, resized.Fan];
        return w.Rank == 2 ? matrix : [matrix[0], matrix[1], w[2], w[3]];
    }
}
