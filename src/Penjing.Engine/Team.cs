using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>One session's use of the <see cref="WorkerPool"/>: the tasks of a phase at a time, taken by caller and helpers until none is left.</summary>
internal sealed class Team
{
    private readonly int seats;
    private Counters counters;
    private Kernel? kernel;
    private int phase;
    private Operands operands;
    private Exception? error;

    /// <summary>A team of this many threads, the caller's among them; at least 2.</summary>
    public Team(int threads)
    {
        seats = threads - 1;
        WorkerPool.Shared.Grow(seats);
    }

    /// <summary>Whether a task waits to be taken.</summary>
    public bool HasTasks
    {
        get
        {
            long ticket = Volatile.Read(ref counters.Ticket);
            return (int)ticket < (int)(ticket >> 32);
        }
    }

    /// <summary>Runs all tasks of a phase and returns when the last has ended; allocates nothing.</summary>
    /// <exception cref="Exception">What the first failing task threw, once, after all tasks have ended.</exception>
    public void Run(Kernel kernel, int phase, int tasks, in Operands operands)
    {
        this.kernel = kernel;
        this.phase = phase;
        this.operands = operands;
        counters.Done = 0;
        Interlocked.Exchange(ref counters.Ticket, (long)tasks << 32);
        WorkerPool.Shared.Ring(Math.Min(seats, tasks - 1));
        Work();
        for (var wait = new SpinWait(); Volatile.Read(ref counters.Done) != tasks;)
            wait.SpinOnce(sleep1Threshold: -1);
        if (error is null) return;
        var thrown = ExceptionDispatchInfo.Capture(error);
        error = null;
        thrown.Throw();
    }

    /// <summary>Takes tasks on a worker's thread, if the team has a seat free; whether it took any.</summary>
    public bool Help()
    {
        bool helped = Interlocked.Increment(ref counters.Helpers) <= seats && Work();
        Interlocked.Decrement(ref counters.Helpers);
        return helped;
    }

    private bool Work()
    {
        bool worked = false;
        while (HasTasks)
        {
            // Count and next task are one word: whoever draws a task below the count holds the phase open, so kernel and operands are this phase's.
            long ticket = Interlocked.Increment(ref counters.Ticket) - 1;
            if ((int)ticket >= (int)(ticket >> 32)) break;
            worked = true;
            try
            {
                kernel!.Run(phase, (int)ticket, in operands);
            }
            catch (Exception thrown)
            {
                Interlocked.CompareExchange(ref error, thrown, null);
            }
            Interlocked.Increment(ref counters.Done);
        }
        return worked;
    }

    /// <summary>The words that threads contend for, each on a pair of cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Counters
    {
        /// <summary>How many tasks the phase has, times 2³², plus how many are taken.</summary>
        [FieldOffset(128)] public long Ticket;

        /// <summary>How many tasks have ended.</summary>
        [FieldOffset(256)] public int Done;

        /// <summary>How many workers are in the team.</summary>
        [FieldOffset(384)] public int Helpers;
    }
}
