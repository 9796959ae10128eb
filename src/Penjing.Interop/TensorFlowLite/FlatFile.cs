namespace Penjing.Interop.TensorFlowLite;

/// <summary>A FlatBuffers file, of which much may point to one place: more than its allowance is not read.</summary>
/// <param name="bytes">The file's bytes.</param>
internal sealed class FlatFile(byte[] bytes) : Allowance(bytes.Length)
{
    /// <summary>The file's bytes.</summary>
    public byte[] Bytes => bytes;
}
