using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Penjing.Interop.Onnx;

namespace Penjing.Interop.Tests;

/// <summary>How far the opsets go that are understood.</summary>
public class OpsetTests
{
    /// <summary>The newest opset that is read is the newest that ONNX Runtime runs.</summary>
    [Fact]
    public void The_newest_is_the_runtime_s()
    {
        ModelProto proto = OnnxWriter.ToProto(new(new Graph(new Node("y", new Relu(), new Node("x", new Input(ElementType.Float32, [1, 2]))))));
        int newest = Enumerable.Range(1, 60).Last(version => Runs(At(proto, version)));
        Assert.Equal(OnnxReader.Newest, newest);
        _ = OnnxReader.Read(At(proto, newest));
        Assert.Contains($"opset {newest + 1}", Assert.Throws<ModelFormatException>(() => OnnxReader.Read(At(proto, newest + 1))).Message);
    }

    private static byte[] At(ModelProto proto, int version)
    {
        ModelProto other = proto.Clone();
        other.OpsetImport[0].Version = version;
        return other.ToByteArray();
    }

    private static bool Runs(byte[] file)
    {
        try
        {
            using var session = new InferenceSession(file);
            return true;
        }
        catch (OnnxRuntimeException)
        {
            return false;
        }
    }
}
