using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>What arranges elements anew.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Layouts =>
    [
        ("Reshape", Reshape),
        ("Flatten", node => One(node, new Flatten(node.Small("axis", 1)))),
        ("Transpose", node => One(node, new Transpose(node.Ints("perm") ?? [.. Enumerable.Range(0, node[0].Shape.Rank).Reverse()]))),
        ("Squeeze", node => Axes(node, axes => new Squeeze(axes), [])),
        ("Unsqueeze", node => Axes(node, axes => new Unsqueeze(axes), null)),
        ("Concat", Concat),
        ("Expand", Expand),
        ("Tile", Tile),
        ("Trilu", Trilu),
        ("DepthToSpace", DepthToSpace),
        ("SpaceToDepth", SpaceToDepth),
    ];

    /// <summary>
    /// A target computed from shapes keeps the first extent instead of naming it, so that the network can be had for another batch.
    /// </summary>
    private static Node Reshape(OnnxNode node)
    {
        bool attribute = node.Version < 5;
        node.Takes(attribute ? 1 : 2, attribute ? 1 : 2);
        node.Ignore("consumed_inputs");
        bool zeros = node.Flag("allowzero");
        Node x = node[0];
        Ints target = attribute ? node.Ints("shape") ?? throw new ModelFormatException("the attribute 'shape' is missing")
            : OnnxNode.Small(node.Longs(1, "the target"), "an extent");
        if (target.Any(extent => extent < -1)) throw new ModelFormatException($"{x.Shape} can't become {target}");
        if (zeros && target.Contains(0))
        {
            // A value without elements is a constant, whatever it comes from.
            if (target.Contains(-1) || x.Shape.Elements != 0) throw new ModelFormatException($"{x.Shape} can't become {target}");
            return node.Constant(Tensor.Zeros(x.Info.Type, OnnxTensors.Shape([.. target.Select(extent => (long)extent)])));
        }
        if (!attribute && node.Import.IsOfShapes(node[1]) && target.Count > 0 && x.Shape.Rank > 0 && target[0] == x.Shape[0] && target[0] > 0)
            target = [0, .. target.AsSpan()[1..]];
        return node.Make(new Reshape(target), x);
    }

    /// <summary>Axes are an attribute before opset 13, an input since.</summary>
    private static Node Axes(OnnxNode node, Func<Ints, Op> op, Ints? otherwise)
    {
        node.Takes(1, node.Version < 13 ? 1 : 2);
        Ints? axes = node.Version < 13 ? node.Ints("axes") : node.Optional(1) is null ? null : OnnxNode.Small(node.Longs(1, "the axes"), "an axis");
        return node.Make(op(axes ?? otherwise ?? throw new ModelFormatException("the axes are missing")), node[0]);
    }

    private static Node Concat(OnnxNode node)
    {
        node.Takes(1, int.MaxValue);
        return node.Make(new Concat(node.Version < 4 ? node.Small("axis", 1) : OnnxNode.Small(node.Int("axis"), "the axis")), node.All());
    }

    private static Node Expand(OnnxNode node)
    {
        node.Takes(2, 2);
        return node.Make(new Expand(OnnxTensors.Shape(node.Longs(1, "the shape"))), node[0]);
    }

    private static Node Tile(OnnxNode node)
    {
        Node x = node[0];
        if (node.Version >= 6)
        {
            node.Takes(2, 2);
            return node.Make(new Tile(OnnxNode.Small(node.Longs(1, "the repeats"), "a repeat")), x);
        }
        node.Takes(3, 3);
        ImmutableArray<long> tiles = node.Longs(1, "the tiles"), axis = node.Longs(2, "the axis");
        if (tiles.Length != 1 || axis.Length != 1 || axis[0] < 0 || axis[0] >= x.Shape.Rank)
            throw new ModelFormatException($"tiles and axis are a number each, for {x.Shape}");
        return node.Make(new Tile([.. Enumerable.Range(0, x.Shape.Rank).Select(i => i == axis[0] ? OnnxNode.Small(tiles[0], "tiles") : 1)]), x);
    }

    private static Node Trilu(OnnxNode node)
    {
        node.Takes(1, 2);
        ImmutableArray<long> k = node.Optional(1) is null ? [0] : node.Longs(1, "the diagonal k");
        if (k.Length != 1) throw new ModelFormatException($"k is one number, not {k.Length}");
        return node.Make(new Trilu(node.Flag("upper", true), k[0]), node[0]);
    }

    private static Node DepthToSpace(OnnxNode node)
    {
        (Node x, int block) = Blocks(node);
        bool columns = node.Choice<bool>("mode", "DCR", ("DCR", false), ("CRD", true));
        int channels = x.Shape[1] / block / block, height = x.Shape[2], width = x.Shape[3];
        if (channels * block * block != x.Shape[1]) throw new ModelFormatException($"the channels of {x.Shape} are no blocks of {block}×{block}");
        Node split = node.Part("blocks", new Reshape(columns ? [0, channels, block, block, height, width] : [0, block, block, channels, height, width]), x);
        Node turned = node.Part("turned", new Transpose(columns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), split);
        return node.Make(new Reshape([0, channels, Times(height, block), Times(width, block)]), turned);
    }

    private static Node SpaceToDepth(OnnxNode node)
    {
        (Node x, int block) = Blocks(node);
        int channels = x.Shape[1], height = x.Shape[2] / block, width = x.Shape[3] / block;
        if (height * block != x.Shape[2] || width * block != x.Shape[3])
            throw new ModelFormatException($"the pictures of {x.Shape} are no blocks of {block}×{block}");
        Node split = node.Part("blocks", new Reshape([0, channels, height, block, width, block]), x);
        Node turned = node.Part("turned", new Transpose([0, 3, 5, 1, 2, 4]), split);
        return node.Make(new Reshape([0, Times(Times(channels, block), block), height, width]), turned);
    }

    private static (Node X, int Block) Blocks(OnnxNode node)
    {
        node.Takes(1, 1);
        Node x = node[0];
        int block = OnnxNode.Small(node.Int("blocksize"), "blocksize");
        if (x.Shape.Rank != 4 || x.Shape.Elements == 0 || block is < 1 or > 1 << 15)
            throw new ModelFormatException($"{x.Shape} has no blocks of {block}×{block}");
        return (x, block);
    }

    private static int Times(long extent, long factor) => OnnxNode.Small(extent * factor, "an extent");
}
