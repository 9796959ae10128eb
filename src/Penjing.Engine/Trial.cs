using System.Diagnostics;

namespace Penjing.Engine;

/// <summary>A kernel run by itself on seeded noise, to see how long it takes.</summary>
/// <param name="BestMs">The shortest run, in milliseconds: what it takes where nothing else disturbs.</param>
/// <param name="MedianMs">The median run.</param>
/// <param name="ScratchBytes">Bytes of scratch memory.</param>
/// <param name="PackedBytes">Bytes of native memory that the kernel holds: its packed weights.</param>
internal sealed record Trial(double BestMs, double MedianMs, long ScratchBytes, long PackedBytes)
{
    /// <summary>Runs the row's kernel on this many threads for about so many milliseconds, five times at least.</summary>
    public static unsafe Trial Of(KernelRow row, Site site, int threads, double milliseconds)
    {
        long before = NativeBuffer.Live;
        using Kernel kernel = row.Create(site);
        long packed = NativeBuffer.Live - before;
        NativeBuffer?[] inputs = [.. site.Node.Inputs.Select((input, i) => input.Value is null ? Noise(input, site.InputPitches[i]) : null)];
        using NativeBuffer output = Zeros(site.Node, site.OutputPitch), scratch = new(kernel.ScratchBytes);
        void** pointers = stackalloc void*[inputs.Length + 1];
        for (int i = 0; i < inputs.Length; i++) pointers[i] = inputs[i] is { } buffer ? buffer.Pointer : null;
        Operands operands = new(pointers, output.Pointer, scratch.Pointer);
        Team? team = threads > 1 ? new(threads) : null;
        int seat = team is null ? -1 : WorkerPool.Shared.Enter(team);
        try
        {
            Measure(kernel, team, operands, milliseconds / 4);
            double[] times = Measure(kernel, team, operands, milliseconds);
            return new(times[0], times[times.Length / 2], kernel.ScratchBytes, packed);
        }
        finally
        {
            if (team is not null) WorkerPool.Shared.Exit(seat);
            foreach (NativeBuffer? input in inputs) input?.Dispose();
        }
    }

    private static double[] Measure(Kernel kernel, Team? team, in Operands operands, double milliseconds)
    {
        var times = new List<double>();
        for (long start = Stopwatch.GetTimestamp(); times.Count < 5 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds;)
        {
            long begin = Stopwatch.GetTimestamp();
            kernel.Run(team, operands);
            times.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }
        return [.. times.Order()];
    }

    private static NativeBuffer Zeros(Node node, int pitch)
    {
        long pixels = node.Shape.Rank == 4 ? (long)node.Shape.Elements / node.Shape[1] : node.Shape.Elements;
        return new(pixels * Math.Max(pitch, 1) * node.Info.Type.Size());
    }

    private static unsafe NativeBuffer Noise(Node node, int pitch)
    {
        NativeBuffer buffer = Zeros(node, pitch);
        if (node.Info.Type != ElementType.Float32) return buffer;
        var random = new Random(1);
        for (long i = 0; i < buffer.Bytes / sizeof(float); i++) buffer.Floats[i] = random.NextSingle() - 0.5f;
        return buffer;
    }
}
