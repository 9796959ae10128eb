namespace Penjing.Training;

/// <summary>How the numbers that are trained make up a weight.</summary>
[Flags]
public enum Parameterization
{
    /// <summary>Every element is trained by itself.</summary>
    Free = 0,
    /// <summary>Elements that are zero stay zero.</summary>
    KeepZeros = 1,
    /// <summary>
    /// Elements of one value stay of one value: the distinct ones, a codebook, are trained, each by the gradients of all its elements
    /// (trained quantization, Han et al. 2016).
    /// </summary>
    Shared = 2,
}

/// <summary>Ways to choose a <see cref="Parameterization"/> for each weight of a network.</summary>
public static class Parameterizations
{
    /// <summary>Every weight free.</summary>
    public static Parameterization Free(Node weight) => Parameterization.Free;

    /// <summary>This parameterization for weights of rank 2 and more: kernels and matrices, and what else has several axes; vectors stay free.</summary>
    public static Func<Node, Parameterization> ForKernels(Parameterization parameterization) =>
        weight => weight.Shape.Rank >= 2 ? parameterization : Parameterization.Free;
}
