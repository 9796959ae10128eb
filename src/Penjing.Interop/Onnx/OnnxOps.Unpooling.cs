using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Where the largest elements of a pool's windows lie, and their way back, as in SegNet (Badrinarayanan 2017).</content>
internal static partial class OnnxOps
{
    private const int MostTaps = 1024;

    private static (string, Builder)[] Unpooling => [("MaxUnpool", MaxUnpool)];

    /// <summary>
    /// The indices of a MaxPool, counted through the whole input: the windows' elements are compared one place after another, beside the
    /// constant indices that stand in the same places.
    /// </summary>
    private static Node Indices(OnnxNode node, Node x, bool flat, MaxPool pool, bool columns)
    {
        Shape shape = x.Shape, output = pool.Infer([x.Info]).Shape;
        if (pool.Kernel.Height * (long)pool.Kernel.Width > MostTaps)
            throw new ModelFormatException($"the indices of windows of {pool.Kernel} are not supported, but of windows of up to {MostTaps} elements");
        if (x.Info.Type is not (ElementType.Float32 or ElementType.Float16))
            throw new ModelFormatException($"the indices of a pool of {x.Info} are not supported, but of Float32 and Float16");
        node.Import.Tensors.Charge(16L * shape.Elements + 64L * output.Elements * pool.Kernel.Height * pool.Kernel.Width);
        int height = shape[2], width = shape[3], plane = height * width;
        Tensor places = Tensor.Build<long>(shape, values =>
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = columns ? i / plane * plane + i % width * height + i / width % height : i;
        });
        Node padded = Padded(x, float.NegativeInfinity, "padded"), indices = Padded(node.Weight("places", places), -1, "padded-places");
        Node? most = null, best = null;
        for (int row = 0; row < pool.Kernel.Height; row++)
            for (int column = 0; column < pool.Kernel.Width; column++)
            {
                Node value = Tap(padded, row, column, "value"), place = Tap(indices, row, column, "place");
                Node above = most is null ? value : node.Part("above", new Greater(), value, most);
                best = best is null ? place : node.Part("best", new Where(), above, place, best);
                most = most is null ? value : node.Part("most", new Max(), most, value);
            }
        return flat ? node.Make(1, new Squeeze([2]), best!) : node.Make(1, new Identity(), best!);

        // In ceil mode the last window reaches beyond the padding.
        Node Padded(Node of, float value, string role)
        {
            int down = Needed(output[2], pool.Stride.Height, pool.Kernel.Height, pool.Dilation.Height) - height - pool.Padding.Top;
            int across = Needed(output[3], pool.Stride.Width, pool.Kernel.Width, pool.Dilation.Width) - width - pool.Padding.Left;
            Node rows = node.Part($"{role}-rows", new Pad(2, pool.Padding.Top, down, PadMode.Constant, value), of);
            return node.Part(role, new Pad(3, pool.Padding.Left, across, PadMode.Constant, value), rows);
        }

        static int Needed(int output, int stride, int kernel, int dilation) => (output - 1) * stride + (kernel - 1) * dilation + 1;

        Node Tap(Node of, int row, int column, string role)
        {
            int top = row * pool.Dilation.Height, left = column * pool.Dilation.Width;
            Node rows = node.Part($"{role}-rows", new Slice(2, top, top + (output[2] - 1) * pool.Stride.Height + 1, pool.Stride.Height), of);
            return node.Part(role, new Slice(3, left, left + (output[3] - 1) * pool.Stride.Width + 1, pool.Stride.Width), rows);
        }
    }

    /// <summary>Each element at its index of the output, zero elsewhere; without a shape the output is the smallest that the windows cover.</summary>
    private static Node MaxUnpool(OnnxNode node)
    {
        node.Takes(2, 3);
        (Node x, Node indices) = (node[0], node[1]);
        if (x.Shape.Rank is not (3 or 4)) throw new ModelFormatException($"it takes N×C×W or N×C×H×W, not {x.Shape}");
        int axes = x.Shape.Rank - 2;
        Ints kernel = node.Ints("kernel_shape") ?? [], strides = node.Ints("strides") ?? [.. Enumerable.Repeat(1, axes)];
        Ints pads = node.Ints("pads") ?? [.. new int[2 * axes]];
        if (kernel.Count != axes || strides.Count != axes || pads.Count != 2 * axes)
            throw new ModelFormatException($"kernel_shape, strides or pads are not for {axes} axes");
        Shape natural = OnnxTensors.Shape([x.Shape[0], x.Shape[1],
            .. Enumerable.Range(0, axes).Select(i => (x.Shape[i + 2] - 1L) * strides[i] - pads[i] - pads[i + axes] + kernel[i])]);
        Shape output = node.Optional(2) is null ? natural : OnnxTensors.Shape(node.Longs(2, "the output's shape"));
        if (output.Rank != x.Shape.Rank) throw new ModelFormatException($"{x.Shape} can't become {output}");
        node.Import.Tensors.Charge((long)output.Elements * x.Info.Type.Size());
        // The indices count through the natural output; in a larger one the same places have others.
        Node zeros = node.Weight("zeros", Tensor.Zeros(x.Info.Type, [natural.Elements]));
        Node spread = node.Part("spread", new ScatterElements(0), zeros, node.Part("indices", new Reshape([-1]), indices),
            node.Part("values", new Reshape([-1]), x));
        if (output == natural) return node.Make(new Reshape(output.Extents), spread);
        Node small = node.Part("pictures", new Reshape(natural.Extents), spread);
        List<Op> ops = [.. Enumerable.Range(0, output.Rank).Where(axis => output[axis] != natural[axis]).Select(axis =>
            new Pad(axis, 0, output[axis] - natural[axis]))];
        return Chain(node, small, ops);
    }
}
