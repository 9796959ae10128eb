using System.Runtime.InteropServices;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>Tensors of Penjing as tensors of torch, and back; both copy.</summary>
internal static class TorchTensors
{
    /// <summary>Torch's name of an element type.</summary>
    public static torch.ScalarType ToTorch(this ElementType type) => type switch
    {
        ElementType.Float32 => torch.ScalarType.Float32,
        ElementType.Float16 => torch.ScalarType.Float16,
        ElementType.Int8 => torch.ScalarType.Int8,
        ElementType.UInt8 => torch.ScalarType.Byte,
        ElementType.Int32 => torch.ScalarType.Int32,
        ElementType.Int64 => torch.ScalarType.Int64,
        ElementType.Float64 => torch.ScalarType.Float64,
        ElementType.Int16 => torch.ScalarType.Int16,
        ElementType.Bool => torch.ScalarType.Bool,
        _ => throw new PenjingException($"training doesn't know elements of {type}"),
    };

    /// <summary>The extents as torch takes them.</summary>
    public static long[] ToTorch(this Shape shape) => [.. shape.Select(extent => (long)extent)];

    /// <summary>A row-major copy.</summary>
    public static TorchTensor ToTorch(this Tensor tensor)
    {
        TorchTensor copy = torch.empty(tensor.Shape.ToTorch(), dtype: tensor.Type.ToTorch());
        if (tensor.Shape.Elements > 0) tensor.Bytes.Span.CopyTo(copy.bytes);
        return copy;
    }

    /// <summary>
    /// A vector in torch's own, aligned memory: one over .NET's lies where the garbage collector put it, and MKL's products, to the last bit,
    /// depend on how their operands are aligned.
    /// </summary>
    public static TorchTensor Of(ReadOnlySpan<float> values)
    {
        TorchTensor vector = torch.empty(values.Length);
        if (values.Length > 0) values.CopyTo(vector.Floats());
        return vector;
    }

    /// <summary>A copy, whatever the strides.</summary>
    public static Tensor ToPenjing(this TorchTensor tensor, ElementType type)
    {
        using TorchTensor plain = tensor.detach().contiguous();
        Shape shape = [.. plain.shape.Select(extent => (int)extent)];
        return new(type, shape, shape.Elements > 0 ? plain.bytes.ToArray() : []);
    }

    /// <summary>The elements of a row-major float tensor, in place.</summary>
    public static Span<float> Floats(this TorchTensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>The elements of a row-major Int64 tensor, in place.</summary>
    public static Span<long> Longs(this TorchTensor tensor) => MemoryMarshal.Cast<byte, long>(tensor.bytes);

    /// <summary>A Float32 value in bfloat16: the same exponents, 8 bits of a significand.</summary>
    public static TorchTensor AsBFloat16(this TorchTensor tensor) => tensor.dtype is torch.ScalarType.Float32 ? tensor.to_type(torch.ScalarType.BFloat16) : tensor;

    /// <summary>A bfloat16 value in Float32.</summary>
    public static TorchTensor AsFloat32(this TorchTensor tensor) => tensor.dtype is torch.ScalarType.BFloat16 ? tensor.to_type(torch.ScalarType.Float32) : tensor;

    /// <summary>Floats whose channels lie last, as pictures of a network's input.</summary>
    public static TorchTensor AsPictures(this TorchTensor floats, Shape input) => floats.view(-1, input[2], input[3], input[1]).permute(0, 3, 1, 2);

    /// <summary>The same rank-4 value with its channels last in memory, where convolution, depthwise above all, is fastest.</summary>
    public static TorchTensor ChannelsLast(this TorchTensor tensor)
    {
        TorchTensor last = tensor.permute(0, 2, 3, 1).contiguous();
        // Where there is a single pixel both orders are one in memory; the strides of a fresh view still tell torch which is meant.
        if (tensor.shape[2] == 1 && tensor.shape[3] == 1) last = last.reshape(tensor.shape[0], tensor.shape[1]).reshape(last.shape);
        return last.permute(0, 3, 1, 2);
    }
}
