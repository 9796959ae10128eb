using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Softmax along one axis.</summary>
internal readonly struct F32Softmax : IKernelMaker
{
    /// <summary>Whether the node is a softmax.</summary>
    public static bool Fits(Node node) => node.Op is Softmax && node.Inputs[0].Value is null;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged =>
        new F32Softmax<S, V>(Around.Of(site.Node.Shape, [((Softmax)site.Node.Op).Axis], site.Node.Shape)!.Value);
}

/// <summary>Softmax of rows, each vector by vector; or of columns, a vector of them at a time.</summary>
internal sealed unsafe class F32Softmax<S, V>(Around view) : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int blocks = (view.Inner + S.Lanes - 1) / S.Lanes;
    private readonly Split split = Split.Of(view.Outer * ((view.Inner + S.Lanes - 1) / S.Lanes), 8.0 * view.Extent * Math.Min(view.Inner, S.Lanes));

    /// <inheritdoc/>
    public override string Label => $"f32-softmax-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int i = first; i < first + count; i++)
        {
            int c = i % blocks * S.Lanes;
            nint at = (nint)(i / blocks) * view.Extent * view.Inner + c;
            if (view.Inner == 1) Row(operands.Input(0) + at, operands.Output + at);
            else if (view.Inner - c >= S.Lanes) Column<AllLanes>(operands.Input(0) + at, operands.Output + at, S.Lanes);
            else Column<FirstLanes>(operands.Input(0) + at, operands.Output + at, view.Inner - c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Column<L>(float* source, float* target, int count) where L : struct, ILanes
    {
        V largest = S.Fill(float.NegativeInfinity), sum = S.Fill(0), minus = S.Fill(-1);
        for (int i = 0; i < view.Extent; i++) largest = S.AtLeast(L.Load<S, V>(source + (nint)i * view.Inner, count), largest);
        for (int i = 0; i < view.Extent; i++)
        {
            V e = Functions<S, V>.Exp(S.MultiplyAdd(largest, minus, L.Load<S, V>(source + (nint)i * view.Inner, count)));
            sum = S.Add(sum, e);
            L.Store<S, V>(target + (nint)i * view.Inner, e, count);
        }
        V scale = S.Divide(S.Fill(1), sum);
        for (int i = 0; i < view.Extent; i++)
            L.Store<S, V>(target + (nint)i * view.Inner, S.Multiply(L.Load<S, V>(target + (nint)i * view.Inner, count), scale), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row(float* source, float* target)
    {
        int extent = view.Extent, i = 0;
        float* lanes = stackalloc float[S.Lanes];
        V most = S.Fill(float.NegativeInfinity), sums = S.Fill(0);
        for (; i <= extent - S.Lanes; i += S.Lanes) most = S.AtLeast(S.Load(source + i), most);
        S.Store(lanes, most);
        float largest = float.NegativeInfinity, sum = 0;
        for (int lane = 0; lane < S.Lanes; lane++) largest = Scalar.AtLeast(lanes[lane], largest);
        for (; i < extent; i++) largest = Scalar.AtLeast(source[i], largest);
        for (i = 0; i <= extent - S.Lanes; i += S.Lanes)
        {
            V e = Functions<S, V>.Exp(S.Add(S.Load(source + i), S.Fill(-largest)));
            sums = S.Add(sums, e);
            S.Store(target + i, e);
        }
        S.Store(lanes, sums);
        for (int lane = 0; lane < S.Lanes; lane++) sum += lanes[lane];
        for (; i < extent; i++) sum += target[i] = Functions<Scalar, float>.Exp(source[i] - largest);
        float scale = 1 / sum;
        for (i = 0; i <= extent - S.Lanes; i += S.Lanes) S.Store(target + i, S.Multiply(S.Load(target + i), S.Fill(scale)));
        for (; i < extent; i++) target[i] *= scale;
    }
}
