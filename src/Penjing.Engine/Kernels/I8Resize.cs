using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Resize of 8-bit integers, nearest or bilinear: the two lines that an output line lies between are mixed into scratch memory, and of these pixels all channels of each output
/// pixel. The sums are the reference's whole parts, exact as floats.
/// </summary>
internal readonly struct I8Resize : IKernelMaker
{
    /// <summary>Whether the node is one.</summary>
    public static bool Fits(Site site) => site.IsDense && site.Node is { Op: Resize, Info.Type: ElementType.Int8 or ElementType.UInt8, Inputs: [{ Value: null, Shape.Elements: > 0 }], Shape.Elements: > 0 };

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Resize<S, V>(site);
}

/// <inheritdoc cref="I8Resize"/>
internal sealed unsafe class I8Resize<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly bool nearest;
    private readonly int channels, height, width, zero, seats;
    private readonly (int Near, int Far, int Part)[] rows, columns;
    private readonly UnsignedBytes read;
    private readonly Split split;

    /// <summary>The kernel of a site.</summary>
    public I8Resize(Site site)
    {
        (Node node, Resize resize, Shape input) = (site.Node, (Resize)site.Node.Op, site.Node.Inputs[0].Shape);
        (channels, height, width, nearest) = (input[1], input[2], input[3], resize.Mode is ResizeMode.Nearest);
        (rows, columns) = (resize.WholePlaces(resize.Rows(height), height), resize.WholePlaces(resize.Columns(width), width));
        zero = node.Info.Quantization!.ZeroPoints[0];
        read = new(node.Info.Type, zero);
        split = Split.Of(input[0] * rows.Length, (nearest ? 0.25 : 2.0) * (columns.Length + width) * channels);
        seats = nearest ? 0 : split.Tasks == 1 ? 1 : site.Seats;
    }

    /// <inheritdoc/>
    public override string Label => $"i8-resize-{(nearest ? "nearest" : "linear")}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override long ScratchBytes => nearest ? 0 : Split.ScratchBytes(seats, (nint)width * channels);

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        int line = width * channels;
        float* mixed = (float*)operands.Scratch + (seats == 1 ? 0 : operands.Seat * Split.Seat(line));
        for (int i = first; i < first + count; i++)
        {
            (int near, int far, int down) = rows[i % rows.Length];
            byte* picture = operands.Input<byte>(0) + (nint)(i / rows.Length) * height * line, target = operands.Out<byte>() + (nint)i * columns.Length * channels;
            if (nearest)
                foreach ((int left, _, _) in columns)
                {
                    Unsafe.CopyBlockUnaligned(target, picture + (nint)near * line + (nint)left * channels, (uint)channels);
                    target += channels;
                }
            else
            {
                Down(picture + (nint)near * line, picture + (nint)far * line, mixed, line, down);
                Across(mixed, target);
            }
        }
    }

    /// <summary>Two lines mixed, in <see cref="Resize.Parts"/> of a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Down(byte* top, byte* bottom, float* target, int count, int down)
    {
        V upper = S.Fill(Resize.Parts - down), lower = S.Fill(down);
        byte flip = read.Flip;
        int i = 0;
        for (; i <= count - S.Lanes; i += S.Lanes) S.Store(target + i, S.MultiplyAdd(S.LoadBytes(bottom + i, flip, S.Lanes), lower, S.Multiply(S.LoadBytes(top + i, flip, S.Lanes), upper)));
        if (i < count) S.StorePart(target + i, S.MultiplyAdd(S.LoadBytes(bottom + i, flip, count - i), lower, S.Multiply(S.LoadBytes(top + i, flip, count - i), upper)), count - i);
    }

    /// <summary>An output line's pixels of the line that was mixed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Across(float* line, byte* target)
    {
        const float whole = Resize.Parts * Resize.Parts;
        V less = S.Fill(-read.Zero);
        int last = channels - S.Lanes, added = zero;
        fixed ((int Near, int Far, int Part)* places = columns)
            for ((int Near, int Far, int Part)* place = places, end = places + columns.Length; place < end; place++, target += channels)
            {
                float* near = line + (nint)place->Near * channels, far = line + (nint)place->Far * channels;
                V left = S.Fill((Resize.Parts - place->Part) / whole), right = S.Fill(place->Part / whole);
                int i = 0;
                for (; i <= last; i += S.Lanes) S.StoreBytes(target + i, S.Add(S.MultiplyAdd(S.Load(far + i), right, S.Multiply(S.Load(near + i), left)), less), added, S.Lanes);
                if (i == channels) continue;
                // The last of many channels overlap those before them.
                if (last > 0) S.StoreBytes(target + last, S.Add(S.MultiplyAdd(S.Load(far + last), right, S.Multiply(S.Load(near + last), left)), less), added, S.Lanes);
                else S.StoreBytes(target, S.Add(S.MultiplyAdd(S.LoadPart(far, channels), right, S.Multiply(S.LoadPart(near, channels), left)), less), added, channels);
            }
    }
}
