using System.Diagnostics;
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
