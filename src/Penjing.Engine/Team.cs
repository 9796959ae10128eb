using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Penjing.Engine;

/// <summary>
/// One session's use of the <see cref="WorkerPool"/>. The tasks of a phase are dealt out in runs of neighbours, one run to each seat, the first to the caller:
/// so a thread finds from step to step what it wrote itself. A seat takes its tasks from the front; when it has none left, the last of another's.
/// </summary>
internal sealed class Team
{
    // Words that different threads write lie two cache lines apart.
    private const int Stride = 16, Epoch = 1, Done = 2, Helpers = 3, Seats = 4, Taken = 8;
    private static readonly long patience = Stopwatch.Frequency / 1000;

    private readonly long[] words;
    private volatile bool entered;
    private Kernel? kernel;
    private int phase;
    private Operands operands;
    private Exception? error;

    /// <summary>A team of this many threads, the caller's among them; at least 2.</summary>
    public Team(int threads)
    {
        Threads = threads;
        words = new long[(Seats + threads) * Stride + Taken + 1];
        WorkerPool.Shared.Grow(threads - 1);
    }

    /// <summary>How many threads may work at once, the caller's among them.</summary>
    public int Threads { get; }

    /// <summary>How many seats no worker has taken.</summary>
    public int Free => Threads - 1 - (int)Volatile.Read(ref Word(Helpers));

    /// <summary>Whether a run is on.</summary>
    public bool IsEntered => entered;

    /// <summary>Whether a task waits to be taken.</summary>
    public bool HasTasks
    {
        get
        {
            for (int seat = 0; seat < Threads; seat++)
                if (Volatile.Read(ref Word(Seats + seat)) is var tasks && First(tasks) < End(tasks)) return true;
            return false;
        }
    }

    /// <summary>Begins a run on the caller's thread.</summary>
    public void Enter() => entered = true;

    /// <summary>Ends a run; its workers go.</summary>
    public void Exit() => entered = false;

    /// <summary>Runs all tasks of a phase and returns when the last has ended; allocates nothing.</summary>
    /// <exception cref="Exception">What the first failing task threw, once, after all tasks have ended.</exception>
    public void Run(Kernel kernel, int phase, int tasks, in Operands operands)
    {
        this.kernel = kernel;
        this.phase = phase;
        this.operands = operands;
        Word(Done) = 0;
        // A word holds the first of a seat's tasks and what follows the last. Whoever takes a task from one holds the phase open, so what is set above is this phase's.
        for (int seat = 0; seat < Threads; seat++)
            Volatile.Write(ref Word(Seats + seat), Tasks((int)((long)tasks * seat / Threads), (int)((long)tasks * (seat + 1) / Threads)));
        Interlocked.Increment(ref Word(Epoch));
        WorkerPool.Shared.Ring(this);
        int done = Work(0);
        if (done < tasks)
        {
            Interlocked.Add(ref Word(Done), done);
            Await(tasks);
        }
        if (error is null) return;
        var thrown = ExceptionDispatchInfo.Capture(error);
        error = null;
        thrown.Throw();
    }

    /// <summary>Works on a worker's thread while a run is on; null where no seat is free, true if the run has ended, false if the worker had better sleep.</summary>
    /// <param name="worker">The worker's number, by which it finds the same seat again.</param>
    public bool? Help(int worker)
    {
        int seat = Sit(worker);
        if (seat < 0) return null;
        bool? ended = null;
        for (long seen = -1, idle = 0, spins = 0; ended is null; spins++)
        {
            long epoch = Volatile.Read(ref Word(Epoch));
            if (epoch != seen)
            {
                (seen, idle) = (epoch, 0);
                if (Work(seat) is > 0 and var done) Interlocked.Add(ref Word(Done), done);
            }
            else if (!entered) ended = true;
            else if (WorkerPool.Shared.IsCrowded(Threads)) ended = false;
            else if (spins % 64 != 0) Thread.SpinWait(1);
            else if (idle == 0) idle = Stopwatch.GetTimestamp();
            else if (Stopwatch.GetTimestamp() - idle > patience) ended = false;
        }
        Volatile.Write(ref Word(Seats + seat, Taken), 0);
        Interlocked.Decrement(ref Word(Helpers));
        return ended;
    }

    private int Sit(int worker)
    {
        if (Free <= 0) return -1;
        for (int i = 0; i < Threads - 1; i++)
        {
            int seat = 1 + (worker + i) % (Threads - 1);
            if (Interlocked.CompareExchange(ref Word(Seats + seat, Taken), 1, 0) != 0) continue;
            Interlocked.Increment(ref Word(Helpers));
            return seat;
        }
        return -1;
    }

    /// <summary>Takes and runs tasks until none is left; how many.</summary>
    private int Work(int seat)
    {
        int done = 0;
        for (int turn = 0; turn < Threads; turn++)
        {
            ref long word = ref Word(Seats + (seat + turn) % Threads);
            for (long tasks = Volatile.Read(ref word); First(tasks) < End(tasks); tasks = Volatile.Read(ref word))
            {
                int task = turn == 0 ? First(tasks) : End(tasks) - 1;
                long rest = turn == 0 ? Tasks(task + 1, End(tasks)) : Tasks(First(tasks), task);
                if (Interlocked.CompareExchange(ref word, rest, tasks) != tasks) continue;
                try
                {
                    kernel!.Run(phase, task, operands.At(seat));
                }
                catch (Exception thrown)
                {
                    Interlocked.CompareExchange(ref error, thrown, null);
                }
                done++;
            }
        }
        return done;
    }

    /// <summary>Waits for the others' last tasks; should they take long, perhaps since one has no processor, offers them the caller's.</summary>
    private void Await(int tasks)
    {
        for (int spins = 0; Volatile.Read(ref Word(Done)) != tasks; spins++)
        {
            if (spins < 2000) Thread.SpinWait(1);
            else Thread.Yield();
        }
    }

    private ref long Word(int word, int offset = 0) => ref words[word * Stride + offset];

    private static long Tasks(int first, int end) => (long)end << 32 | (uint)first;

    private static int First(long tasks) => (int)tasks;

    private static int End(long tasks) => (int)(tasks >> 32);
}
