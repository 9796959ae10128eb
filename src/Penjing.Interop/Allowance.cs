namespace Penjing.Interop;

/// <summary>How much memory and work a foreign file may still claim: what its own size warrants.</summary>
/// <param name="length">The file's bytes.</param>
internal class Allowance(long length)
{
    private const int OfByte = 32;
    private const long MostWork = 1L << 30;
    private long left = OfByte * length + (16 << 20);

    /// <summary>Adds what so many bytes more of files warrant.</summary>
    public void Extend(long bytes) => left += OfByte * bytes;

    /// <summary>Takes bytes from the allowance; false where that is spent.</summary>
    public bool Afford(long bytes)
    {
        if (bytes > left) return false;
        left -= bytes;
        return true;
    }

    /// <summary>Takes bytes from the allowance.</summary>
    /// <exception cref="ModelFormatException">It is spent.</exception>
    public void Charge(long bytes)
    {
        if (!Afford(bytes)) throw new ModelFormatException($"a file of {length} bytes can't claim that many more");
    }

    /// <summary>Takes the memory and the work of computing a node whose inputs are known from the allowance; false where that is spent.</summary>
    public bool AffordValue(Node node)
    {
        if (node.Op is Einsum or RoiAlign) return false; // Their work is not bounded by what they read and make.
        long read = node.Inputs.Sum(input => (long)input.Shape.Elements * input.Info.Type.Size()), made = (long)node.Shape.Elements * node.Info.Type.Size();
        bool linear = node.Op is Elementwise or Binary or Where or Reduction or Reshape or Flatten or Squeeze or Unsqueeze or Transpose or Concat
            or Slice or Gather or Pad or Identity or Expand or Tile;
        long work = linear
            ? 0
            : Math.Max(1, read) * (double)Math.Max(1, made) > MostWork ? MostWork + 1 : read * made;
        if (node.Op is MatMul or Gemm)
        {
            Shape left = node.Inputs[0].Shape;
            work = (long)node.Shape.Elements * left[node.Op is Gemm { TransposeA: true } ? 0 : -1];
        }
        return work <= MostWork && Afford(read + 5 * made + work / 16);
    }
}
