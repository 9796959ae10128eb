using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <content>What resampling and padding are in ONNX.</content>
internal sealed partial class OnnxGraph
{
    private string Write(Node node, Resize op, string x)
    {
        Size input = new(node.Inputs[0].Shape[2], node.Inputs[0].Shape[3]);
        string coordinates = op.Coordinates switch
        {
            CoordinateMode.HalfPixel => "half_pixel",
            CoordinateMode.PytorchHalfPixel => "pytorch_half_pixel",
            CoordinateMode.AlignCorners => "align_corners",
            CoordinateMode.TfHalfPixelForNN => "tf_half_pixel_for_nn",
            CoordinateMode.TfCropAndResize => "tf_crop_and_resize",
            _ => "asymmetric",
        };
        string nearest = op.Nearest switch
        {
            NearestMode.RoundPreferFloor => "round_prefer_floor",
            NearestMode.RoundPreferCeil => "round_prefer_ceil",
            NearestMode.Floor => "floor",
            _ => "ceil",
        };
        Region crop = op.Crop ?? new(0, 0, 1, 1);
        string region = op.Coordinates is CoordinateMode.TfCropAndResize
            ? Parameter<float>(node, "region", [8], 0, 0, crop.Top, crop.Left, 1, 1, crop.Bottom, crop.Right) : "";
        string[] size;
        if (op is { ScaleHeight: 0, ScaleWidth: 0 })
            size = ["", Parameter<long>(node, "sizes", [4], node.Shape[0], node.Shape[1], op.Output.Height, op.Output.Width)];
        else
        {
            float height = op.ScaleHeight > 0 ? op.ScaleHeight : (float)op.Output.Height / input.Height, width = op.ScaleWidth > 0 ? op.ScaleWidth : (float)op.Output.Width / input.Width;
            if ((int)(input.Height * height) != op.Output.Height || (int)(input.Width * width) != op.Output.Width)
                throw new PenjingException($"'{node.Name}' can't be written as ONNX: a Resize of {input} by {height}, {width} yields another size there than {op.Output}");
            size = [Parameter<float>(node, "scales", [4], 1, 1, height, width)];
        }
        return Add("Resize", node.Name, [x, region, .. size],
        [
            Text("mode", op.Mode.ToString().ToLowerInvariant()), Text("coordinate_transformation_mode", coordinates), Text("nearest_mode", nearest),
            .. op.Mode is ResizeMode.Cubic ? [Number("cubic_coeff_a", op.CubicA), Flag("exclude_outside", op.ExcludeOutside)] : (AttributeProto[])[],
            .. op.Coordinates is CoordinateMode.TfCropAndResize ? [Number("extrapolation_value", op.Extrapolation)] : (AttributeProto[])[],
        ]);
    }

    private string Write(Node node, Pad op, string x)
    {
        int rank = node.Shape.Rank, axis = op.Axis < 0 ? op.Axis + rank : op.Axis;
        var pads = new long[2 * rank];
        (pads[axis], pads[axis + rank]) = (op.Before, op.After);
        string name = Parameter(node, "pads", [2 * rank], pads), mode = op.Mode.ToString().ToLowerInvariant();
        return op.Mode is not PadMode.Constant || (op.Value == 0 && node.Info.Quantization is null)
            ? Add("Pad", node.Name, [x, name], Text("mode", mode))
            : Add("Pad", node.Name, [x, name, Fill(node, "value", op.Value)], Text("mode", mode));
    }

    /// <summary>A convolution's input without the rows and columns that a negative padding cuts, which ONNX leaves to a node before.</summary>
    private string Cut(Node node, Padding padding)
    {
        long[] cut = [0, 0, Math.Min(0, padding.Top), Math.Min(0, padding.Left), 0, 0, Math.Min(0, padding.Bottom), Math.Min(0, padding.Right)];
        string x = node.Inputs[0].Name;
        return cut.All(side => side == 0) ? x : Add("Pad", Fresh($"{node.Name}/cut"), [x, Parameter(node, "pads", [8], cut)], Text("mode", "constant"));
    }

    private string Write(Node node, GridSample op, string[] inputs)
    {
        string mode = op.Mode switch { ResizeMode.Nearest => "nearest", ResizeMode.Linear => "bilinear", _ => "bicubic" };
        return Add("GridSample", node.Name, inputs,
            Text("mode", mode), Text("padding_mode", op.Padding.ToString().ToLowerInvariant()), Flag("align_corners", op.AlignCorners));
    }

    private string Write(Node node, RoiAlign op, string[] inputs) => Add("RoiAlign", node.Name, [inputs[0], inputs[1], Wide(node, inputs[2])],
        Text("mode", op.Mode.ToString().ToLowerInvariant()), Number("output_height", op.Output.Height), Number("output_width", op.Output.Width),
        Number("sampling_ratio", op.SamplingRatio), Number("spatial_scale", op.SpatialScale),
        Text("coordinate_transformation_mode", op.HalfPixel ? "half_pixel" : "output_half_pixel"));
}
