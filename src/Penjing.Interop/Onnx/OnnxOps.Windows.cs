using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Convolutions and pools; those of one axis are those of pictures of one row.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Windows =>
    [
        ("Conv", Conv),
        ("ConvTranspose", ConvTranspose),
        ("MaxPool", MaxPool),
        ("AveragePool", AveragePool),
        ("LpPool", LpPool),
        ("GlobalAveragePool", node => Whole(node, new GlobalAveragePool(), axes => new ReduceMean(axes))),
        ("GlobalMaxPool", node => Whole(node, new GlobalMaxPool(), axes => new ReduceMax(axes))),
        ("GlobalLpPool", node => Whole(node, null, axes => node.Int("p", 2) switch
        {
            1 => new ReduceL1(axes),
            2 => new ReduceL2(axes),
            var p => throw new ModelFormatException($"the attribute 'p' is {p}; understood are 1 and 2"),
        })),
    ];

    /// <summary>What windows have in common.</summary>
    private sealed record Window(Size Kernel, Size Stride, Size Dilation, Padding Padding)
    {
        /// <summary>The window of a node over a picture, of two axes or, where <paramref name="flat"/>, of one.</summary>
        public static Window Of(OnnxNode node, bool flat, Size input, Size? given, Func<Window, Padding>? automatic = null)
        {
            Ints? kernels = node.Ints("kernel_shape");
            Size kernel = Pair("kernel_shape", kernels, given ?? default);
            if (given is { } own && kernel != own) throw new ModelFormatException($"kernel_shape says {kernel}, but the kernel is {own}");
            if (given is null && kernels is null) throw new ModelFormatException("the attribute 'kernel_shape' is missing");
            var window = new Window(kernel, Pair("strides", node.Ints("strides"), Size.One), Pair("dilations", node.Ints("dilations"), Size.One), default);
            if (window.Stride is not { Height: > 0, Width: > 0 } || window.Dilation is not { Height: > 0, Width: > 0 }
                || kernel is not { Height: > 0, Width: > 0 })
                throw new ModelFormatException($"kernels, strides and dilations are positive, not {kernel}, {window.Stride}, {window.Dilation}");
            Ints? pads = node.Ints("pads");
            string auto = node.Text("auto_pad", "NOTSET");
            return auto switch
            {
                "SAME_UPPER" or "SAME_LOWER" when automatic is not null => window with { Padding = automatic(window) },
                "SAME_UPPER" => window with { Padding = Same(window, input) },
                "SAME_LOWER" => window with { Padding = Lower(Same(window, input)) },
                "VALID" => window,
                "NOTSET" or "" => window with { Padding = Sides(pads) },
                _ => throw new ModelFormatException($"the attribute 'auto_pad' is '{auto}'; understood are NOTSET, SAME_UPPER, SAME_LOWER, VALID"),
            };

            Size Pair(string name, Ints? values, Size otherwise) => values is not { } list ? otherwise
                : list.Count != (flat ? 1 : 2) ? throw new ModelFormatException($"{name} has {list.Count} values for {(flat ? 1 : 2)} axes")
                : flat ? new(1, list[0]) : new(list[0], list[1]);

            Padding Sides(Ints? values) => values is not { } list ? default
                : list.Count != (flat ? 2 : 4) ? throw new ModelFormatException($"pads has {list.Count} values for {(flat ? 1 : 2)} axes")
                : flat ? new(0, list[0], 0, list[1]) : new(list[0], list[1], list[2], list[3]);
        }

        private static Padding Same(Window window, Size input)
        {
            if (window.Kernel.Height > 1 << 20 || window.Kernel.Width > 1 << 20 || window.Dilation.Height > 1 << 10 || window.Dilation.Width > 1 << 10
                || window.Stride.Height > 1 << 20 || window.Stride.Width > 1 << 20 || input.Height > 1 << 30 || input.Width > 1 << 30)
                throw new ModelFormatException($"the kernel {window.Kernel}, stride {window.Stride} and dilation {window.Dilation} are beyond all measure");
            return Padding.Same(input, window.Kernel, window.Stride, window.Dilation);
        }

        /// <summary>The odd row and column at the beginning.</summary>
        public static Padding Lower(Padding upper) => new(upper.Bottom, upper.Right, upper.Top, upper.Left);
    }

    /// <summary>A value as pictures, of one row where it has one axis beside N and C.</summary>
    private static (Node Pictures, bool Flat) Pictured(OnnxNode node, Node x) => x.Shape.Rank switch
    {
        3 => (node.Part($"picture of {x.Name}", new Unsqueeze([2]), x), true),
        4 => (x, false),
        5 => throw new ModelFormatException($"3-D volumes such as {x.Shape} are not supported; understood are N×C×W and N×C×H×W"),
        _ => throw new ModelFormatException($"it takes N×C×W or N×C×H×W, not {x.Shape}"),
    };

    private static Node Slid(OnnxNode node, bool flat, Op op, params ImmutableArray<Node> from) =>
        flat ? node.Make(new Squeeze([2]), node.Part("row", op, from)) : node.Make(op, from);

    private static Size Extent(Node pictures) => new(pictures.Shape[2], pictures.Shape[3]);

    private static Node Conv(OnnxNode node)
    {
        node.Takes(2, 3);
        (Node x, bool flat) = Pictured(node, node[0]);
        (Conv op, Node kernel) = Convolution(node, x, flat, node[1]);
        return node.Optional(2) is { } bias ? Slid(node, flat, op, x, kernel, bias) : Slid(node, flat, op, x, kernel);
    }

    private static (Conv Op, Node Kernel) Convolution(OnnxNode node, Node x, bool flat, Node given)
    {
        Node kernel = Kernel(node, flat, given);
        Window window = Window.Of(node, flat, Extent(x), Extent(kernel));
        return (new(window.Stride, window.Padding, window.Dilation, node.Small("group", 1)), kernel);
    }

    private static Node Kernel(OnnxNode node, bool flat, Node given)
    {
        if (given.Shape.Rank != (flat ? 3 : 4)) throw new ModelFormatException($"the kernel {given.Shape} is not for {(flat ? 1 : 2)} axes");
        if (!flat) return given;
        return given.Op is Constant { Quantization: null } constant
            ? node.Import.Weight(given.Name, constant.Value.Reshape([given.Shape[0], given.Shape[1], 1, given.Shape[2]]))
            : node.Part($"picture of {given.Name}", new Unsqueeze([2]), given);
    }

    private static Node ConvTranspose(OnnxNode node)
    {
        node.Takes(2, 3);
        (Node x, bool flat) = Pictured(node, node[0]);
        Node kernel = Kernel(node, flat, node[1]);
        Size extent = Extent(x), beyond = Two("output_padding") ?? default;
        bool upper = node.Text("auto_pad", "NOTSET") == "SAME_UPPER";
        Size? wanted = Two("output_shape");
        Window window = Window.Of(node, flat, extent, Extent(kernel), window =>
            Total(window, new(Scaled(extent.Height, window.Stride.Height), Scaled(extent.Width, window.Stride.Width))));
        if (wanted is { } output) window = window with { Padding = Total(window, output) };
        Padding padding = new(Math.Max(0, window.Padding.Top), Math.Max(0, window.Padding.Left), Math.Max(0, window.Padding.Bottom),
            Math.Max(0, window.Padding.Right));
        beyond = new(Less(beyond.Height, Cut(window.Padding.Top, window.Padding.Bottom)), Less(beyond.Width, Cut(window.Padding.Left, window.Padding.Right)));
        var op = new ConvTranspose(window.Stride, padding, window.Dilation, beyond, node.Small("group", 1));
        return node.Optional(2) is { } bias ? Slid(node, flat, op, x, kernel, bias) : Slid(node, flat, op, x, kernel);

        // The padding that makes an output of the wanted size; where it would be negative, the output grows at its end.
        Padding Total(Window window, Size output)
        {
            int height = One(extent.Height, window.Kernel.Height, window.Stride.Height, window.Dilation.Height, beyond.Height, output.Height);
            int width = One(extent.Width, window.Kernel.Width, window.Stride.Width, window.Dilation.Width, beyond.Width, output.Width);
            var lower = new Padding(height - Math.Max(0, height / 2), width - Math.Max(0, width / 2), Math.Max(0, height / 2), Math.Max(0, width / 2));
            return upper ? Window.Lower(lower) : lower;
        }

        static int One(long input, long kernel, long stride, long dilation, long beyond, long output) =>
            OnnxNode.Small(stride * (input - 1) + beyond + (kernel - 1) * dilation + 1 - output, "the padding");

        static int Less(long extent, int cut) => OnnxNode.Small(extent - cut, "the output padding");

        static int Scaled(long extent, long stride) => OnnxNode.Small(extent * stride, "the output's extent");

        static int Cut(int before, int after) => OnnxNode.Small((long)Math.Min(0, before) + Math.Min(0, after), "the padding");

        Size? Two(string name) => node.Ints(name) is not { } list ? null
            : flat && list.Count is 1 or 3 ? new(name == "output_shape" ? 1 : 0, list[^1])
            : !flat && list.Count is 2 or 4 ? new(list[^2], list[^1])
            : throw new ModelFormatException($"{name} has {list.Count} values for {(flat ? 1 : 2)} axes");
    }

    private static Node MaxPool(OnnxNode node)
    {
        node.Takes(1, 1);
        bool columns = node.Flag("storage_order");
        (Node x, bool flat) = Pictured(node, node[0]);
        Window window = Window.Of(node, flat, Extent(x), null);
        var op = new MaxPool(window.Kernel, window.Stride, window.Padding, window.Dilation, node.Flag("ceil_mode"));
        node.Yield(1, () => Indices(node, x, flat, op, columns));
        return Slid(node, flat, op, x);
    }

    private static Node AveragePool(OnnxNode node)
    {
        node.Takes(1, 1);
        (Node x, bool flat) = Pictured(node, node[0]);
        return Slid(node, flat, Average(node, flat, x, node.Flag("count_include_pad")).Op, x);
    }

    private static (AveragePool Op, Size Kernel) Average(OnnxNode node, bool flat, Node x, bool countPadding)
    {
        Window window = Window.Of(node, flat, Extent(x), null);
        if (window.Dilation != Size.One) throw new ModelFormatException($"dilations other than 1 are not supported, but it has {window.Dilation}");
        return (new(window.Kernel, window.Stride, window.Padding, node.Flag("ceil_mode"), countPadding), window.Kernel);
    }

    /// <summary>The root of the window's area times the mean of the p-th powers, padding being zeros.</summary>
    private static Node LpPool(OnnxNode node)
    {
        node.Takes(1, 1);
        (Node x, bool flat) = Pictured(node, node[0]);
        long p = node.Int("p", 2);
        (AveragePool op, Size kernel) = Average(node, flat, x, true);
        if (op.CeilMode)
        {
            // The last window is counted whole: what it reaches over is padding.
            Shape y = op.Infer([x.Info]).Shape;
            Padding whole = op.Padding with
            {
                Bottom = Math.Max(op.Padding.Bottom, (y[2] - 1) * op.Stride.Height + kernel.Height - x.Shape[2] - op.Padding.Top),
                Right = Math.Max(op.Padding.Right, (y[3] - 1) * op.Stride.Width + kernel.Width - x.Shape[3] - op.Padding.Left),
            };
            op = op with { CeilMode = false, Padding = whole };
        }
        Node powers = node.Part("powers", new Pow(), node.Part("sizes", new Unary(UnaryFunction.Abs), x), node.Number("p", x, p));
        Node sums = node.Part("sums", new Mul(), node.Part("means", op, powers), node.Number("area", x, (double)kernel.Height * kernel.Width));
        Node root = node.Number("root", x, 1.0 / p);
        return flat ? node.Make(new Squeeze([2]), node.Part("row", new Pow(), sums, root)) : node.Make(new Pow(), sums, root);
    }

    /// <summary>Whole pictures; those of one axis or of three are reduced along these.</summary>
    private static Node Whole(OnnxNode node, Op? op, Func<Ints, Op> reduce)
    {
        node.Takes(1, 1);
        Node x = node[0];
        if (x.Shape.Rank < 3) throw new ModelFormatException($"it takes N×C and more axes, not {x.Shape}");
        Op reduction = reduce([.. Enumerable.Range(2, x.Shape.Rank - 2)]);
        return node.Make(x.Shape.Rank == 4 && op is not null ? op : reduction, x);
    }
}
