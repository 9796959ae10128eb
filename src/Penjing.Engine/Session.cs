using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;

namespace Penjing.Engine;

/// <summary>
/// A network made ready to run on this machine. It serves one thread at a time; several sessions run side by side. Values pass its door in
/// row-major order (rank 4: N, C, H, W).
/// </summary>
public sealed unsafe class Session : IDisposable
{
    private const int Idle = 0, Running = 1, Disposed = 2;

    private readonly Plan plan;
    private readonly NativeBuffer arena;
    private readonly NativeBuffer pointers;
    private readonly Operands[] operands;
    private readonly Team? team;
    private int state;

    /// <summary>A session of a graph.</summary>
    /// <exception cref="PenjingException">The options ask for a batch that the graph can't have, fewer than 0 threads, or an unknown kernel.</exception>
    public Session(Graph graph, SessionOptions? options = null)
    {
        options ??= new();
        graph = Prepare(graph, options);
        Inputs = [.. graph.Inputs.Select(input => new Port(input.Name, input.Info))];
        Outputs = [.. graph.Outputs.Select(output => new Port(output.Name, output.Info))];
        Threads = options.Workers;
        plan = Lower.Of(graph.Rewrite(Passes.ForInference), options);
        team = Threads > 1 ? new(Threads) : null;
        arena = new(plan.ArenaBytes);
        pointers = new(plan.Steps.Sum(step => step.Inputs.Length) * (long)sizeof(void*));
        operands = new Operands[plan.Steps.Length];
        void** next = (void**)pointers.Pointer;
        for (int i = 0; i < operands.Length; next += plan.Steps[i++].Inputs.Length)
        {
            PlannedStep step = plan.Steps[i];
            for (int input = 0; input < step.Inputs.Length; input++) next[input] = Address(step.Inputs[input]);
            operands[i] = new(next, Address(step.Output), plan.Scratch[i] < 0 ? null : arena.Pointer + plan.Scratch[i]);
        }
    }

    /// <summary>A session of a model's graph.</summary>
    /// <exception cref="PenjingException">The options ask for a batch that the graph can't have, fewer than 0 threads, or an unknown kernel.</exception>
    public Session(Model model, SessionOptions? options = null) : this(model.Graph, options)
    {
        Labels = model.Labels;
        Preprocessing = model.Preprocessing;
    }

    /// <summary>
    /// A session of a .penjing file, with the tuning that lies beside it where the options bring none; <see cref="Remark"/> says if that one can't be used here.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is damaged, truncated, or no .penjing file.</exception>
    /// <exception cref="PenjingException">The file can't be read, or the options don't fit the network.</exception>
    public static Session Load(string path, SessionOptions? options = null)
    {
        options ??= new();
        string? remark = null;
        Tuning? tuning = options.Tuning ?? Tuning.Beside(path, out remark);
        return new(PenjingFile.ReadOnce(path), options with { Tuning = tuning }) { Remark = remark };
    }

    /// <summary>What happened when the session was loaded that its user may want to know, such as that a tuning couldn't be used; null where nothing did.</summary>
    public string? Remark { get; private init; }

    /// <summary>What a run takes, in order.</summary>
    public ImmutableArray<Port> Inputs { get; }

    /// <summary>What a run yields, in order.</summary>
    public ImmutableArray<Port> Outputs { get; }

    /// <summary>The names of the classes, by output index; empty where unknown.</summary>
    public ImmutableArray<string> Labels { get; } = [];

    /// <summary>How a picture becomes the input, where it is known.</summary>
    public Preprocessing? Preprocessing { get; }

    /// <summary>How many threads work on a run at most, the caller's among them.</summary>
    public int Threads { get; }

    /// <summary>Bytes of the memory that all scratch memory and all values of a run share, but outputs that are written where the caller wants them.</summary>
    public long ArenaBytes => plan.ArenaBytes;

    /// <summary>What a run does, in order.</summary>
    public ImmutableArray<Step> Steps => [.. plan.Steps.Select(step => step.Info)];

    /// <summary>Where everything lies.</summary>
    internal Plan Plan => plan;

    /// <summary>The graph that a session with these options is of.</summary>
    /// <exception cref="PenjingException">The options ask for a batch that the graph can't have, or fewer than 0 threads.</exception>
    internal static Graph Prepare(Graph graph, SessionOptions options)
    {
        if (options.Threads < 0) throw new PenjingException($"a session can't run on {options.Threads} threads; 0 takes one for each physical processor");
        return options.Batch is { } batch ? graph.WithBatch(batch) : graph;
    }

    /// <summary>Runs a network of one Float32 input and one Float32 output on a picture of any size, made its input as <see cref="Preprocessing"/> says.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="output">Where the output's elements are written, row-major.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <exception cref="ShapeException">The network has other inputs or outputs, or a batch, or the span has not the output's count of elements.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled; what <paramref name="output"/> holds is undefined.</exception>
    /// <exception cref="PenjingException">It is not known how a picture becomes the input, or the session is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(Picture picture, Span<float> output, CancellationToken cancellation = default)
    {
        Preprocessing how = Preprocessing ?? throw new PenjingException("the model doesn't say how a picture becomes its input: note it by `penjing convert --preprocessing`, or give the input's elements");
        if (Inputs is not [{ Info.Shape: var shape }] || shape is { Rank: > 0 } && shape[0] != 1)
            throw new ShapeException($"the network takes {string.Join(", ", Inputs.Select(input => input.Info))}, not one picture: run it on elements or tensors");
        float[] rented = ArrayPool<float>.Shared.Rent(shape.Elements);
        try
        {
            Span<float> input = rented.AsSpan(0, shape.Elements);
            picture.ToInput(how, shape, input);
            Run(input, output, cancellation);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    /// <summary>Runs a network of one Float32 input and one Float32 output; allocates nothing.</summary>
    /// <param name="input">The input's elements, row-major.</param>
    /// <param name="output">Where the output's elements are written, row-major; it may be the input's memory.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <exception cref="ShapeException">The network has other inputs or outputs, or a span has not the shape's count of elements.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled; what <paramref name="output"/> holds is undefined.</exception>
    /// <exception cref="PenjingException">The session is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(ReadOnlySpan<float> input, Span<float> output, CancellationToken cancellation = default)
    {
        if (Inputs.Length != 1 || Outputs.Length != 1)
            throw new ShapeException($"the network has {Inputs.Length} inputs and {Outputs.Length} outputs: run it on tensors, not on two spans");
        Check("input", Inputs[0], input.Length);
        Check("output", Outputs[0], output.Length);
        Enter();
        try
        {
            fixed (float* source = input, target = output)
            {
                Take(0, source);
                Yield(0, target);
                Execute(cancellation, times: null);
            }
        }
        finally
        {
            Volatile.Write(ref state, Idle);
        }
    }

    /// <summary>Runs any network: one tensor for each input, in order, to one for each output, in order.</summary>
    /// <exception cref="ShapeException">The tensors are not of the count, types and shapes that the network takes.</exception>
    /// <exception cref="PenjingException">The session is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public Tensor[] Run(params ReadOnlySpan<Tensor> inputs) => Run(inputs, default);

    /// <summary>Runs any network: one tensor for each input, in order, to one for each output, in order.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="cancellation">Looked at before each step.</param>
    /// <exception cref="ShapeException">The tensors are not of the count, types and shapes that the network takes.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="PenjingException">The session is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public Tensor[] Run(ReadOnlySpan<Tensor> inputs, CancellationToken cancellation) => Run(inputs, cancellation, times: null);

    /// <summary>Measures each step over some runs, after a few to warm up, on inputs of seeded random numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="runs"/> is not positive.</exception>
    /// <exception cref="PenjingException">The session is running on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public ImmutableArray<StepTime> Profile(int runs = 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        const int warmUp = 3;
        Tensor[] inputs = [.. Inputs.Select(Noise)];
        var times = new long[warmUp + runs][];
        for (int run = 0; run < times.Length; run++) Run(inputs, default, times[run] = new long[plan.Steps.Length]);
        return [.. plan.Steps.Select((step, i) => new StepTime(step.Info, Median([.. times.Skip(warmUp).Select(run => run[i])]) * 1e3 / Stopwatch.Frequency))];
    }

    /// <summary>Frees the arena and the packed weights.</summary>
    /// <exception cref="PenjingException">The session is running on another thread.</exception>
    public void Dispose()
    {
        int was = Interlocked.CompareExchange(ref state, Disposed, Idle);
        if (was == Disposed) return;
        if (was == Running) throw Busy();
        plan.Dispose();
        arena.Dispose();
        pointers.Dispose();
    }

    private static PenjingException Busy() => new("the session is running on another thread: it serves one thread at a time, so make a session for each");

    private static void Check(string role, Port port, int elements)
    {
        if (port.Info.Type != ElementType.Float32)
            throw new ShapeException($"the {role} '{port.Name}' is {port.Info}: run the network on tensors, not on spans of floats");
        if (elements != port.Info.Shape.Elements)
            throw new ShapeException($"the {role} '{port.Name}' of shape {port.Info.Shape} takes {port.Info.Shape.Elements} values, not {elements}");
    }

    private static Tensor Noise(Port port)
    {
        if (port.Info.Type != ElementType.Float32) return Tensor.Zeros(port.Info.Type, port.Info.Shape);
        return Tensor.Build<float>(port.Info.Shape, values =>
        {
            var random = new Random(1);
            foreach (ref float value in values) value = random.NextSingle();
        });
    }

    private static double Median(long[] ticks)
    {
        Array.Sort(ticks);
        return (ticks[(ticks.Length - 1) / 2] + ticks[ticks.Length / 2]) / 2.0;
    }

    private Tensor[] Run(ReadOnlySpan<Tensor> inputs, CancellationToken cancellation, long[]? times)
    {
        if (inputs.Length != Inputs.Length) throw new ShapeException($"the network takes {Inputs.Length} input(s), not {inputs.Length}");
        for (int i = 0; i < inputs.Length; i++)
        {
            (string name, ValueInfo info) = Inputs[i];
            if (inputs[i].Type != info.Type || inputs[i].Shape != info.Shape) throw new ShapeException($"the input '{name}' takes {info}, not {inputs[i]}");
        }
        Enter();
        var pins = new List<MemoryHandle>();
        try
        {
            for (int i = 0; i < inputs.Length; i++) Take(i, Pin(inputs[i].Bytes));
            byte[][] results = [.. Outputs.Select(output => GC.AllocateUninitializedArray<byte>(checked(output.Info.Shape.Elements * output.Info.Type.Size())))];
            for (int i = 0; i < results.Length; i++) Yield(i, Pin(results[i]));
            Execute(cancellation, times);
            return [.. Outputs.Select((output, i) => new Tensor(output.Info.Type, output.Info.Shape, results[i]))];
        }
        finally
        {
            foreach (MemoryHandle pin in pins) pin.Dispose();
            Volatile.Write(ref state, Idle);
        }

        void* Pin(ReadOnlyMemory<byte> memory)
        {
            MemoryHandle pin = memory.Pin();
            pins.Add(pin);
            return pin.Pointer;
        }
    }

    private void Enter()
    {
        int was = Interlocked.CompareExchange(ref state, Running, Idle);
        ObjectDisposedException.ThrowIf(was == Disposed, this);
        if (was == Running) throw Busy();
    }

    /// <summary>Lets the run read an input from a caller's memory; the copies of the inputs are the first steps.</summary>
    private void Take(int input, void* source) => ((void**)pointers.Pointer)[input] = source;

    /// <summary>Lets the run write an output to a caller's memory.</summary>
    private void Yield(int output, void* target)
    {
        (int step, Tensor? constant) = plan.Outputs[output];
        if (constant is not null) constant.Bytes.Span.CopyTo(new(target, constant.Bytes.Length));
        else operands[step] = operands[step].Into(target);
    }

    private void Execute(CancellationToken cancellation, long[]? times)
    {
        int place = WorkerPool.Shared.Enter(team);
        try
        {
            for (int step = 0; step < operands.Length; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                long start = times is null ? 0 : Stopwatch.GetTimestamp();
                plan.Steps[step].Kernel.Run(team, in operands[step]);
                if (times is not null) times[step] = Stopwatch.GetTimestamp() - start;
            }
        }
        finally
        {
            WorkerPool.Shared.Exit(place);
        }
    }

    private void* Address(Spot spot) => spot.Value < 0 ? null : arena.Pointer + plan.Values[spot.Value].Offset + spot.Offset;
}
