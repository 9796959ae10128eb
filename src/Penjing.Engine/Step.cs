namespace Penjing.Engine;

/// <summary>One step of a run: a node and the kernel that computes it, or the copy of an input or output at the session's door.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Op">The node's operation; Input and Output for the copies at the door.</param>
/// <param name="Kernel">The label of the kernel, as in f32-gemm-12x32-avx512.</param>
/// <param name="Row">The kernel's row of the table, by name: the same for all tiles and vectors.</param>
/// <param name="IsFallback">Whether no kernel fits and the slow reference evaluator computes the node.</param>
/// <param name="Macs">Multiply-accumulates of the node as it is defined, however few the kernel does with.</param>
/// <param name="InputBytes">Bytes of the values it reads; constants are not among them.</param>
/// <param name="WeightBytes">Bytes of weights as the kernel has packed them; 0 where it has none.</param>
/// <param name="OutputBytes">Bytes of the value it yields.</param>
/// <param name="ScratchBytes">Bytes of memory it needs besides its inputs and output.</param>
public sealed record Step(string Name, string Op, string Kernel, string Row, bool IsFallback, long Macs, long InputBytes, long WeightBytes, long OutputBytes, long ScratchBytes);

/// <summary>What a step took, as measured by <see cref="Session.Profile"/>.</summary>
/// <param name="Step">The step.</param>
/// <param name="MedianMs">The median of its times, in milliseconds.</param>
public sealed record StepTime(Step Step, double MedianMs)
{
    /// <summary>Billions of floating-point operations a second, two for each multiply-accumulate; 0 for steps that have none.</summary>
    public double Gflops => MedianMs > 0 ? Step.Macs * 2 / (MedianMs * 1e6) : 0;
}
