namespace Penjing.Engine;

/// <summary>Work cut into tasks of about equal size: as many as keep several threads busy, none so small that handing it out costs more.</summary>
/// <param name="Items">How many items there are.</param>
/// <param name="Tasks">How many tasks they are cut into, at least 1.</param>
/// <param name="Unit">A task begins at a multiple of this.</param>
internal readonly record struct Split(int Items, int Tasks, int Unit = 1)
{
    private const int Most = 32;
    // What two processors write by turns they fetch from each other: prefetch reaches some tens of kilobytes beyond what a processor itself reads.
    private const int Apart = 16384;
    private const double Least = 32768;

    /// <summary>Items of which one costs as much as loading and storing <paramref name="cost"/> floats.</summary>
    public static Split Of(int items, double cost) => new(items, Count(items, items * cost));

    /// <summary>Elements in a row, of which one costs <paramref name="cost"/> loads and stores; tasks begin at cache lines.</summary>
    public static Split Flat(int elements, double cost = 1) => new(elements, Count(elements / 16, elements * cost), 16);

    /// <summary>Bytes of scratch memory of so many floats for each seat.</summary>
    public static long ScratchBytes(int seats, nint floats) => sizeof(float) * ((seats - 1L) * Seat(floats) + floats);

    /// <summary>Floats from one seat's part of such scratch memory to the next one's.</summary>
    public static nint Seat(nint floats) => floats + Apart;

    /// <summary>The items of a task.</summary>
    public (int First, int Count) this[int task]
    {
        get
        {
            int first = Begin(task), end = task == Tasks - 1 ? Items : Begin(task + 1);
            return (first, end - first);
        }
    }

    /// <summary>The width in a kernel's label: 512, 256, 128 or scalar.</summary>
    public static string Name<S, V>() where S : struct, ISimd<V> where V : unmanaged => S.Lanes == 1 ? "scalar" : $"{S.Lanes * 32}";

    private static int Count(int items, double cost) => Math.Max(1, (int)Math.Min(Math.Min(items, Most), Math.Ceiling(cost / Least)));

    private int Begin(int task) => (int)((long)Items * task / Tasks / Unit * Unit);
}
