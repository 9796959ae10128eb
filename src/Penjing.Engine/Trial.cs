using System.Collections.Immutable;
using System.Diagnostics;

namespace Penjing.Engine;

/// <summary>A kernel run by itself on seeded noise, to see how long it takes.</summary>
/// <param name="Row">Its row of the table.</param>
/// <param name="Label">The kernel's label.</param>
/// <param name="Ms">What a quarter of its runs don't exceed, in milliseconds: neither what else disturbs, nor one lucky run.</param>
/// <param name="BestMs">The shortest run.</param>
/// <param name="ScratchBytes">Bytes of scratch memory.</param>
/// <param name="PackedBytes">Bytes of native memory that the kernel holds: its packed weights.</param>
internal sealed record Trial(KernelRow Row, string Label, double Ms, double BestMs, long ScratchBytes, long PackedBytes)
{
    private const int FewestRuns = 5, RunsBeforeDropping = 3;
    private const double Hopeless = 1.5;

    /// <summary>The rows but for the reference whose kernels compute a site: those that are worth a trial.</summary>
    public static ImmutableArray<KernelRow> Candidates(Site site) => [.. KernelTable.Rows.Where(row => row.Name != KernelTable.Reference && row.Fits(site))];

    /// <summary>
    /// Runs the kernels of these rows in turns, so that whatever else the machine does meets all of them. Rows that are clearly slower
    /// than the fastest after three counted runs are then left out; the others have five at least.
    /// </summary>
    /// <param name="rows">Rows that fit the site.</param>
    /// <param name="site">What they compute, and how many threads share each run.</param>
    /// <param name="milliseconds">About how long all runs of a row may take together, and what comes between them.</param>
    /// <param name="between">
    /// Bytes of other memory that are read before each run: what the rest of a network streams through the caches between two runs of a layer. The
    /// layer's own inputs are then read again, since a network has just written them.
    /// </param>
    /// <param name="cancellation">Looked at before each run.</param>
    /// <exception cref="OperationCanceledException">The trial was cancelled.</exception>
    public static unsafe ImmutableArray<Trial> Of(IReadOnlyList<KernelRow> rows, Site site, double milliseconds, long between = 0, CancellationToken cancellation = default)
    {
        NativeBuffer?[] inputs = [.. site.Node.Inputs.Select((input, i) => input.Value is null ? Noise(input, site.InputPitches[i]) : null)];
        using NativeBuffer output = Zeros(site.Node, site.OutputPitch), others = new(between);
        var tried = new List<Tried>();
        NativeBuffer? scratch = null;
        Team? team = site.Seats > 1 ? new(site.Seats) : null;
        int place = WorkerPool.Shared.Enter(team);
        try
        {
            foreach (KernelRow row in rows) tried.Add(new(row, site));
            scratch = new(tried.Max(one => one.Kernel.ScratchBytes));
            void** pointers = stackalloc void*[inputs.Length + 1];
            for (int i = 0; i < inputs.Length; i++) pointers[i] = inputs[i] is { } buffer ? buffer.Pointer : null;
            Operands operands = new(pointers, output.Pointer, scratch.Pointer);
            Sweep? sweep = between > 0 ? new([others, output, scratch, .. inputs.OfType<NativeBuffer>()]) : null;
            while (tried.FindAll(one => one.IsOpen(milliseconds, tried.Min(each => each.BestMs))) is { Count: > 0 } open)
                foreach (Tried one in open)
                {
                    cancellation.ThrowIfCancellationRequested();
                    one.Run(sweep, team, operands);
                }
            return [.. tried.Select(one => one.Result)];
        }
        finally
        {
            WorkerPool.Shared.Exit(place);
            foreach (NativeBuffer? input in inputs) input?.Dispose();
            foreach (Tried one in tried) one.Kernel.Dispose();
            scratch?.Dispose();
        }
    }

    private static NativeBuffer Zeros(Node node, int pitch)
    {
        long pixels = node.Shape.Rank == 4 ? (long)node.Shape.Elements / Math.Max(1, node.Shape[1]) : node.Shape.Elements;
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

    /// <summary>A row's kernel and its times so far.</summary>
    private sealed class Tried
    {
        private const int WarmUp = 2;

        private readonly KernelRow row;
        private readonly List<double> times = [];
        private readonly long packed;
        private int warm;
        private double spent;

        public Tried(KernelRow row, Site site)
        {
            this.row = row;
            long before = NativeBuffer.Taken;
            Kernel = row.Create(site);
            packed = NativeBuffer.Taken - before;
        }

        public Kernel Kernel { get; }

        public double BestMs { get; private set; } = double.PositiveInfinity;

        public bool IsOpen(double milliseconds, double fastest) =>
            times.Count < RunsBeforeDropping || (BestMs <= Hopeless * fastest && (times.Count < FewestRuns || spent < milliseconds));

        public Trial Result
        {
            get
            {
                double[] sorted = [.. times.Order()];
                return new(row, Kernel.Label, sorted[sorted.Length / 4], BestMs, Kernel.ScratchBytes, packed);
            }
        }

        public void Run(Sweep? sweep, Team? team, in Operands operands)
        {
            long start = Stopwatch.GetTimestamp();
            sweep?.Run(team, operands);
            long begin = Stopwatch.GetTimestamp();
            Kernel.Run(team, operands);
            long end = Stopwatch.GetTimestamp();
            double time = Stopwatch.GetElapsedTime(begin, end).TotalMilliseconds;
            spent += Stopwatch.GetElapsedTime(start, end).TotalMilliseconds;
            if (warm++ < WarmUp) return;
            times.Add(time);
            BestMs = Math.Min(BestMs, time);
        }
    }

    /// <summary>Reads memory, so that it is in the caches and older things are not; shared out among the team, as a network's work is, which also keeps it awake.</summary>
    private sealed unsafe class Sweep(NativeBuffer[] memory) : Kernel
    {
        private const long Piece = 65536, Line = 64;

        public override string Label => "sweep";

        public override int Phases => memory.Length;

        public override int Tasks(int phase) => (int)((memory[phase].Bytes + Piece - 1) / Piece);

        public override void Run(int phase, int task, in Operands operands)
        {
            long sum = 0, end = Math.Min(memory[phase].Bytes, (task + 1) * Piece) - sizeof(long);
            for (long at = task * Piece; at <= end; at += Line) sum += *(long*)(memory[phase].Pointer + at);
            if (sum == long.MinValue) Thread.SpinWait(1);
        }
    }
}
