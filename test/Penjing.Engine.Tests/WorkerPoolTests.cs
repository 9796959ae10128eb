using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Threads: every task once, phases in order, failures once, sessions side by side.</summary>
public class WorkerPoolTests
{
    /// <summary>Every task of every phase runs once, and none before the phase before it has ended.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void EveryTaskRunsOnceInItsPhase(int threads)
    {
        Team team = new(threads);
        using Counting kernel = new([1, 7, 64, 1000, 2]);
        for (int round = 0; round < 200; round++)
        {
            kernel.Reset();
            bool alone = round % 3 == 0;
            int place = alone ? -1 : WorkerPool.Shared.Enter(team);
            for (int phase = 0; phase < kernel.Phases; phase++)
            {
                team.Run(kernel, phase, kernel.Tasks(phase), default);
                kernel.CheckPhase(phase);
            }
            if (!alone) WorkerPool.Shared.Exit(place);
        }
    }

    /// <summary>
    /// No two tasks that run at once have the same seat, and there are no more seats than threads: parts of scratch memory are dealt out by them. A worker that
    /// comes late from one phase finds the operands of the next.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public unsafe void TasksHaveASeatOfTheirOwnAndTheirPhasesOperands(int threads)
    {
        Team team = new(threads);
        using Sitting kernel = new(threads);
        for (int run = 0; run < 40; run++)
        {
            int place = WorkerPool.Shared.Enter(team);
            for (int phase = 1; phase <= 500; phase++) team.Run(kernel, phase, kernel.Tasks(phase), new(null, null, (void*)phase));
            WorkerPool.Shared.Exit(place);
        }
    }

    /// <summary>
    /// Every task runs once in its phase for several callers at once too, whose runs come and go: with pauses in which workers spin on, leave the run,
    /// or sleep, and with more threads in all than there are processors.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task CallersComeAndGo(int seed)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() =>
        {
            var random = new Random(10 * seed + caller);
            Team? team = caller == 0 ? null : new(1 + caller);
            for (int run = 0; run < 60; run++)
            {
                using Counting kernel = new([.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(2, 50))]);
                int place = WorkerPool.Shared.Enter(team);
                for (int phase = 0; phase < kernel.Phases; phase++)
                {
                    if (team is not null) team.Run(kernel, phase, kernel.Tasks(phase), default);
                    else
                        for (int task = 0; task < kernel.Tasks(phase); task++) kernel.Run(phase, task, default);
                    kernel.CheckPhase(phase);
                    Pause(random);
                }
                WorkerPool.Shared.Exit(place);
                Pause(random);
            }
        }, stop)));

        static void Pause(Random random)
        {
            if (random.Next(4) == 0) Thread.Sleep(random.Next(3));
            else Thread.SpinWait(random.Next(3000));
        }
    }

    /// <summary>What a task throws reaches the caller once, after which the team works on.</summary>
    [Fact]
    public void AFailureSurfacesOnce()
    {
        Team team = new(3);
        int place = WorkerPool.Shared.Enter(team);
        using Failing kernel = new();
        for (int round = 0; round < 50; round++)
        {
            Assert.Equal("task 13", Assert.Throws<InvalidOperationException>(() => team.Run(kernel, 0, 40, default)).Message);
            team.Run(kernel, 1, 40, default);
        }
        WorkerPool.Shared.Exit(place);
    }

    /// <summary>Sessions side by side, more than there are processors, each give their own answers.</summary>
    [Fact]
    public async Task SessionsRunSideBySide()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            Graph graph = RandomGraphs.Network(3000 + worker);
            using Session session = new(graph, new(1 + worker));
            Tensor[] fed = RandomGraphs.Fed(graph, worker), expected = Reference.Run(graph, fed);
            for (int run = 0; run < 100; run++)
            {
                Tensor[] actual = session.Run(fed);
                for (int i = 0; i < expected.Length; i++) Closeness.Check(expected[i], actual[i], 1e-4, $"worker {worker}, run {run}");
            }
        }, stop)));
    }

    /// <summary>A session that runs on another thread says so, to runs and to disposal.</summary>
    [Fact]
    public async Task ASessionServesOneThreadAtATime()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 8, 64, 64])), w = Node.Weight("w", RandomTensors.Kernel([64, 8, 9, 9], 1));
        using Session session = new(new Graph(new Node("conv", new Conv(), x, w)), new(1, Kernel: "reference"));
        Tensor fed = RandomTensors.Normal(x.Shape, 1);
        CancellationToken stop = TestContext.Current.CancellationToken;
        using var both = new Barrier(2);
        Exception?[] thrown = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            both.SignalAndWait(stop);
            return Record.Exception(() => session.Run(fed));
        }, stop)));
        Assert.Single(thrown, error => error is PenjingException && error.Message.Contains("another thread", StringComparison.Ordinal));
        Assert.Single(thrown, error => error is null);
    }

    /// <summary>Counts how often each task ran.</summary>
    private sealed class Counting(int[] tasks) : Kernel
    {
        private readonly int[][] counts = [.. tasks.Select(count => new int[count])];
        private int finished;

        public override string Label => "counting";

        public override int Phases => tasks.Length;

        public override int Tasks(int phase) => tasks[phase];

        public void Reset()
        {
            foreach (int[] phase in counts) Array.Clear(phase);
            finished = 0;
        }

        public void CheckPhase(int phase)
        {
            Assert.All(counts[phase], count => Assert.Equal(1, count));
            Assert.All(counts.Skip(phase + 1), later => Assert.All(later, count => Assert.Equal(0, count)));
            finished++;
        }

        public override void Run(int phase, int task, in Operands operands)
        {
            if (phase != finished) throw new InvalidOperationException($"a task of phase {phase} ran in phase {finished}");
            Interlocked.Increment(ref counts[phase][task]);
        }
    }

    /// <summary>Fails in one task of the first phase.</summary>
    /// <summary>Throws where two tasks that run at once have one seat, or operands are another phase's.</summary>
    private sealed unsafe class Sitting(int seats) : Kernel
    {
        private readonly int[] taken = new int[seats];

        public override string Label => "sitting";

        public override int Tasks(int phase) => 2 + phase % 5;

        public override void Run(int phase, int task, in Operands operands)
        {
            if (Interlocked.Increment(ref taken[operands.Seat]) != 1) throw new InvalidOperationException($"two tasks have the seat {operands.Seat}");
            if ((int)operands.Scratch != phase) throw new InvalidOperationException($"a task of phase {phase} has the operands of {(int)operands.Scratch}");
            Thread.SpinWait(phase % 7 * 10);
            Interlocked.Decrement(ref taken[operands.Seat]);
        }
    }

    private sealed class Failing : Kernel
    {
        public override string Label => "failing";

        public override int Phases => 2;

        public override int Tasks(int phase) => 40;

        public override void Run(int phase, int task, in Operands operands)
        {
            if (phase == 0 && task == 13) throw new InvalidOperationException($"task {task}");
        }
    }
}
