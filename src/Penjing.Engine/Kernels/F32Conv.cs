using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolution and transposed convolution as products without im2col: a row of the left matrix is an output pixel, its segments are the input
/// pixels under the kernel's taps, read where they lie, or zeros outside the picture (Dukhan, The Indirect Convolution Algorithm, 2019).
/// </summary>
internal readonly struct F32Conv : IKernelMaker
{
    private const int MostTaps = 4096;

    /// <summary>Whether the node is a convolution with constant weights.</summary>
    public static bool Fits(Site site) => site.Node is { Op: Conv or FusedConv or ConvTranspose, Inputs: [{ Value: null }, { Value: { } weights }, .. var rest] }
        && weights.Shape.Product(2, 4) <= MostTaps && rest is [] or [{ Value: not null }, .. [] or [{ Value: null }]];

    /// <summary>About how many nanoseconds a site takes on one thread: multiplications, the tiles' ends, and bytes that must come and go.</summary>
    public static double Cost(Site site)
    {
        (Node node, int lanes) = (site.Node, site.Isa.Lanes());
        Shape weights = node.Inputs[1].Shape;
        (int channels, int groups, int taps) = node.Op is ConvTranspose transposed
            ? (weights[0] / transposed.Groups, transposed.Groups, Math.Max(1, weights.Product(2, 4) / (transposed.Stride.Height * transposed.Stride.Width)))
            : (weights[1], FusedConv.Of(node)!.Conv.Groups, weights.Product(2, 4));
        double rows = (double)node.Shape.Elements / node.Shape[1], columns = node.Shape[1] / groups, height = site.Isa.TileRows();
        double vectors = Math.Ceiling(columns / lanes), tiles = Math.Ceiling(rows / height) * groups, panels = Math.Ceiling(vectors / 2);
        // Two fused multiply-adds a cycle, four cycles long: fewer than eight sums wait for each other.
        double step = Math.Max(rows * groups / tiles * vectors / 2, 4 * panels);
        int segments = FusedConv.Of(node) is { } conv ? taps / Joined(site, conv) : taps;
        double cycles = tiles * (step * channels * taps + panels * (40 + 8 * segments) + height * segments * 4);
        double values = sizeof(float) * (node.Inputs[0].Shape.Elements + 2.0 * node.Shape.Elements);
        return Pace.Nanoseconds(cycles, values, sizeof(float) * (double)weights.Elements);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged
    {
        if (FusedConv.Of(site.Node) is { } fused) return new F32Conv<S, V>(site, [PixelGrid.Of(site.Node, fused.Conv, Joined(site, fused))], fused);
        var transposed = (ConvTranspose)site.Node.Op;
        return new F32Conv<S, V>(site, Phases(site.Node, transposed), new(new() { Groups = transposed.Groups }, [], Adds: false));
    }

    /// <summary>How many taps make one segment: where the channels are few, those of a kernel row, neighbours in memory.</summary>
    private static int Joined(Site site, FusedConv fused)
    {
        (int channels, int width) = (site.Node.Inputs[1].Shape[1], site.Node.Inputs[1].Shape[3]);
        return site.InputPitches[0] == channels && fused.Conv.Dilation.Width == 1 && fused.Order.Count == 0 && channels * width <= 64 ? width : 1;
    }

    /// <summary>The grids of a transposed convolution: the output pixels of equal remainder by the stride have the same taps.</summary>
    private static PixelGrid[] Phases(Node node, ConvTranspose conv)
    {
        Shape kernel = node.Inputs[1].Shape;
        (int down, int across) = (conv.Stride.Height, conv.Stride.Width);
        return
        [
            .. from top in Enumerable.Range(0, Math.Min(down, node.Shape[2]))
               from left in Enumerable.Range(0, Math.Min(across, node.Shape[3]))
               let count = new Size((node.Shape[2] - top + down - 1) / down, (node.Shape[3] - left + across - 1) / across)
               select new PixelGrid(new(top, left), conv.Stride, count, Size.One, 1,
               [
                   .. from y in Enumerable.Range(0, kernel[2])
                      from x in Enumerable.Range(0, kernel[3])
                      let fromTop = top + conv.Padding.Top - y * conv.Dilation.Height
                      let fromLeft = left + conv.Padding.Left - x * conv.Dilation.Width
                      where fromTop % down == 0 && fromLeft % across == 0
                      select new KernelTap(y * kernel[3] + x, fromTop / down, fromLeft / across),
               ]),
        ];
    }
}

/// <summary>A convolution of floats.</summary>
internal sealed unsafe class F32Conv<S, V> : ConvProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>The kernel of a site: the grids of its output, and how many groups it has, in which order it reads channels, whether it adds, what follows.</summary>
    public F32Conv(Site site, PixelGrid[] grids, FusedConv conv)
        : base(site, grids, conv, Channels(site.Node, conv), site.InputPitches[0], site.OutputPitch * sizeof(float))
    {
        Pack(site.Node, grids, conv.Conv.Groups, Channels(site.Node, conv));
    }

    /// <inheritdoc/>
    public override string Label => $"f32-gemm-conv-{Tile}";

    /// <inheritdoc/>
    protected override float* Left(in Operands operands) => operands.Input(0);

    /// <summary>Channels of the input that a group reads.</summary>
    private static int Channels(Node node, FusedConv conv) => (conv.Order.Count > 0 ? conv.Order.Count : node.Inputs[0].Shape[1]) / conv.Conv.Groups;

    private void Pack(Node node, PixelGrid[] grids, int groups, int channels)
    {
        int columns = node.Shape[1] / groups;
        Shape kernel = node.Inputs[1].Shape;
        int size = kernel.Product(2, 4);
        bool transposed = node.Op is ConvTranspose;
        (int acrossChannels, int acrossColumns) = transposed ? (columns * size, size) : (size, channels * size);
        fixed (float* weights = node.Inputs[1].Value!.Floats, bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.Floats : default)
        {
            for (int part = 0; part < grids.Length; part++)
            {
                int[] depths = [.. grids[part].Taps.SelectMany(tap => Enumerable.Range(0, channels).Select(c => tap.Index + c * acrossChannels))];
                PanelLayout layout = Packed(part);
                for (int group = 0; group < groups; group++)
                    for (int panel = 0; panel < layout.Count; panel++)
                        layout.Pack(Panels(part, group), panel,
                            weights + (nint)group * (transposed ? channels * acrossChannels : columns * acrossColumns), depths, acrossColumns, 1,
                            bias is null ? null : bias + group * columns);
            }
        }
    }
}
