namespace Penjing;

/// <summary>How operations are stored: an object with the name under "op", then the attributes, for which each has a line here.</summary>
internal static class OpForms
{
    private static readonly Dictionary<string, Form.Description<Op>> forms = new()
    {
        [nameof(Input)] = Of<Input>((form, op) => new(form.Of(op?.Type), form.Of(op?.Shape))),
        [nameof(Conv)] = Of<Conv>((form, op) => new(
            form.Of(op?.Stride), form.Of(op?.Padding), form.Of(op?.Dilation), form.Of(op?.Groups, 1), form.IfAny(op?.Then, Activation))),
        [nameof(ConvTranspose)] = Of<ConvTranspose>((form, op) => new(
            form.Of(op?.Stride), form.Of(op?.Padding), form.Of(op?.Dilation), form.Of(op?.OutputPadding, default(Size)), form.Of(op?.Groups, 1))),
        [nameof(BatchNormalization)] = Of<BatchNormalization>((form, op) => new(form.Of(op?.Epsilon, 1e-5f))),
        [nameof(LRN)] = Of<LRN>((form, op) => new(form.Of(op?.Alpha), form.Of(op?.Beta), form.Of(op?.Bias), form.Of(op?.Size))),
        [nameof(PRelu)] = (_, _) => new PRelu(),
        [nameof(Softmax)] = Of<Softmax>((form, op) => new(form.Of(op?.Axis, -1))),
        [nameof(LogSoftmax)] = Of<LogSoftmax>((form, op) => new(form.Of(op?.Axis, -1))),
        [nameof(Hardmax)] = Of<Hardmax>((form, op) => new(form.Of(op?.Axis, -1))),
        [nameof(CumSum)] = Of<CumSum>((form, op) => new(form.Of(op?.Axis), form.Of(op?.Exclusive, false), form.Of(op?.Reverse, false))),
        [nameof(Relu)] = (_, _) => new Relu(),
        [nameof(Clip)] = Of<Clip>((form, op) => new(form.Of(op?.Min), form.Of(op?.Max))),
        [nameof(LeakyRelu)] = Of<LeakyRelu>((form, op) => new(form.Of(op?.Alpha, 0.01f))),
        [nameof(Sigmoid)] = (_, _) => new Sigmoid(),
        [nameof(HardSigmoid)] = Of<HardSigmoid>((form, op) => new(form.Of(op?.Alpha, 0.2f), form.Of(op?.Beta, 0.5f))),
        [nameof(HardSwish)] = (_, _) => new HardSwish(),
        [nameof(Tanh)] = (_, _) => new Tanh(),
        [nameof(Unary)] = Of<Unary>((form, op) => new(form.Of(op?.Function))),
        [nameof(IsInf)] = Of<IsInf>((form, op) => new(form.Of(op?.Negative, true), form.Of(op?.Positive, true))),
        [nameof(Elu)] = Of<Elu>((form, op) => new(form.Of(op?.Alpha, 1))),
        [nameof(Celu)] = Of<Celu>((form, op) => new(form.Of(op?.Alpha, 1))),
        [nameof(Selu)] = Of<Selu>((form, op) => new(form.Of(op?.Alpha, 1.67326319f), form.Of(op?.Gamma, 1.05070102f))),
        [nameof(ThresholdedRelu)] = Of<ThresholdedRelu>((form, op) => new(form.Of(op?.Alpha, 1))),
        [nameof(Shrink)] = Of<Shrink>((form, op) => new(form.Of(op?.Lambda, 0.5f), form.Of(op?.Bias, 0))),
        [nameof(Gelu)] = Of<Gelu>((form, op) => new(form.Of(op?.Tanh, false))),
        [nameof(Cast)] = Of<Cast>((form, op) => new(form.Of(op?.To))),
        [nameof(Add)] = Of<Add>((form, op) => new(form.IfAny(op?.Then, Activation))),
        [nameof(Sub)] = (_, _) => new Sub(),
        [nameof(Mul)] = (_, _) => new Mul(),
        [nameof(Div)] = (_, _) => new Div(),
        [nameof(Pow)] = (_, _) => new Pow(),
        [nameof(Min)] = (_, _) => new Min(),
        [nameof(Max)] = (_, _) => new Max(),
        [nameof(Mod)] = Of<Mod>((form, op) => new(form.Of(op?.Fmod, false))),
        [nameof(BitShift)] = Of<BitShift>((form, op) => new(form.Of(op?.Left))),
        [nameof(Equal)] = (_, _) => new Equal(),
        [nameof(Less)] = (_, _) => new Less(),
        [nameof(LessOrEqual)] = (_, _) => new LessOrEqual(),
        [nameof(Greater)] = (_, _) => new Greater(),
        [nameof(GreaterOrEqual)] = (_, _) => new GreaterOrEqual(),
        [nameof(And)] = (_, _) => new And(),
        [nameof(Or)] = (_, _) => new Or(),
        [nameof(Xor)] = (_, _) => new Xor(),
        [nameof(Where)] = (_, _) => new Where(),
        [nameof(Gemm)] = Of<Gemm>((form, op) => new(
            form.Of(op?.TransposeA, false), form.Of(op?.TransposeB, false), form.Of(op?.Alpha, 1), form.Of(op?.Beta, 1), form.IfAny(op?.Then, Activation))),
        [nameof(MatMul)] = (_, _) => new MatMul(),
        [nameof(Einsum)] = Of<Einsum>((form, op) => new(form.Of(op?.Equation))),
        [nameof(MaxPool)] = Of<MaxPool>((form, op) => new(
            form.Of(op?.Kernel), form.Of(op?.Stride), form.Of(op?.Padding), form.Of(op?.Dilation), form.Of(op?.CeilMode, false))),
        [nameof(AveragePool)] = Of<AveragePool>((form, op) => new(
            form.Of(op?.Kernel), form.Of(op?.Stride), form.Of(op?.Padding, default(Padding)), form.Of(op?.CeilMode, false),
            form.Of(op?.CountIncludePad, false))),
        [nameof(GlobalAveragePool)] = (_, _) => new GlobalAveragePool(),
        [nameof(GlobalMaxPool)] = (_, _) => new GlobalMaxPool(),
        [nameof(ReduceMean)] = Of<ReduceMean>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceSum)] = Of<ReduceSum>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceProd)] = Of<ReduceProd>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceMax)] = Of<ReduceMax>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceMin)] = Of<ReduceMin>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceL1)] = Of<ReduceL1>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceL2)] = Of<ReduceL2>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceLogSum)] = Of<ReduceLogSum>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceLogSumExp)] = Of<ReduceLogSumExp>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ReduceSumSquare)] = Of<ReduceSumSquare>((form, op) => new(form.Of(op?.Axes), form.Of(op?.KeepDims, true))),
        [nameof(ArgMax)] = Of<ArgMax>((form, op) => new(form.Of(op?.Axis, 0), form.Of(op?.KeepDims, true), form.Of(op?.SelectLast, false))),
        [nameof(ArgMin)] = Of<ArgMin>((form, op) => new(form.Of(op?.Axis, 0), form.Of(op?.KeepDims, true), form.Of(op?.SelectLast, false))),
        [nameof(Concat)] = Of<Concat>((form, op) => new(form.Of(op?.Axis))),
        [nameof(Slice)] = Of<Slice>((form, op) => new(form.Of(op?.Axis), form.Of(op?.Start), form.Of(op?.End), form.Of(op?.Step, 1))),
        [nameof(Gather)] = Of<Gather>((form, op) => new(form.Of(op?.Axis), form.Of(op?.Indices))),
        [nameof(Pad)] = Of<Pad>((form, op) => new(
            form.Of(op?.Axis), form.Of(op?.Before), form.Of(op?.After), form.Of(op?.Mode, PadMode.Constant), form.Of(op?.Value, 0))),
        [nameof(Reshape)] = Of<Reshape>((form, op) => new(form.Of(op?.Target))),
        [nameof(Flatten)] = Of<Flatten>((form, op) => new(form.Of(op?.Axis, 1))),
        [nameof(Transpose)] = Of<Transpose>((form, op) => new(form.Of(op?.Permutation))),
        [nameof(Squeeze)] = Of<Squeeze>((form, op) => new(form.Of(op?.Axes))),
        [nameof(Unsqueeze)] = Of<Unsqueeze>((form, op) => new(form.Of(op?.Axes))),
        [nameof(Expand)] = Of<Expand>((form, op) => new(form.Of(op?.Shape))),
        [nameof(Tile)] = Of<Tile>((form, op) => new(form.Of(op?.Repeats))),
        [nameof(Trilu)] = Of<Trilu>((form, op) => new(form.Of(op?.Upper, true), form.Of(op?.K, 0))),
        [nameof(Take)] = Of<Take>((form, op) => new(form.Of(op?.Axis, 0))),
        [nameof(GatherElements)] = Of<GatherElements>((form, op) => new(form.Of(op?.Axis, 0))),
        [nameof(GatherND)] = Of<GatherND>((form, op) => new(form.Of(op?.BatchDims, 0))),
        [nameof(ScatterElements)] = Of<ScatterElements>((form, op) => new(form.Of(op?.Axis, 0), form.Of(op?.Reduction, ScatterReduction.None))),
        [nameof(ScatterND)] = Of<ScatterND>((form, op) => new(form.Of(op?.Reduction, ScatterReduction.None))),
        [nameof(TopK)] = Of<TopK>((form, op) => new(form.Of(op?.Axis), form.Of(op?.K), form.Of(op?.Largest, true), form.Of(op?.Sorted, true))),
        [nameof(TopKIndices)] = Of<TopKIndices>((form, op) => new(form.Of(op?.Axis), form.Of(op?.K), form.Of(op?.Largest, true), form.Of(op?.Sorted, true))),
        [nameof(OneHot)] = Of<OneHot>((form, op) => new(form.Of(op?.Depth), form.Of(op?.Axis, -1))),
        [nameof(Resize)] = Of<Resize>((form, op) => new(
            form.Of(op?.Output), form.Of(op?.Mode, ResizeMode.Nearest), form.Of(op?.Coordinates, CoordinateMode.HalfPixel),
            form.Of(op?.Nearest, NearestMode.RoundPreferFloor), form.Of(op?.ScaleHeight, 0), form.Of(op?.ScaleWidth, 0), form.Of(op?.CubicA, -0.75f),
            form.Of(op?.ExcludeOutside, false), form.IfAny(op?.Crop, Region), form.Of(op?.Extrapolation, 0))),
        [nameof(GridSample)] = Of<GridSample>((form, op) => new(
            form.Of(op?.Mode, ResizeMode.Linear), form.Of(op?.Padding, GridPadding.Zeros), form.Of(op?.AlignCorners, false))),
        [nameof(RoiAlign)] = Of<RoiAlign>((form, op) => new(
            form.Of(op?.Output), form.Of(op?.SamplingRatio, 0), form.Of(op?.SpatialScale, 1), form.Of(op?.Mode, RoiMode.Avg), form.Of(op?.HalfPixel, true))),
        [nameof(QuantizeLinear)] = Of<QuantizeLinear>((form, op) => new(form.Of(op?.To), form.Of(op?.Quantization, Quantization))),
        [nameof(DequantizeLinear)] = (_, _) => new DequantizeLinear(),
        [nameof(Reinterpret)] = Of<Reinterpret>((form, op) => new(form.IfAny(op?.Quantization, Quantization))),
        [nameof(Identity)] = (_, _) => new Identity(),
        [nameof(Dropout)] = Of<Dropout>((form, op) => new(form.Of(op?.Ratio, 0.5f))),
    };

    /// <summary>Any operation but constants, which are stored as tensors.</summary>
    /// <exception cref="PenjingException">An operation is to be written that files don't know, or read, and there is none of its name.</exception>
    public static Op Op(Form form, Op? op)
    {
        string name = form.Of(op?.GetType().Name, name: "op");
        return forms.TryGetValue(name, out Form.Description<Op>? known) ? known(form, op)
            : throw form.Error($"is a '{name}', which is no operation that files have");
    }

    private static Activation Activation(Form form, Activation? op) =>
        Op(form, op) is Activation known ? known : throw form.Error("is no activation");

    /// <summary>How the integers of a value stand for reals.</summary>
    public static Quantization Quantization(Form form, Quantization? it) => new(form.Of(it?.Scales), form.Of(it?.ZeroPoints), form.IfAny(it?.Axis));

    private static Region Region(Form form, Region? it) => new(form.Of(it?.Top), form.Of(it?.Left), form.Of(it?.Bottom), form.Of(it?.Right));

    private static Form.Description<Op> Of<T>(Form.Description<T> form) where T : Op => (outer, op) => form(outer, (T?)op);
}
