using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>What does it cost to share a run out among threads, and what is won?</summary>
internal static class Threads
{
    /// <summary>Measures the pool by itself and on networks, and writes threads.md.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        int threads = Math.Max(2, Processors.Physical);
        var text = new StringBuilder($"""
            # Threads

            {Machine.Describe()}.
            `{Machine.Command()}`

            ## The pool

            Microseconds, medians; {threads} threads. A phase of nothing: what a phase costs besides its tasks. Second thread at work: from a run's beginning until
            another thread works on its first phase, after the pool had nothing to do for a while; half of what a run loses by it, the other half being the caller's.

            | | µs |
            | --- | ---: |

            """.ReplaceLineEndings("\n"));
        void Row(FormattableString row)
        {
            string line = FormattableString.Invariant(row);
            Console.WriteLine(line);
            text.Append(line).Append('\n');
        }
        foreach (int tasks in (int[])[threads, 8, 32]) Row($"| a phase of {tasks} tasks of nothing | {Phase(threads, tasks):F2} |");
        Row($"| a phase in which all {threads} threads take part | {Phase(threads, threads, threads):F2} |");
        foreach (double idle in (double[])[0, 0.1, 1, 100]) Row($"| second thread at work after {idle} ms | {Wake(threads, idle):F1} |");
        Row($"| processor time of the pool for a run of nothing every 5 ms | {Idle(threads):F1} |");
        Row($"| gain of {threads} threads at multiply-adds in registers | {Gain(threads, new Multiplying(threads)):F2} |");
        Row($"| gain of {threads} threads at reading {Reading.Bytes >> 20} MB each | {Gain(threads, new Reading(threads)):F2} |");
        string[] networks = arguments.Networks(Networks.Peers);
        text.Append($"""

            ## One session on one and on {threads} threads, and two at once

            Milliseconds, medians in turns. Two at once: each of {threads} threads, on a thread of its own, run for the same time; slowdown = their median / one alone on one thread.

            | network | 1 thread | {threads} threads | gain | two at once | slowdown |
            | --- | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (string network in networks)
        {
            Model model = Networks.Named(network);
            using Session single = new(model, new(1)), many = new(model, new(threads)), other = new(model, new(threads));
            Turn[] turns = Turns.Measure([Runner(single), Runner(many)], arguments.Seconds);
            double both = Both(Runner(many), Runner(other), arguments.Seconds / 2);
            Row($"| {network} | {turns[0].MedianMs:F3} | {turns[1].MedianMs:F3} | {turns[0].MedianMs / turns[1].MedianMs:F2} | {both:F3} | {both / turns[0].MedianMs:F2} |");
        }
        File.WriteAllText(Path.Combine(folder, "threads.md"), text.ToString());
        return 0;
    }

    private static Action Runner(Session session)
    {
        var random = new Random(1);
        float[] input = [.. Enumerable.Range(0, session.Inputs[0].Info.Shape.Elements).Select(_ => random.NextSingle())];
        var output = new float[session.Outputs[0].Info.Shape.Elements];
        return () => session.Run(input, output);
    }

    private static double Both(Action first, Action second, double seconds)
    {
        using var start = new Barrier(2);
        var times = new List<double>();
        void Work(Action run)
        {
            var own = new List<double>();
            start.SignalAndWait();
            for (long begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds;) own.Add(Turns.Time(run));
            lock (times) times.AddRange(own.Skip(own.Count / 10));
        }
        Thread thread = new(() => Work(second));
        thread.Start();
        Work(first);
        thread.Join();
        return Turns.At([.. times.Order()], 0.5);
    }

    private static double Phase(int threads, int tasks, int together = 0)
    {
        Team team = new(threads);
        using Meeting kernel = new(tasks, together);
        int place = WorkerPool.Shared.Enter(team);
        var times = new List<double>();
        for (int batch = 0; batch < 300; batch++)
            times.Add(Turns.Time(() =>
            {
                for (int i = 0; i < 1000; i++)
                {
                    kernel.Reset();
                    team.Run(kernel, 0, tasks, default);
                }
            }));
        WorkerPool.Shared.Exit(place);
        return Turns.At([.. times.Skip(50).Order()], 0.5);
    }

    /// <summary>What the machine itself gains by more threads, at tasks that share nothing.</summary>
    private static double Gain(int threads, Kernel kernel)
    {
        Team team = new(threads);
        int place = WorkerPool.Shared.Enter(team);
        var gains = new List<double>();
        for (int round = 0; round < 200; round++)
        {
            double one = Turns.Time(() => kernel.Run(null, default));
            // The first wakes the other threads.
            kernel.Run(team, default);
            gains.Add(one / Turns.Time(() => kernel.Run(team, default)));
        }
        WorkerPool.Shared.Exit(place);
        return Turns.At([.. gains.Skip(20).Order()], 0.5);
    }

    private static double Wake(int threads, double idleMs)
    {
        Team team = new(threads);
        using Meeting kernel = new(2, 2);
        var times = new List<double>();
        for (int run = 0; run < (idleMs > 10 ? 30 : 1000); run++)
        {
            if (idleMs >= 1) Thread.Sleep(TimeSpan.FromMilliseconds(idleMs));
            else
                for (long begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin).TotalMilliseconds < idleMs;) Thread.SpinWait(1);
            times.Add(Turns.Time(() =>
            {
                kernel.Reset();
                int place = WorkerPool.Shared.Enter(team);
                team.Run(kernel, 0, 2, default);
                WorkerPool.Shared.Exit(place);
            }));
        }
        return Turns.At([.. times.Skip(5).Order()], 0.5) * 1e3;
    }

    private static double Idle(int threads)
    {
        Team team = new(threads);
        using Meeting kernel = new(2, 0);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        const int runs = 200;
        for (int run = 0; run < runs; run++)
        {
            Thread.Sleep(5);
            int place = WorkerPool.Shared.Enter(team);
            team.Run(kernel, 0, 2, default);
            WorkerPool.Shared.Exit(place);
        }
        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / runs;
    }

    /// <summary>A task for each thread of multiply-adds in registers.</summary>
    private sealed class Multiplying(int tasks) : Kernel
    {
        public override string Label => "multiplying";

        public override int Tasks(int phase) => tasks;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Run(int phase, int task, in Operands operands)
        {
            Vector<float> x = new(0.5f), y = new(1);
            Vector<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y;
            for (int step = 0; step < 500_000; step++)
            {
                a = Vector.FusedMultiplyAdd(a, x, y);
                b = Vector.FusedMultiplyAdd(b, x, y);
                c = Vector.FusedMultiplyAdd(c, x, y);
                d = Vector.FusedMultiplyAdd(d, x, y);
                e = Vector.FusedMultiplyAdd(e, x, y);
                f = Vector.FusedMultiplyAdd(f, x, y);
                g = Vector.FusedMultiplyAdd(g, x, y);
                h = Vector.FusedMultiplyAdd(h, x, y);
            }
            if (Vector.Sum(a + b + c + d + e + f + g + h) == 0) throw new InvalidOperationException();
        }
    }

    /// <summary>A task for each thread that reads memory of its own.</summary>
    private sealed class Reading(int tasks) : Kernel
    {
        public const int Bytes = 64 << 20;

        private readonly float[][] memory = [.. Enumerable.Range(1, tasks).Select(i => Enumerable.Repeat((float)i, Bytes / sizeof(float)).ToArray())];

        public override string Label => "reading";

        public override int Tasks(int phase) => tasks;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Run(int phase, int task, in Operands operands)
        {
            Vector<float> a = default, b = default, c = default, d = default;
            ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(memory[task]);
            for (int i = 0; i + 3 < vectors.Length; i += 4) (a, b, c, d) = (a + vectors[i], b + vectors[i + 1], c + vectors[i + 2], d + vectors[i + 3]);
            if (Vector.Sum(a + b + c + d) == 0) throw new InvalidOperationException();
        }
    }

    /// <summary>Tasks of nothing, of which some number must be at work at once before any of them ends.</summary>
    private sealed class Meeting(int tasks, int together) : Kernel
    {
        private int begun;

        public override string Label => "meeting";

        public override int Tasks(int phase) => tasks;

        public void Reset() => begun = 0;

        public override void Run(int phase, int task, in Operands operands)
        {
            if (together == 0) return;
            Interlocked.Increment(ref begun);
            while (Volatile.Read(ref begun) < together) Thread.SpinWait(1);
        }
    }
}
