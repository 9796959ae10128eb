using System.Runtime.ExceptionServices;
using TorchSharp;

namespace Penjing.Training;

/// <summary>Threads that do the same work at the same time, each with its own number; the caller is number 0. Torch works single-threaded in each.</summary>
internal sealed class Crew : IDisposable
{
    private readonly Thread[] threads;
    private readonly Barrier barrier;
    private readonly Exception?[] failures;
    private Action<int> work = _ => { };
    private bool over;

    /// <summary>A crew of this many.</summary>
    public Crew(int count)
    {
        failures = new Exception?[count];
        barrier = new(count);
        threads = [.. Enumerable.Range(1, count - 1).Select(number => new Thread(() => Serve(number)) { IsBackground = true, Name = $"penjing-training-{number}" })];
        foreach (Thread thread in threads) thread.Start();
    }

    /// <summary>Everyone does the work; returns when all have done it, and throws what the first of them threw.</summary>
    public void Do(Action<int> work)
    {
        this.work = work;
        barrier.SignalAndWait();
        Try(0);
        barrier.SignalAndWait();
        Exception? failure = failures.FirstOrDefault(one => one is not null);
        Array.Clear(failures);
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        over = true;
        barrier.SignalAndWait();
        foreach (Thread thread in threads) thread.Join();
        barrier.Dispose();
    }

    private void Serve(int number)
    {
        torch.set_num_threads(1);
        while (true)
        {
            barrier.SignalAndWait();
            if (over) return;
            Try(number);
            barrier.SignalAndWait();
        }
    }

    private void Try(int number)
    {
        try
        {
            work(number);
        }
        catch (Exception failure)
        {
            failures[number] = failure;
        }
    }
}
