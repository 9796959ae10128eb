using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>
/// The threads that all sessions of the process share. A run wakes workers when it begins; they stay with it to its end, then spin for some microseconds
/// in case another follows, and sleep. Callers and workers together are no more than the processors, unless one session asks for more; a caller works
/// too and waits only for tasks that run, so nothing here can deadlock, however many sessions run at once.
/// </summary>
internal sealed class WorkerPool
{
    private const int Most = 255;
    private static readonly long patience = Stopwatch.Frequency / 20_000;

    private readonly Team?[] teams = new Team?[64];
    private readonly Lock growth = new();
    private Worker[] workers = [];
    private Counts counts;

    private WorkerPool() { }

    /// <summary>The pool of this process.</summary>
    public static WorkerPool Shared { get; } = new();

    /// <summary>Starts threads until there are this many.</summary>
    public void Grow(int count)
    {
        lock (growth)
        {
            while (workers.Length < Math.Min(count, Most)) workers = [.. workers, new(this, workers.Length)];
        }
    }

    /// <summary>
    /// Begins a run on the caller's thread and wakes the workers of its team, if it has one; what <see cref="Exit"/> takes: −1 for a run without a team,
    /// or where too many teams are at work already, and the caller works alone.
    /// </summary>
    public int Enter(Team? team)
    {
        Interlocked.Increment(ref counts.Callers);
        if (team is null) return -1;
        team.Enter();
        for (int place = 0; place < teams.Length; place++)
            if (Interlocked.CompareExchange(ref teams[place], team, null) is null)
            {
                Ring(team);
                return place;
            }
        team.Exit();
        return -1;
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Exit(int place)
    {
        if (place >= 0)
        {
            teams[place]!.Exit();
            Volatile.Write(ref teams[place], null);
        }
        Interlocked.Decrement(ref counts.Callers);
    }

    /// <summary>Whether more threads work than there are processors, or than one session asks for, where that is more.</summary>
    public bool IsCrowded(int threads) => Room(threads) < 0;

    /// <summary>Wakes workers for the free seats of a team, if any sleep and none is on its way; called after the team or its tasks are published by a full fence.</summary>
    public void Ring(Team team)
    {
        if (Volatile.Read(ref counts.Sleepers) <= 0 || !team.IsEntered || Volatile.Read(ref counts.Coming) > 0) return;
        int wanted = Math.Min(team.Free, Room(team.Threads));
        Worker[] all = Volatile.Read(ref workers);
        for (int i = 0; i < all.Length && wanted > 0; i++)
            if (all[i].Ring(elsewhere: team.Threads <= Processors.Physical)) wanted--;
    }

    /// <summary>How many more threads may work, by what this many threads of one session allow.</summary>
    private int Room(int threads) => Math.Max(Processors.Physical, threads) - Volatile.Read(ref counts.Callers) - Volatile.Read(ref counts.Seated);

    /// <summary>Joins a run that has a seat free; null where there is none, true if it has ended, false if the worker had better sleep.</summary>
    private bool? Help(int worker)
    {
        foreach (ref Team? place in teams.AsSpan())
        {
            if (Volatile.Read(ref place) is not { IsEntered: true, Free: > 0 } team) continue;
            Interlocked.Increment(ref counts.Seated);
            bool? ended = IsCrowded(team.Threads) ? null : team.Help(worker);
            Interlocked.Decrement(ref counts.Seated);
            if (ended is not null) return ended;
        }
        return null;
    }

    /// <summary>Whether a run has tasks, a free seat and a processor for one more thread.</summary>
    private bool HasWork()
    {
        foreach (ref Team? place in teams.AsSpan())
            if (Volatile.Read(ref place) is { IsEntered: true, Free: > 0, HasTasks: true } team && Room(team.Threads) > 0) return true;
        return false;
    }

    /// <summary>One thread of the pool.</summary>
    private sealed class Worker
    {
        private const int Awake = 0, Asleep = 1, Rung = 2;

        private readonly WorkerPool pool;
        private readonly int number;
        // An event of the system's: a monitor makes objects on its caller's thread when two threads meet at it.
        private readonly AutoResetEvent bell = new(false);
        private readonly Action pulse;
        private int state, thread;

        public Worker(WorkerPool pool, int number)
        {
            (this.pool, this.number) = (pool, number);
            pulse = () => bell.Set();
            new Thread(Serve) { IsBackground = true, Name = "Penjing worker" }.Start();
        }

        /// <summary>Wakes the worker if it sleeps; whether it slept.</summary>
        /// <param name="elsewhere">Whether there is a processor for it besides the caller's.</param>
        public bool Ring(bool elsewhere)
        {
            if (Volatile.Read(ref state) != Asleep || Interlocked.CompareExchange(ref state, Rung, Asleep) != Asleep) return false;
            Interlocked.Decrement(ref pool.counts.Sleepers);
            Interlocked.Increment(ref pool.counts.Coming);
            if (elsewhere) Processors.WakeElsewhere(thread, pulse);
            else pulse();
            return true;
        }

        private void Serve()
        {
            thread = Processors.Thread;
            while (true)
            {
                Sleep();
                long idle = Stopwatch.GetTimestamp();
                do
                {
                    bool? ended = pool.Help(number);
                    if (ended is false) break;
                    if (ended is true) idle = Stopwatch.GetTimestamp();
                    else Thread.SpinWait(4);
                }
                while (Stopwatch.GetTimestamp() - idle < patience && pool.Room(0) > 0);
            }
        }

        private void Sleep()
        {
            Interlocked.Exchange(ref state, Asleep);
            Interlocked.Increment(ref pool.counts.Sleepers);
            if (pool.HasWork() && Interlocked.CompareExchange(ref state, Awake, Asleep) == Asleep)
            {
                Interlocked.Decrement(ref pool.counts.Sleepers);
                return;
            }
            while (Volatile.Read(ref state) == Asleep) bell.WaitOne();
            Volatile.Write(ref state, Awake);
            Interlocked.Decrement(ref pool.counts.Coming);
        }
    }

    /// <summary>The words that threads contend for, each on a pair of cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 640)]
    private struct Counts
    {
        /// <summary>How many runs are on.</summary>
        [FieldOffset(128)] public int Callers;

        /// <summary>How many workers have a seat in one.</summary>
        [FieldOffset(256)] public int Seated;

        /// <summary>How many workers sleep and have not been rung for.</summary>
        [FieldOffset(384)] public int Sleepers;

        /// <summary>How many have been rung for and are not yet awake.</summary>
        [FieldOffset(512)] public int Coming;
    }
}
