using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Penjing.Training;

/// <summary>Makes TorchSharp load and run well on this machine; every touch of <c>torch</c> comes after <see cref="Start"/>.</summary>
internal static class TorchRuntime
{
    private const string Library = "libLibTorchSharp.so", Version = "GLIBCXX_3.4.32", Symbol = "_ZSt21ios_base_library_initv";
    private const uint VersionNeeded = 0x6ffffffe;
    private const ushort Weak = 2;
    private const int TrimThreshold = -1, TopPad = -2, MmapMax = -4, ArenaMax = -8;

    private static readonly Lock Gate = new();
    private static bool started;

    /// <summary>Prepares and loads torch, once a process; every call sets how many threads the calling thread's operations use.</summary>
    /// <exception cref="PenjingException">The native library can't be mended or loaded; the message says what to do.</exception>
    public static void Start(int threads = 1)
    {
        lock (Gate)
        {
            if (!started)
            {
                if (OperatingSystem.IsLinux()) Prepare();
                Load();
                if (OperatingSystem.IsLinux()) Quieten();
                started = true;
            }
        }
        torch.set_num_threads(threads);
    }

    /// <summary>Whether this processor has instructions for products of bfloat16: AVX-512's or AMX's.</summary>
    public static bool MultipliesBFloat16()
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7) return false;
        (int leaves, _, _, int matrices) = X86Base.CpuId(7, 0);
        return (matrices & 1 << 22) != 0 || (leaves >= 1 && Avx512F.IsSupported && (X86Base.CpuId(7, 1).Eax & 1 << 5) != 0);
    }

    private static void Prepare()
    {
        Tune();
        if (LacksVersion())
            foreach (string path in Copies()) Mend(path);
    }

    private static void Load()
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception error) when (error is NotSupportedException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            throw new PenjingException($"torch can't be loaded on this system ({RuntimeInformation.RuntimeIdentifier}): reference the libtorch package of this platform, "
                + $"see docs/training.md ({(error.InnerException ?? error).Message.Split('\n')[0]})", error);
        }
    }

    /// <summary>Keeps freed memory in the process: otherwise each step's tensors are mapped and page-faulted anew. Waiting OpenMP threads sleep.</summary>
    private static void Tune()
    {
        try
        {
            _ = mallopt(MmapMax, 0);
            _ = mallopt(TrimThreshold, int.MaxValue);
            _ = mallopt(TopPad, 256 << 20);
            _ = mallopt(ArenaMax, 1);
            _ = setenv("OMP_WAIT_POLICY", "passive", 0);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // A libc that is not glibc: only slower.
        }
    }

    /// <summary>Switches NNPACK off: where the processor is not one of its own it says so at every small convolution; oneDNN takes the others anyway.</summary>
    private static void Quieten()
    {
        try
        {
            SetUserEnabledNnpack(GlobalContext(), false);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another build of torch: only noisier.
        }
    }

    /// <summary>Whether the system's C++ library is older than the one that TorchSharp was linked against.</summary>
    private static bool LacksVersion() => !NativeLibrary.TryLoad("libstdc++.so.6", out nint library) || !NativeLibrary.TryGetExport(library, Symbol, out _);

    /// <summary>The copies of TorchSharp's native library beside the running program; never those of the package cache.</summary>
    private static IEnumerable<string> Copies()
    {
        string[] folders = [AppContext.BaseDirectory, Path.GetDirectoryName(typeof(torch).Assembly.Location) ?? ""];
        return folders.Where(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, Assembly.GetExecutingAssembly().GetName().Name + ".dll"))).Distinct()
            .SelectMany(folder => new[] { Path.Combine(folder, Library), Path.Combine(folder, "runtimes", "linux-x64", "native", Library) }).Where(File.Exists);
    }

    /// <summary>Marks the need for the newer C++ library as weak in a copy of TorchSharp's native library; the one symbol behind it is never called.</summary>
    /// <returns>Whether the file had to be changed. The change is a rename, so that a process that starts meanwhile sees one whole file or the other.</returns>
    /// <exception cref="PenjingException">The folder can't be written to.</exception>
    internal static bool Mend(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (FlagOffset(file) is not { } offset) return false;
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(offset));
        if ((flags & Weak) != 0) return false;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(offset), (ushort)(flags | Weak));
        string temporary = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}";
        try
        {
            File.WriteAllBytes(temporary, file);
            File.Move(temporary, path, overwrite: true);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"TorchSharp's library '{path}' needs {Version}, which this system's libstdc++ lacks, and can't be mended because its folder can't be written to: "
                + "make it writable for the first start, or install libstdc++ of GCC 13.2 or newer", error);
        }
        finally
        {
            try
            {
                File.Delete(temporary);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // It was never made.
            }
        }
    }

    /// <summary>Where the flags of the need for <see cref="Version"/> stand in a 64-bit little-endian ELF file, or null where there is no such need.</summary>
    internal static int? FlagOffset(ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file.StartsWith((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1])) return null;
        int sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[40..]), size = Half(file, 58), count = Half(file, 60);
        byte[] wanted = [.. System.Text.Encoding.ASCII.GetBytes(Version), 0];
        for (int section = 0; section < count; section++)
        {
            ReadOnlySpan<byte> header = file.Slice(sections + section * size, size);
            if (Word(header, 4) != VersionNeeded) continue;
            ReadOnlySpan<byte> names = file[(int)BinaryPrimitives.ReadUInt64LittleEndian(file[(sections + (int)Word(header, 40) * size + 24)..])..];
            int need = (int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
            for (uint needs = Word(header, 44); needs > 0; needs--)
            {
                int entry = need + (int)Word(file, need + 8);
                for (int entries = Half(file, need + 2); entries > 0; entries--)
                {
                    if (names[(int)Word(file, entry + 8)..].StartsWith(wanted)) return entry + 4;
                    entry += (int)Word(file, entry + 12);
                }
                need += (int)Word(file, need + 12);
            }
        }
        return null;

        static int Half(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);
        static uint Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
    }

    [DllImport("torch_cpu", EntryPoint = "_ZN2at13globalContextEv")]
    private static extern nint GlobalContext();

    [DllImport("torch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledNNPACKEb")]
    private static extern void SetUserEnabledNnpack(nint context, [MarshalAs(UnmanagedType.U1)] bool enabled);

    [DllImport("libc.so.6"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int mallopt(int parameter, int value);

    [DllImport("libc.so.6", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int setenv([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
