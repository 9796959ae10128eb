using Penjing.Training;

namespace Penjing.Cli;

/// <summary>What a network is run on: pictures and arrays, read as its inputs.</summary>
internal static class Inputs
{
    /// <summary>A file's values for an input, in its shape with any first extent.</summary>
    /// <exception cref="PenjingException">The file can't be read, holds another shape or type, or is a picture and the network doesn't say how it becomes
    /// the input.</exception>
    public static Tensor Read(string path, Model network, Node entry)
    {
        if (!string.Equals(Path.GetExtension(path), ".npy", StringComparison.OrdinalIgnoreCase))
            return Pictures.Load(path).ToInput(network.Preprocessing
                ?? throw new PenjingException($"'{path}': the model doesn't say how a picture becomes its input; give a .npy array of shape {entry.Shape}"),
                entry.Shape);
        Tensor array = Npy.Read(path);
        Shape own = entry.Shape, shape = array.Shape;
        if (shape.Rank == own.Rank - 1) shape = [1, .. shape];
        if (array.Type != ElementType.Float32 || shape.Rank != own.Rank || shape.With(0, own[0]) != own)
            throw new ShapeException($"'{path}' holds {array}, but the network takes {entry.Info} (any count in place of the first {own[0]})");
        return array.Reshape(shape);
    }
}
