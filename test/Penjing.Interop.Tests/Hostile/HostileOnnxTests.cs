using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Penjing.Interop.Onnx;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>
/// Injured ONNX files end in a model or in the one clear exception: without a hang, and without memory beyond what their own size warrants.
/// PENJING_FUZZ_SECONDS makes the run longer than its minute, PENJING_FUZZ_FROM starts it at another round.
/// </summary>
public class HostileOnnxTests
{
    private const int Rounds = 100_000, Seconds = 60;

    /// <summary>No reading of a small file takes as long, however loaded the machine is.</summary>
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    private readonly record struct Reading(long Since, string What);

    /// <summary>Seeded injuries of real files, and of written ones that have every operation.</summary>
    [Fact]
    public void Injured_files_are_refused_or_read()
    {
        (string Name, byte[] Bytes)[] files = [.. Corpus()];
        int from = Number("PENJING_FUZZ_FROM", 0), seconds = Number("PENJING_FUZZ_SECONDS", Seconds);
        int rounds = seconds == Seconds ? Rounds : int.MaxValue - from;
        long start = Stopwatch.GetTimestamp();
        int next = from - 1, done = 0, sound = 0;
        string? failure = null;
        var current = new ConcurrentDictionary<int, Reading>();
        Thread[] threads =
            [.. Enumerable.Range(0, Environment.ProcessorCount).Select(number => new Thread(() => Work(number), 16 << 20) { IsBackground = true })];
        foreach (Thread thread in threads) thread.Start();
        while (threads.Any(thread => !thread.Join(500)))
            if (current.Values.FirstOrDefault(reading => reading.What is not null && Stopwatch.GetElapsedTime(reading.Since) > patience).What is { } hanging)
                Assert.Fail($"no end after {patience}: {hanging}");
        double took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{done} injured files from round {from} on, {sound} of them still networks, in {took:f0} s");
        Assert.True(failure is null, failure);
        Assert.True(done >= 1000, $"only {done} injured files in {took:f0} s");
        Assert.InRange(sound, done / 100, done);

        void Work(int number)
        {
            while (Volatile.Read(ref failure) is null && Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
            {
                int round = Interlocked.Increment(ref next);
                if (round - from >= rounds) return;
                var random = new Random(round);
                (string name, byte[] file) = files[random.Next(files.Length)];
                string injuries = "not injured yet";
                try
                {
                    byte[] injured = OnnxMutation.Of(file, random, out injuries);
                    current[number] = new(Stopwatch.GetTimestamp(), $"round {round}, {name}: {injuries}");
                    if (Hostile.Read(injured)) Interlocked.Increment(ref sound);
                    Interlocked.Increment(ref done);
                }
                catch (Exception error)
                {
                    Volatile.Write(ref failure, $"round {round}, {name}: {injuries}\n{error}");
                }
            }
            current.TryRemove(number, out _);
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : otherwise;

    private static IEnumerable<(string Name, byte[] Bytes)> Corpus()
    {
        foreach (OpCase one in OpCases.All.GroupBy(one => one.Op.Name).SelectMany(group => group.Take(3)))
            if (Written(one.Graph()) is { } bytes) yield return (one.Name, bytes);
        for (int seed = 0; seed < 40; seed++)
            if (Written(seed % 2 == 0 ? RandomGraphs.Network(seed) : FoldableGraphs.Network(seed)) is { } bytes) yield return ($"seed {seed}", bytes);
        foreach (OnnxVariant variant in OpsetVariantTests.Variants) yield return ($"{variant}", variant.ToBytes());
        foreach ((string name, ModelProto model, _) in HostileClaimTests.Files()) yield return (name, model.ToByteArray());
        if (ConformanceData.Folder(out _) is { } folder)
            foreach (ConformanceCase one in ConformanceData.Suites.SelectMany(suite => ConformanceCase.Of(folder, suite)))
                yield return (one.Name, File.ReadAllBytes(Path.Combine(one.Folder, "model.onnx")));
        if (Repository.Shared("ultralight-face") is { } faces)
            foreach (string path in Directory.GetFiles(Path.GetDirectoryName(faces)!, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                for (int weight = 0; weight < 8; weight++) yield return (Path.GetFileName(path), File.ReadAllBytes(path));
    }

    private static byte[]? Written(Graph graph)
    {
        try
        {
            return OnnxWriter.ToBytes(new(graph));
        }
        catch (PenjingException)
        {
            return null;
        }
    }
}

/// <summary>One reading of a file that nobody vouches for.</summary>
internal static class Hostile
{
    /// <summary>
    /// Whether the file is a network; throws where reading it ends in anything but that or a <see cref="PenjingException"/>, or takes too much
    /// memory.
    /// </summary>
    /// <param name="file">The bytes.</param>
    /// <param name="reader">Who reads them; by default as ONNX.</param>
    public static bool Read(byte[] file, Func<byte[], Model>? reader = null)
    {
        long before = GC.GetAllocatedBytesForCurrentThread(), most = (96L << 20) + 256L * file.Length;
        try
        {
            _ = reader is null ? OnnxReader.Read(file) : reader(file);
            return true;
        }
        catch (PenjingException)
        {
            return false;
        }
        finally
        {
            long taken = GC.GetAllocatedBytesForCurrentThread() - before;
            if (taken > most) throw new InvalidOperationException($"{taken:N0} bytes of memory for a file of {file.Length:N0}");
        }
    }
}
