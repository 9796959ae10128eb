namespace Penjing.Engine;

/// <summary>
/// One node made ready for one machine: packed weights, chosen tile, and the code that computes the node's value. Rank-4 values lie in memory
/// as N, H, W, C; all others row-major as their shape says. Disposing frees the packed weights.
/// </summary>
internal abstract unsafe class Kernel : IDisposable
{
    /// <summary>Kind, tile and vectors, as in f32-gemm-12x32-avx512.</summary>
    public abstract string Label { get; }

    /// <summary>Bytes of scratch memory, 64-byte aligned, that hold nothing before a run or after it.</summary>
    public virtual long ScratchBytes => 0;

    /// <summary>How many phases a run has; all tasks of one have ended before the next begins.</summary>
    public virtual int Phases => 1;

    /// <summary>How many independent pieces of about equal work a phase has; they may run at once, in any order.</summary>
    public abstract int Tasks(int phase);

    /// <summary>Computes one piece.</summary>
    public abstract void Run(int phase, int task, in Operands operands);

    /// <summary>Computes all of it, the tasks of each phase shared out where there is a team.</summary>
    public void Run(Team? team, in Operands operands)
    {
        for (int phase = 0, phases = Phases; phase < phases; phase++)
        {
            int tasks = Tasks(phase);
            if (team is not null && tasks > 1) team.Run(this, phase, tasks, in operands);
            else
                for (int task = 0; task < tasks; task++) Run(phase, task, in operands);
        }
    }

    /// <summary>
    /// Whether the output may lie in the memory of this input: they have the same size, and no task reads an element of the input
    /// after any task may have written the element of the output in its place.
    /// </summary>
    public virtual bool Overwrites(int input) => false;

    /// <summary>Frees what the kernel holds outside managed memory.</summary>
    public virtual void Dispose() { }
}

/// <summary>Where a step finds its values. Inputs that are <see cref="Constant"/> nodes are null: a kernel takes those when it is made.</summary>
internal readonly unsafe struct Operands(void** inputs, void* output, void* scratch, int seat = 0)
{
    /// <summary>The first element of an input; null for a constant.</summary>
    public T* Input<T>(int index) where T : unmanaged => (T*)inputs[index];

    /// <summary>The first element of an input of floats; null for a constant.</summary>
    public float* Input(int index) => (float*)inputs[index];

    /// <summary>The first element of the output.</summary>
    public T* Out<T>() where T : unmanaged => (T*)output;

    /// <summary>The first element of an output of floats.</summary>
    public float* Output => (float*)output;

    /// <summary>The scratch memory; null where the kernel asks for none.</summary>
    public byte* Scratch => (byte*)scratch;

    /// <summary>The number of the thread that runs the task among those that share the run, from 0 on: no two tasks that run at once have the same.</summary>
    public int Seat => seat;

    /// <summary>The same with the output elsewhere.</summary>
    public Operands Into(void* other) => new(inputs, other, scratch, seat);

    /// <summary>The same for the thread of a seat.</summary>
    public Operands At(int other) => new(inputs, output, scratch, other);
}
