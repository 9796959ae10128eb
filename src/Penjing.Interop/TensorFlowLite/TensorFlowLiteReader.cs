using System.Collections.Immutable;
using Penjing.Interop.TensorFlowLite;

namespace Penjing.Interop;

/// <summary>
/// Reads networks from TensorFlow Lite files. Pictures, N×H×W×C there, are N×C×H×W. Integers that stand for reals become these reals, at inputs and outputs too,
/// each rounded to what the integers can say: the engine computes such with the integers, and <see cref="Passes.ToFloats"/> makes a network of floats of it.
/// </summary>
public static class TensorFlowLiteReader
{
    private const long LongestFile = int.MaxValue;

    /// <summary>The network of a file.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or no TensorFlow Lite file, or the node that the message names is not understood.</exception>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    public static Model Read(string path) => ForeignFile.Of(path, LongestFile, Read);

    /// <summary>The network of a file's bytes.</summary>
    /// <exception cref="ModelFormatException">The bytes are damaged or no TensorFlow Lite file, or the node that the message names is not understood.</exception>
    public static Model Read(byte[] file)
    {
        try
        {
            FlatFile bytes = new(file);
            LiteModel model = LiteFile.Read(bytes);
            return Description.Describe(new(new LiteImport(model, bytes).Graph()) { Name = model.Name, Preprocessing = Pictures(model) }, model.Metadata);
        }
        catch (PenjingException error) when (error is not ModelFormatException)
        {
            throw new ModelFormatException(error.Message, error);
        }
    }

    /// <summary>The bytes of pixels in colour are an input of 8-bit integers, less 128 where these are signed.</summary>
    private static Preprocessing? Pictures(LiteModel model)
    {
        if (model.Inputs is not [>= 0 and var input] || input >= model.Tensors.Length) return null;
        if (model.Tensors[input] is not { Type: ElementType.UInt8 or ElementType.Int8, Shape: [_, _, _, 3], Quantization: { Axis: null, Scales: [var scale], ZeroPoints: [var zero] } } tensor) return null;
        float mean = tensor.Type is ElementType.UInt8 ? zero : zero + 128;
        return new(Channels.Rgb, [mean, mean, mean], [1 / scale, 1 / scale, 1 / scale], Fit.Stretch);
    }
}
