using System.Globalization;
using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>What this process may run on.</summary>
internal static unsafe partial class Processors
{
    private const int MaskWords = 16;

    /// <summary>Physical processors this process may use, at least 1; where the system doesn't tell them from their hardware threads, all of those.</summary>
    public static int Physical { get; } = Math.Clamp(Cores() ?? int.MaxValue, 1, Environment.ProcessorCount);

    /// <summary>The processor's name, family and model, as the system tells them; the architecture where it doesn't.</summary>
    public static string Name { get; } = Named() ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string? Named()
    {
        const string info = "/proc/cpuinfo";
        try
        {
            if (!File.Exists(info)) return null;
            // x86 tells the first three, Arm the others.
            string[] keys = ["model name", "cpu family", "model", "CPU implementer", "CPU part", "CPU variant"];
            ILookup<string, string> told = File.ReadLines(info).TakeWhile(line => line.Length > 0).Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
                .ToLookup(pair => pair[0].Trim(), pair => pair[1].Trim());
            string name = string.Join(' ', keys.Where(told.Contains).Select(key => key == "model name" ? told[key].First() : $"{key.Split(' ')[^1]} {told[key].First()}"));
            return name.Length > 0 ? name : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The calling thread's number, by which the system knows it; 0 where it has none that this class can use.</summary>
    public static int Thread => OperatingSystem.IsLinux() ? Try(&CurrentThread) : 0;

    /// <summary>
    /// Wakes a sleeping thread on another processor than the caller's, where the system can. Left alone, Linux may wake it on its waker's, even when another
    /// one idles, where the two take turns until the system's next look round, some milliseconds later.
    /// </summary>
    /// <param name="thread">The thread's number.</param>
    /// <param name="wake">What wakes it.</param>
    public static void WakeElsewhere(int thread, Action wake)
    {
        ulong* mask = stackalloc ulong[MaskWords], others = stackalloc ulong[MaskWords];
        int processor = thread > 0 ? Try(&CurrentProcessor) : -1;
        bool moves = processor is >= 0 and < MaskWords * 64 && GetAffinity(thread, MaskWords * sizeof(ulong), mask) == 0;
        if (moves)
        {
            for (int i = 0; i < MaskWords; i++) others[i] = mask[i];
            others[processor / 64] &= ~(1UL << processor);
            moves = SetAffinity(thread, MaskWords * sizeof(ulong), others) == 0;
        }
        wake();
        if (moves) SetAffinity(thread, MaskWords * sizeof(ulong), mask);
    }

    private static int Try(delegate*<int> call)
    {
        try
        {
            return call();
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int CurrentProcessor();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, ulong* mask);

    private static int? Cores()
    {
        const string root = "/sys/devices/system/cpu";
        try
        {
            if (!OperatingSystem.IsLinux() || !Directory.Exists(root)) return null;
            var cores = new HashSet<(string, string)>();
            for (int cpu = 0; Directory.Exists(Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"))); cpu++)
            {
                string topology = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"), "topology");
                if (Directory.Exists(topology))
                    cores.Add((File.ReadAllText(Path.Combine(topology, "physical_package_id")), File.ReadAllText(Path.Combine(topology, "core_id"))));
            }
            return cores.Count > 0 ? cores.Count : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
