using TorchSharp;

namespace Penjing.Training.Tests;

/// <summary>Torch's library is mended where it must be, once, whoever comes first.</summary>
public sealed class TorchRuntimeTests
{
    [Fact]
    public void A_library_is_mended_once_and_by_rename()
    {
        using Samples samples = new();
        string path = samples.Write(Unmended(), "library.so");
        Assert.True(TorchRuntime.Mend(path));
        byte[] mended = File.ReadAllBytes(path);
        Assert.False(TorchRuntime.Mend(path));
        Assert.Equal(mended, File.ReadAllBytes(path));
        Assert.Equal(["library.so"], Directory.GetFiles(samples.Folder).Select(Path.GetFileName));
        Assert.Equal(1, mended.Zip(Unmended()).Count(pair => pair.First != pair.Second));
    }

    [Fact]
    public void Several_may_mend_at_once()
    {
        using Samples samples = new();
        byte[] before = Unmended();
        string path = samples.Write(before, "library.so");
        Parallel.For(0, 8, _ => TorchRuntime.Mend(path));
        Assert.False(TorchRuntime.Mend(path));
        Assert.Equal(before.Length, new FileInfo(path).Length);
        Assert.Single(Directory.GetFiles(samples.Folder));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_gives_one_clear_error()
    {
        using Samples samples = new();
        string path = samples.Write(Unmended(), new string('x', 250));
        string message = Assert.Throws<PenjingException>(() => TorchRuntime.Mend(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains("writ", message);
        Assert.Single(Directory.GetFiles(samples.Folder));
    }

    [Fact]
    public void What_is_no_such_library_is_left_alone()
    {
        using Samples samples = new();
        foreach (byte[] other in new byte[][] { [], [1, 2, 3], new byte[100] })
            Assert.False(TorchRuntime.Mend(samples.Write(other, "other.so")));
    }

    /// <summary>TorchSharp's own library as its package has it.</summary>
    private static byte[] Unmended()
    {
        TorchRuntime.Start();
        string folder = Path.GetDirectoryName(typeof(torch).Assembly.Location)!;
        string? path = new[] { Path.Combine(folder, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"), Path.Combine(folder, "libLibTorchSharp.so") }.FirstOrDefault(File.Exists);
        if (path is null) Assert.Skip("TorchSharp's library for Linux is not beside the test");
        byte[] file = File.ReadAllBytes(path);
        if (TorchRuntime.FlagOffset(file) is { } offset) file[offset] &= 0xfd;
        return file;
    }
}
