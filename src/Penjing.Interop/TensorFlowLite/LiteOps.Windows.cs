using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>Convolutions, products, pools and pictures of another size.</content>
internal static partial class LiteOps
{
    private const int MostStride = 1 << 20;

    private static (string, Func<LiteNode, Node>)[] Windows =>
    [
        ("CONV_2D", Conv),
        ("DEPTHWISE_CONV_2D", Depthwise),
        ("TRANSPOSE_CONV", Transposed),
        ("FULLY_CONNECTED", Product),
        ("AVERAGE_POOL_2D", node => Pool(node, (kernel, stride, padding) => new AveragePool(kernel, stride, padding))),
        ("MAX_POOL_2D", node => Pool(node, (kernel, stride, padding) => new MaxPool(kernel, stride, padding))),
        ("RESIZE_BILINEAR", node => Resized(node, ResizeMode.Linear)),
        ("RESIZE_NEAREST_NEIGHBOR", node => Resized(node, ResizeMode.Nearest)),
        ("SPACE_TO_BATCH_ND", SpaceToBatch),
        ("BATCH_TO_SPACE_ND", BatchToSpace),
    ];

    private static Node Conv(LiteNode node)
    {
        node.Takes(2, 3);
        Node x = Pictures(node, 0), w = Kernel(node.Ordered(1, 0, 3, 1, 2));
        if (w.Shape[1] == 0 || x.Shape[1] % w.Shape[1] != 0) throw new ModelFormatException($"the input {x.Shape} and the kernel {w.Shape} don't fit");
        return Convolved(node, x, w, x.Shape[1] / w.Shape[1]);
    }

    private static Node Depthwise(LiteNode node)
    {
        node.Takes(2, 3);
        return Convolved(node, Pictures(node, 0), Kernel(node.Ordered(1, 3, 0, 1, 2)), Pictures(node, 0).Shape[1]);
    }

    private static Node Convolved(LiteNode node, Node x, Node w, int groups)
    {
        Size dilation = Checked("dilation", node.Int("dilation_h_factor"), node.Int("dilation_w_factor")), stride = Stride(node);
        Padding padding = Around(node, x, new(w.Shape[2], w.Shape[3]), stride, dilation);
        return node.Activated(new Conv(stride, padding, dilation, groups), [x, w, .. Bias(node, 2)]);
    }

    /// <summary>The output's size is an input; where it is more than windows reach, zeros stand behind.</summary>
    private static Node Transposed(LiteNode node)
    {
        node.Takes(3, 4);
        if (node.Ints(0) is not [_, var height, var width, _]) throw new ModelFormatException("input 0 is no shape of pictures");
        Node x = Pictures(node, 2), w = Kernel(node.Ordered(1, 3, 0, 1, 2));
        Size stride = Stride(node);
        (int top, int bottom, int below) = Cut(x.Shape[2], w.Shape[2], stride.Height, height);
        (int left, int right, int beside) = Cut(x.Shape[3], w.Shape[3], stride.Width, width);
        return node.Activated(new ConvTranspose(stride, new(top, left, bottom, right), Size.One, new(below, beside)), [x, w, .. Bias(node, 3)]);

        static (int Before, int After, int Beyond) Cut(long input, long kernel, long stride, int output)
        {
            long cut = (input - 1) * stride + kernel - output;
            return cut is > int.MaxValue or < int.MinValue + 1L ? throw new ModelFormatException($"an output of {output} is beyond all measure")
                : cut < 0 ? (0, 0, (int)-cut) : ((int)cut / 2, (int)cut - (int)cut / 2, 0);
        }
    }

    /// <summary>Rows by weights O×I; rows of pictures are taken in the file's order of their elements.</summary>
    private static Node Product(LiteNode node)
    {
        node.Takes(2, 3);
        node.Only("weights_format", 0);
        Node x = node[0], w = node.Ordered(1, 0, 1);
        bool kept = node.Flag("keep_num_dims");
        Ints last = LiteNode.Last(x.Shape);
        Node rows = x.Shape.Rank == 2 && x.Shape[1] == w.Shape[1] ? x : node.Reshaped(x, [x.Shape.Rank > 0 && Rest(x.Shape) == w.Shape[1] ? x.Shape[0] : -1, w.Shape[1]], $"{node.Output(0)}/rows");
        var op = new Gemm(TransposeB: true);
        if (!kept || last.Count <= 2) return node.Activated(op, [rows, w, .. Bias(node, 2)]);
        Node product = node.Part("product", op, [rows, w, .. Bias(node, 2)]);
        return node.Activated(new Identity(), node.Reshaped(product, [.. last.Items[..^1], w.Shape[0]], $"{node.Output(0)}/shaped"));

        static int Rest(Shape shape) => shape.Product(1, shape.Rank);
    }

    private static Node Pool(LiteNode node, Func<Size, Size, Padding, Op> make)
    {
        node.Takes(1, 1);
        Node x = Pictures(node, 0);
        Size kernel = Checked("window", node.Int("filter_height"), node.Int("filter_width")), stride = Stride(node);
        return node.Activated(make(kernel, stride, Around(node, x, kernel, stride, Size.One)), x);
    }

    private static Node Resized(LiteNode node, ResizeMode mode)
    {
        node.Takes(2, 2);
        if (node.Ints(1) is not [var height, var width]) throw new ModelFormatException("input 1 is no height and width");
        bool corners = node.Flag("align_corners"), centers = node.Flag("half_pixel_centers"), nearest = mode is ResizeMode.Nearest;
        if (corners && centers) throw new ModelFormatException("it has both 'align_corners' and 'half_pixel_centers'");
        CoordinateMode coordinates = corners ? CoordinateMode.AlignCorners : !centers ? CoordinateMode.Asymmetric : nearest ? CoordinateMode.TfHalfPixelForNN : CoordinateMode.HalfPixel;
        return node.Make(new Resize(new(height, width), mode, coordinates, !nearest ? NearestMode.RoundPreferFloor : corners ? NearestMode.RoundPreferCeil : NearestMode.Floor), Pictures(node, 0));
    }

    /// <summary>Each pixel of a block becomes a picture of its own, the block's first pixels' first.</summary>
    private static Node SpaceToBatch(LiteNode node)
    {
        node.Takes(3, 3);
        Node x = Pictures(node, 0);
        Size block = Block(node);
        if (node.Ints(2) is not [var top, var bottom, var left, var right]) throw new ModelFormatException("input 2 is no padding of height and width");
        Node padded = Padded(node, x, [(2, top, bottom), (3, left, right)], 0);
        Shape shape = padded.Shape;
        if (shape[2] % block.Height != 0 || shape[3] % block.Width != 0) throw new ModelFormatException($"{shape} doesn't divide into blocks of {block}");
        Node split = node.Part("split", new Reshape([shape[0], shape[1], shape[2] / block.Height, block.Height, shape[3] / block.Width, block.Width]), padded);
        Node turned = node.Part("turned", new Transpose([3, 5, 0, 1, 2, 4]), split);
        Node spaced = node.Make(new Reshape([block.Height * block.Width * shape[0], shape[1], shape[2] / block.Height, shape[3] / block.Width]), turned);
        node.Import.Spaced[spaced] = (padded, block);
        return spaced;
    }

    private static Node BatchToSpace(LiteNode node)
    {
        node.Takes(3, 3);
        Node x = Pictures(node, 0);
        Size block = Block(node);
        if (node.Ints(2) is not [var top, var bottom, var left, var right]) throw new ModelFormatException("input 2 is no crop of height and width");
        Shape shape = x.Shape;
        int pixels = block.Height * block.Width;
        if (shape[0] % pixels != 0) throw new ModelFormatException($"{shape} are no pictures in blocks of {block}");
        Node joined;
        if (x is { Op: Conv { Stride: var stride, Dilation: var dilation, Padding: var padding } conv } && stride == Size.One && dilation == Size.One && padding == default
            && node.Import.Spaced.TryGetValue(x.Inputs[0], out (Node Padded, Size Block) spaced) && spaced.Block == block)
            joined = node.Part("dilated", conv with { Dilation = block }, x.Inputs.SetItem(0, spaced.Padded));
        else
        {
            Node split = node.Part("split", new Reshape([block.Height, block.Width, shape[0] / pixels, shape[1], shape[2], shape[3]]), x);
            Node turned = node.Part("turned", new Transpose([2, 3, 4, 0, 5, 1]), split);
            joined = node.Part("joined", new Reshape([shape[0] / pixels, shape[1], shape[2] * block.Height, shape[3] * block.Width]), turned);
        }
        return Padded(node, joined, [(2, -top, -bottom), (3, -left, -right)], 0) is var cut && cut == joined ? node.Make(new Identity(), joined) : cut;
    }

    private static Size Block(LiteNode node) => node.Ints(1) is [var height, var width] ? Checked("block", height, width) : throw new ModelFormatException("input 1 is no block of height and width");

    private static Node Pictures(LiteNode node, int index) => node[index].Shape.Rank == 4 ? node[index] : throw new ModelFormatException($"it takes pictures N×H×W×C, not {node[index].Shape}");

    private static Node Kernel(Node node) => node.Shape is { Rank: 4 } shape && shape[2] > 0 && shape[3] > 0 ? node : throw new ModelFormatException($"{node.Shape} is no kernel");

    private static ImmutableArray<Node> Bias(LiteNode node, int index) => node.Optional(index) is { } bias ? [bias] : [];

    private static Size Stride(LiteNode node) => Checked("stride", node.Int("stride_h"), node.Int("stride_w"));

    private static Size Checked(string what, int height, int width) => height is > 0 and <= MostStride && width is > 0 and <= MostStride ? new(height, width)
        : throw new ModelFormatException($"its {what} is {height}×{width}");

    private static Padding Around(LiteNode node, Node x, Size kernel, Size stride, Size dilation) => node.Int("padding") switch
    {
        0 when kernel is { Height: <= MostStride, Width: <= MostStride } && dilation is { Height: <= 1 << 10, Width: <= 1 << 10 } => Padding.Same(new(x.Shape[2], x.Shape[3]), kernel, stride, dilation),
        1 => default,
        var other => throw new ModelFormatException($"its padding is number {other}, by windows of {kernel} and dilation {dilation}; understood are SAME and VALID"),
    };
}
