namespace Penjing.Testing;

/// <summary>The ONNX files of shared/data: networks that nobody here made.</summary>
public static class OutsideNetworks
{
    /// <summary>Each file's folder and name.</summary>
    public static IReadOnlyList<(string Folder, string File)> Files { get; } =
    [
        ("cifar-resnet20", "resnet20_cifar10.onnx"),
        ("portrait-segmentation", "prisma_nchw.onnx"),
        ("squeezenet-v1.0-deepcompression", "squeezenet_v1.0.onnx"),
        ("ultralight-face", "version-RFB-320.onnx"),
        ("ultralight-face", "version-RFB-320_simplified.onnx"),
        ("ultralight-face", "version-slim-320.onnx"),
        ("ultralight-face", "version-slim-320_simplified.onnx"),
    ];
}
