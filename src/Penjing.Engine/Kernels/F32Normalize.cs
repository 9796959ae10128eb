using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>BatchNormalization by itself, where its channels are the last axis in memory.</summary>
internal readonly struct F32Normalize : IKernelMaker
{
    /// <summary>Whether the node is a normalization of pictures or rows with constant parameters.</summary>
    public static bool Fits(Node node) => node.Op is BatchNormalization && node.Shape.Rank is 2 or 4
        && node.Inputs[0].Value is null && node.Inputs.Skip(1).All(input => input.Value is not null);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Normalize<S, V>(site.Node);
}

/// <summary>x · scale + shift, channel by channel.</summary>
internal sealed unsafe class F32Normalize<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int channels;
    private readonly NativeBuffer scales;
    private readonly Split split;

    /// <summary>The kernel of a node.</summary>
    public F32Normalize(Node node)
    {
        channels = node.Shape[1];
        scales = new(2L * channels * sizeof(float));
        float epsilon = ((BatchNormalization)node.Op).Epsilon;
        for (int c = 0; c < channels; c++)
        {
            double scale = node.Inputs[1].Value!.Floats[c] / Math.Sqrt(node.Inputs[4].Value!.Floats[c] + (double)epsilon);
            scales.Floats[c] = (float)scale;
            scales.Floats[channels + c] = (float)(node.Inputs[2].Value!.Floats[c] - node.Inputs[3].Value!.Floats[c] * scale);
        }
        split = Split.Of(node.Shape.Elements / channels, channels);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-normalize-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == 0;

    /// <inheritdoc/>
    public override void Dispose() => scales.Dispose();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        float* source = operands.Input(0) + (nint)first * channels, target = operands.Output + (nint)first * channels;
        float* scale = scales.Floats, shift = scale + channels;
        for (; count > 0; count--, source += channels, target += channels)
        {
            int c = 0;
            for (; c <= channels - S.Lanes; c += S.Lanes)
                S.Store(target + c, S.MultiplyAdd(S.Load(source + c), S.Load(scale + c), S.Load(shift + c)));
            int rest = channels - c;
            if (rest > 0) S.StorePart(target + c, S.MultiplyAdd(S.LoadPart(source + c, rest), S.LoadPart(scale + c, rest), S.LoadPart(shift + c, rest)), rest);
        }
    }
}
