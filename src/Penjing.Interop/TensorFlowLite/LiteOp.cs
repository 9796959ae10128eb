using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>How an option's bytes lie in the file.</summary>
internal enum OptionType
{
    /// <summary>An enumeration or a switch.</summary>
    Byte,
    /// <summary>A whole number.</summary>
    Int,
    /// <summary>A number.</summary>
    Float,
    /// <summary>A list of whole numbers.</summary>
    Ints,
}

/// <summary>An option's name, type, and value where it isn't given.</summary>
internal sealed record LiteOption(string Name, OptionType Type, double Default);

/// <summary>An operation of TensorFlow Lite that is understood: the part of the schema that is about it.</summary>
/// <param name="Name">Its name in the schema.</param>
/// <param name="Code">Its number.</param>
/// <param name="Union">The number of its options' table; 0 where it has none.</param>
/// <param name="Newest">The newest version of its meaning that is understood.</param>
/// <param name="Integers">The first version that takes Int8.</param>
/// <param name="Options">The fields of its options, in the schema's order.</param>
internal sealed partial record LiteOp(string Name, int Code, int Union, int Newest, int Integers, ImmutableArray<LiteOption> Options)
{
    private const string Conv = "padding:byte stride_w:int stride_h:int fused_activation_function:byte dilation_w_factor:int=1 dilation_h_factor:int=1 quantized_bias_type:byte",
        Depthwise = "padding:byte stride_w:int stride_h:int depth_multiplier:int fused_activation_function:byte dilation_w_factor:int=1 dilation_h_factor:int=1",
        Pool = "padding:byte stride_w:int stride_h:int filter_width:int filter_height:int fused_activation_function:byte",
        Activated = "fused_activation_function:byte", Summed = "fused_activation_function:byte pot_scale_int16:byte=1", Reduced = "keep_dims:byte",
        Sliced = "begin_mask:int end_mask:int ellipsis_mask:int new_axis_mask:int shrink_axis_mask:int offset:byte";

    /// <summary>All that are understood.</summary>
    public static ImmutableArray<LiteOp> All { get; } =
    [
        Of("ADD", 0, 11, 5, 2, Summed),
        Of("AVERAGE_POOL_2D", 1, 5, 3, 2, Pool),
        Of("CONCATENATION", 2, 10, 4, 2, "axis:int fused_activation_function:byte"),
        Of("CONV_2D", 3, 1, 8, 3, Conv),
        Of("DEPTHWISE_CONV_2D", 4, 2, 7, 3, Depthwise),
        Of("DEPTH_TO_SPACE", 5, 94, 2, 2, "block_size:int"),
        Of("DEQUANTIZE", 6, 38, 6, 2),
        Of("FLOOR", 8, 0, 1),
        Of("FULLY_CONNECTED", 9, 8, 12, 4, "fused_activation_function:byte weights_format:byte keep_num_dims:byte asymmetric_quantize_inputs:byte quantized_bias_type:byte"),
        Of("L2_NORMALIZATION", 11, 12, 2, 2, Activated),
        Of("LOCAL_RESPONSE_NORMALIZATION", 13, 13, 1, 1, "radius:int bias:float alpha:float beta:float"),
        Of("LOGISTIC", 14, 0, 3, 2),
        Of("MAX_POOL_2D", 17, 5, 3, 2, Pool),
        Of("MUL", 18, 21, 7, 2, Activated),
        Of("RELU", 19, 0, 3, 2),
        Of("RELU_N1_TO_1", 20, 0, 1),
        Of("RELU6", 21, 0, 3, 2),
        Of("RESHAPE", 22, 17, 2, 1, "new_shape:ints"),
        Of("RESIZE_BILINEAR", 23, 15, 4, 2, "new_height:int new_width:int align_corners:byte half_pixel_centers:byte"),
        Of("SOFTMAX", 25, 9, 3, 2, "beta:float"),
        Of("SPACE_TO_DEPTH", 26, 19, 2, 2, "block_size:int"),
        Of("TANH", 28, 0, 3, 2),
        Of("PAD", 34, 22, 4, 2),
        Of("GATHER", 36, 23, 7, 2, "axis:int batch_dims:int"),
        Of("BATCH_TO_SPACE_ND", 37, 24, 4, 2),
        Of("SPACE_TO_BATCH_ND", 38, 25, 4, 2),
        Of("TRANSPOSE", 39, 26, 6, 2),
        Of("MEAN", 40, 27, 3, 2, Reduced),
        Of("SUB", 41, 28, 5, 2, Summed),
        Of("DIV", 42, 29, 2, 2, Activated),
        Of("SQUEEZE", 43, 30, 2, 2, "squeeze_dims:ints"),
        Of("STRIDED_SLICE", 45, 32, 8, 2, Sliced),
        Of("EXP", 47, 33, 2, 2),
        Of("SPLIT", 49, 35, 4, 2, "num_splits:int"),
        Of("LOG_SOFTMAX", 50, 36, 2, 2),
        Of("CAST", 53, 37, 5, 1, "in_data_type:byte out_data_type:byte"),
        Of("PRELU", 54, 0, 1),
        Of("MAXIMUM", 55, 39, 4, 2),
        Of("ARG_MAX", 56, 40, 3, 2, "output_type:byte"),
        Of("MINIMUM", 57, 39, 4, 2),
        Of("LESS", 58, 41, 2, 2),
        Of("NEG", 59, 42, 1),
        Of("PADV2", 60, 43, 4, 2),
        Of("GREATER", 61, 44, 2, 2),
        Of("GREATER_EQUAL", 62, 45, 2, 2),
        Of("LESS_EQUAL", 63, 46, 2, 2),
        Of("SLICE", 65, 48, 6, 2),
        Of("SIN", 66, 0, 1),
        Of("TRANSPOSE_CONV", 67, 49, 5, 2, "padding:byte stride_w:int stride_h:int fused_activation_function:byte quantized_bias_type:byte"),
        Of("TILE", 69, 51, 3, 2),
        Of("EXPAND_DIMS", 70, 52, 1),
        Of("EQUAL", 71, 53, 4, 2),
        Of("LOG", 73, 0, 2, 2),
        Of("SUM", 74, 27, 2, 2, Reduced),
        Of("SQRT", 75, 0, 1),
        Of("RSQRT", 76, 0, 3, 2),
        Of("SHAPE", 77, 55, 1, 1, "out_type:byte"),
        Of("POW", 78, 56, 1),
        Of("ARG_MIN", 79, 57, 3, 2, "output_type:byte"),
        Of("REDUCE_PROD", 81, 27, 2, 2, Reduced),
        Of("REDUCE_MAX", 82, 27, 3, 2, Reduced),
        Of("PACK", 83, 59, 4, 2, "values_count:int axis:int"),
        Of("UNPACK", 88, 64, 4, 2, "num:int axis:int"),
        Of("REDUCE_MIN", 89, 27, 3, 2, Reduced),
        Of("SQUARE", 92, 66, 1),
        Of("RESIZE_NEAREST_NEIGHBOR", 97, 74, 4, 2, "align_corners:byte half_pixel_centers:byte"),
        Of("LEAKY_RELU", 98, 75, 2, 2, "alpha:float"),
        Of("SQUARED_DIFFERENCE", 99, 76, 2, 2),
        Of("MIRROR_PAD", 100, 77, 3, 2, "mode:byte"),
        Of("ABS", 101, 78, 1),
        Of("SPLIT_V", 102, 79, 2, 2, "num_splits:int"),
        Of("CEIL", 104, 0, 1),
        Of("COS", 108, 82, 1),
        Of("ELU", 111, 0, 2, 2),
        Of("QUANTIZE", 114, 89, 4, 1),
        Of("ROUND", 116, 0, 1),
        Of("HARD_SWISH", 117, 91, 1),
    ];

    /// <summary>The operations by their numbers.</summary>
    public static FrozenDictionary<int, LiteOp> ByCode { get; } = All.ToFrozenDictionary(op => op.Code);

    /// <summary>The operations by their names.</summary>
    public static FrozenDictionary<string, LiteOp> Named { get; } = All.ToFrozenDictionary(op => op.Name);

    private static LiteOp Of(string name, int code, int union, int newest, int integers = 1, string options = "") =>
        new(name, code, union, newest, integers, [.. options.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Option)]);

    private static LiteOption Option(string text)
    {
        string[] parts = text.Split(':', '=');
        return new(parts[0], Enum.Parse<OptionType>(parts[1], ignoreCase: true), parts.Length > 2 ? double.Parse(parts[2], CultureInfo.InvariantCulture) : 0);
    }
}
