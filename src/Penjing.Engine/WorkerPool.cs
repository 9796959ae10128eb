using System.Diagnostics;

namespace Penjing.Engine;

/// <summary>
/// The threads that all sessions of the process share. A session that runs alone on its thread never touches them. Workers help whichever
/// team has tasks left, spin for some microseconds when none has, then sleep; a caller works too and waits only for tasks that run, so
/// nothing here can deadlock, however many sessions run at once.
/// </summary>
internal sealed class WorkerPool
{
    private const int Most = 255;
    private static readonly long patience = Stopwatch.Frequency / 20_000;

    private readonly Team?[] teams = new Team?[64];
    private readonly SemaphoreSlim bell = new(0);
    private readonly Lock growth = new();
    private int workers;

    // Workers that have gone to sleep and whom nobody has rung for yet: whoever lowers the count owes the bell that many rings.
    private int sleepers;

    private WorkerPool() { }

    /// <summary>The pool of this process.</summary>
    public static WorkerPool Shared { get; } = new();

    /// <summary>Starts threads until there are this many.</summary>
    public void Grow(int count)
    {
        lock (growth)
        {
            for (; workers < Math.Min(count, Most); workers++)
                new Thread(Serve) { IsBackground = true, Name = "Penjing worker" }.Start();
        }
    }

    /// <summary>Makes a team's tasks visible to the workers; −1 where too many teams are at work already, and the caller works alone.</summary>
    public int Enter(Team team)
    {
        for (int seat = 0; seat < teams.Length; seat++)
            if (Interlocked.CompareExchange(ref teams[seat], team, null) is null) return seat;
        return -1;
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Exit(int seat)
    {
        if (seat >= 0) Volatile.Write(ref teams[seat], null);
    }

    /// <summary>Wakes up to this many workers, if any sleep; called after the team's tasks are published by a full fence.</summary>
    public void Ring(int wanted)
    {
        for (int asleep = Volatile.Read(ref sleepers); asleep > 0 && wanted > 0; asleep = Volatile.Read(ref sleepers))
        {
            int rung = Math.Min(asleep, wanted);
            if (Interlocked.CompareExchange(ref sleepers, asleep - rung, asleep) != asleep) continue;
            bell.Release(rung);
            return;
        }
    }

    private void Serve()
    {
        long idle = Stopwatch.GetTimestamp();
        while (true)
        {
            if (Help())
            {
                idle = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetTimestamp() - idle < patience)
            {
                Thread.SpinWait(8);
            }
            else
            {
                Sleep();
                idle = Stopwatch.GetTimestamp();
            }
        }
    }

    private bool Help()
    {
        bool helped = false;
        foreach (ref Team? seat in teams.AsSpan())
            if (Volatile.Read(ref seat) is { HasTasks: true } team) helped |= team.Help();
        return helped;
    }

    private void Sleep()
    {
        Interlocked.Increment(ref sleepers);
        foreach (ref Team? seat in teams.AsSpan())
        {
            if (Volatile.Read(ref seat) is not { HasTasks: true }) continue;
            for (int asleep = Volatile.Read(ref sleepers); asleep > 0; asleep = Volatile.Read(ref sleepers))
                if (Interlocked.CompareExchange(ref sleepers, asleep - 1, asleep) == asleep) return;
            break;
        }
        bell.Wait();
    }
}
