using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>What samples pictures.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Pictures =>
    [
        ("Resize", Resize),
        ("Upsample", Upsample),
        ("GridSample", GridSample),
        ("RoiAlign", RoiAlign),
    ];

    private static readonly (string, ResizeMode)[] modes =
        [("nearest", ResizeMode.Nearest), ("linear", ResizeMode.Linear), ("bilinear", ResizeMode.Linear), ("cubic", ResizeMode.Cubic)];

    /// <summary>Before opset 10 scales are an attribute, at 9 an input; output pixel x is input pixel x / scale.</summary>
    private static Node Upsample(OnnxNode node)
    {
        node.Takes(node.Version < 9 ? 1 : 2, node.Version < 9 ? 1 : 2);
        ResizeMode mode = node.Choice("mode", "nearest", modes);
        ImmutableArray<float> scales = node.Version >= 9 ? node.Floats(1, "the scales")
            : node.Version >= 7 ? node.Floats("scales") ?? throw new ModelFormatException("the attribute 'scales' is missing")
            : [1, 1, node.Float("height_scale", 1), node.Float("width_scale", 1)];
        return Scale(node, node[0], scales, null, null, new(Size.One, mode, CoordinateMode.Asymmetric, NearestMode.Floor));
    }

    private static Node Resize(OnnxNode node)
    {
        node.Takes(node.Version < 11 ? 2 : 1, node.Version < 11 ? 2 : 4);
        ResizeMode mode = node.Choice("mode", "nearest", modes);
        if (node.Version < 11) return Early(node, node.Floats(1, "the scales"), mode);
        string coordinates = node.Text("coordinate_transformation_mode", "half_pixel");
        var op = new Resize(Size.One, mode,
            node.Choice<CoordinateMode>("coordinate_transformation_mode", "half_pixel",
                ("half_pixel", CoordinateMode.HalfPixel), ("half_pixel_symmetric", CoordinateMode.HalfPixel),
                    ("pytorch_half_pixel", CoordinateMode.PytorchHalfPixel),
                ("align_corners", CoordinateMode.AlignCorners), ("asymmetric", CoordinateMode.Asymmetric),
                    ("tf_half_pixel_for_nn", CoordinateMode.TfHalfPixelForNN),
                ("tf_crop_and_resize", CoordinateMode.TfCropAndResize)),
            node.Choice<NearestMode>("nearest_mode", "round_prefer_floor",
                ("round_prefer_floor", NearestMode.RoundPreferFloor), ("round_prefer_ceil", NearestMode.RoundPreferCeil), ("floor", NearestMode.Floor),
                    ("ceil", NearestMode.Ceil)),
            0, 0, node.Float("cubic_coeff_a", -0.75f), node.Flag("exclude_outside"), null, node.Float("extrapolation_value", 0));
        Node x = node[0];
        int rank = x.Shape.Rank;
        ImmutableArray<float>? scales = Given(2) ? node.Floats(2, "the scales") : null;
        ImmutableArray<long>? sizes = Given(3) ? node.Longs(3, "the sizes") : null;
        ImmutableArray<float>? region = op.Coordinates is CoordinateMode.TfCropAndResize ? node.Floats(1, "the region") : null;
        string policy = node.Choice<string>("keep_aspect_ratio_policy", "stretch", ("stretch", "stretch"), ("not_larger", "not_larger"),
            ("not_smaller", "not_smaller"));
        bool smooth = node.Flag("antialias");
        if (node.Longs("axes") is { } axes)
        {
            int[] along = [.. axes.Select(axis => OnnxNode.Small(axis < 0 ? axis + rank : axis, "an axis"))];
            int factorCount = scales?.Length ?? along.Length, sizeCount = sizes?.Length ?? along.Length, bounds = region?.Length ?? 2 * along.Length;
            if (along.Any(axis => axis < 0 || axis >= rank) || along.Distinct().Count() != along.Length || factorCount != along.Length
                || sizeCount != along.Length || bounds != 2 * along.Length)
                throw new ModelFormatException($"the axes {string.Join(", ", axes)} don't fit {x.Shape} and its scales or sizes");
            if (sizes is { } few && policy != "stretch") (sizes, scales) = Proportional(x.Shape, along, few, policy);
            else if (sizes is { } some) sizes = [.. x.Shape.Select((extent, axis) => Array.IndexOf(along, axis) is >= 0 and var at ? some[at] : extent)];
            else if (scales is { } factors) scales = [.. x.Shape.Select((_, axis) => Array.IndexOf(along, axis) is >= 0 and var at ? factors[at] : 1)];
            if (region is { } part)
                region = [.. Enumerable.Range(0, 2 * rank).Select(i => Array.IndexOf(along, i % rank) is >= 0 and var at
                    ? part[at + (i < rank ? 0 : along.Length)] : i < rank ? 0f : 1f)];
        }
        else if (sizes is { } all && policy != "stretch")
        {
            if (all.Length != rank) throw new ModelFormatException($"{all.Length} sizes don't fit {x.Shape}");
            (sizes, scales) = Proportional(x.Shape, [.. Enumerable.Range(0, rank)], all, policy);
        }
        if (smooth && mode is not ResizeMode.Nearest && Enumerable.Range(0, rank).Any(axis => sizes is { } s ? axis < s.Length && s[axis] < x.Shape[axis]
            : scales is { } f && axis < f.Length && f[axis] < 1))
            throw new ModelFormatException("antialias is not supported where a picture becomes smaller");
        if (coordinates == "half_pixel_symmetric" && sizes is null
            && (scales ?? []).Where((scale, axis) => axis < rank && scale * x.Shape[axis] != MathF.Floor(scale * x.Shape[axis])).Any())
            throw new ModelFormatException("half_pixel_symmetric is understood for whole output extents only");
        return Scale(node, x, scales, sizes, region, op);

        bool Given(int index) => node.Optional(index) is { } value && value.Shape.Elements > 0;
    }

    /// <summary>
    /// At opset 10 the nearest pixel is the one before where an axis grows, and the one after where it shrinks: first all that shrink, then the
    /// others.
    /// </summary>
    private static Node Early(OnnxNode node, ImmutableArray<float> scales, ResizeMode mode)
    {
        var op = new Resize(Size.One, mode, CoordinateMode.Asymmetric, NearestMode.Floor);
        Node x = node[0];
        if (mode is not ResizeMode.Nearest || !scales.Any(scale => scale < 1)) return Scale(node, x, scales, null, null, op);
        Resize shrinking = op with { Nearest = NearestMode.Ceil };
        if (!scales.Any(scale => scale > 1)) return Scale(node, x, scales, null, null, shrinking);
        Node smaller = Scale(node, x, [.. scales.Select(scale => Math.Min(scale, 1))], null, null, shrinking);
        return Scale(node, smaller, [.. scales.Select(scale => Math.Max(scale, 1))], null, null, op);
    }

    /// <summary>One scale for all axes, so that none becomes larger, or none smaller, than its size.</summary>
    private static (ImmutableArray<long> Sizes, ImmutableArray<float> Scales) Proportional(Shape shape, int[] axes, ImmutableArray<long> sizes, string policy)
    {
        if (axes.Length == 0 || axes.Any(axis => shape[axis] == 0)) throw new ModelFormatException($"{shape} can't be resized");
        IEnumerable<float> each = axes.Select((axis, i) => (float)sizes[i] / shape[axis]);
        float scale = policy == "not_larger" ? each.Min() : each.Max();
        return ([.. shape.Select((extent, axis) => axes.Contains(axis) ? (long)Math.Floor((double)scale * extent + 0.5) : extent)],
            [.. shape.Select((_, axis) => axes.Contains(axis) ? scale : 1)]);
    }

    /// <summary>Resizes the two axes that change, which the core has last of four.</summary>
    private static Node Scale(OnnxNode node, Node x, ImmutableArray<float>? scales, ImmutableArray<long>? sizes, ImmutableArray<float>? region, Resize op)
    {
        Shape shape = x.Shape;
        int rank = shape.Rank;
        if (scales is null && sizes is null) throw new ModelFormatException("it has neither scales nor sizes");
        if ((scales ?? [.. new float[rank]]).Length != rank || (sizes ?? [.. new long[rank]]).Length != rank || (region is { } r && r.Length != 2 * rank))
            throw new ModelFormatException($"its scales, sizes or region don't fit {shape}");
        if (scales is { } factors && factors.Any(scale => !(scale > 0 && float.IsFinite(scale))))
            throw new ModelFormatException($"scales are positive, not {string.Join(", ", factors)}");
        int[] extents = [.. shape.Select((extent, axis) => sizes is { } given ? OnnxNode.Small(given[axis], "a size") : Whole(extent * scales!.Value[axis]))];
        bool Changes(int axis) => extents[axis] != shape[axis] || scales is { } s && s[axis] != 1
            || region is { } part && (part[axis] != 0 || part[axis + rank] != 1);
        int[] changing = [.. Enumerable.Range(0, rank).Where(Changes)];
        if (changing.Length > 2) throw new ModelFormatException($"it resizes {changing.Length} axes of {shape}; understood are two at most");
        if (rank is 0 or > 4) throw new ModelFormatException($"it resizes values of one to four axes, not {shape}");
        (int height, int width) = changing switch
        {
            [var only] when only < rank - 1 => (only, rank - 1),
            [var first, var second] => (first, second),
            _ => (rank - 2, rank - 1),
        };
        int[] order = [.. Enumerable.Range(0, rank).Where(axis => axis != height && axis != width), .. height >= 0 ? [height, width] : (int[])[width]];
        bool straight = order.SequenceEqual(Enumerable.Range(0, rank));
        Size output = new(height >= 0 ? extents[height] : 1, extents[width]);
        op = op with
        {
            Output = output,
            ScaleHeight = scales is { } by && height >= 0 ? by[height] : scales is null ? 0 : 1,
            ScaleWidth = scales is { } across ? across[width] : 0,
            Crop = region is { } cut ? new(height >= 0 ? cut[height] : 0, cut[width], height >= 0 ? cut[height + rank] : 1, cut[width + rank]) : null,
        };
        if (rank == 4 && straight) return node.Make(op, x);
        Node turned = straight ? x : node.Part("turned", new Transpose([.. order]), x);
        Node resized = node.Part("resized", op, rank == 4 ? turned : node.Part("picture", new Unsqueeze([.. Enumerable.Range(0, 4 - rank)]), turned));
        Ints added = [.. Enumerable.Range(0, 4 - rank)];
        if (straight) return node.Make(new Squeeze(added), resized);
        Node back = rank == 4 ? resized : node.Part("squeezed", new Squeeze(added), resized);
        return node.Make(new Transpose([.. Enumerable.Range(0, rank).Select(axis => Array.IndexOf(order, axis))]), back);
    }

    private static int Whole(float extent) => extent is >= 0 and < int.MaxValue ? (int)extent : throw new ModelFormatException($"an extent would be {extent}");

    private static Node GridSample(OnnxNode node)
    {
        node.Takes(2, 2);
        return node.Make(new GridSample(
            node.Choice("mode", "linear", [.. modes, ("bicubic", ResizeMode.Cubic)]),
            node.Choice<GridPadding>("padding_mode", "zeros", ("zeros", GridPadding.Zeros), ("border", GridPadding.Border),
                ("reflection", GridPadding.Reflection)),
            node.Flag("align_corners")), node[0], node[1]);
    }

    private static Node RoiAlign(OnnxNode node)
    {
        node.Takes(3, 3);
        bool half = node.Choice<bool>("coordinate_transformation_mode", node.Version < 16 ? "output_half_pixel"
            : "half_pixel", ("half_pixel", true), ("output_half_pixel", false));
        return node.Make(new RoiAlign(new(node.Small("output_height", 1), node.Small("output_width", 1)), node.Small("sampling_ratio", 0),
            node.Float("spatial_scale", 1),
            node.Choice<RoiMode>("mode", "avg", ("avg", RoiMode.Avg), ("max", RoiMode.Max)), half), node.All());
    }
}
