using System.Runtime.Intrinsics;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Convolutions whose pixels are parts of wider ones.</summary>
public unsafe class PitchTests
{
    /// <summary>The answers are the same bits as side by side, and what lies between the output's pixels is left alone.</summary>
    [Fact]
    public void WiderPixelsChangeNothing()
    {
        foreach (OpCase one in OpCases.Of<Conv>().Concat(OpCases.Of<ConvTranspose>()))
        {
            Node node = KernelCase.Node(one);
            if (node.Shape.Elements == 0 || node.Info.Type is not ElementType.Float32 || !F32Conv.Fits(new(node, Isa.None))) continue;
            Check<F32Conv, Simd256, Vector256<float>>(one, node);
            Check<F32Conv, Scalar, float>(one, node);
            if (F32Depthwise.Fits(new(node, Isa.None))) Check<F32Depthwise, Simd256, Vector256<float>>(one, node);
        }
    }

    private static void Check<K, S, V>(OpCase one, Node node) where K : struct, IKernelMaker where S : struct, ISimd<V> where V : unmanaged
    {
        const float untouched = -12345;
        int channels = node.Inputs[0].Shape[1], columns = node.Shape[1], inputPitch = channels + 5, outputPitch = columns + 3;
        float[] input = ChannelsLast(one.Inputs[0]), spread = new float[input.Length / channels * inputPitch];
        float[] narrow = new float[node.Shape.Elements], wide = new float[node.Shape.Elements / columns * outputPitch];
        Array.Fill(wide, untouched);
        for (int i = 0; i < input.Length; i++) spread[i / channels * inputPitch + i % channels] = input[i];
        Run(K.Make<S, V>(new(node, Isa.None)), input, narrow);
        Run(K.Make<S, V>(new(node, Isa.None, [inputPitch], outputPitch)), spread, wide);
        for (int i = 0; i < wide.Length; i++)
        {
            float expected = i % outputPitch < columns ? narrow[i / outputPitch * columns + i % outputPitch] : untouched;
            Assert.True(wide[i].Equals(expected), $"{one}, {typeof(K).Name}, {typeof(S).Name}: element {i} should be {expected}, is {wide[i]}");
        }
    }

    private static void Run(Kernel kernel, float[] input, float[] output)
    {
        using (kernel)
            fixed (float* from = input, to = output)
            {
                void* inputs = from;
                for (int task = 0; task < kernel.Tasks(0); task++) kernel.Run(0, task, new(&inputs, to, null));
            }
    }

    private static float[] ChannelsLast(Tensor tensor)
    {
        using NativeBuffer memory = StridedCopy.Inward(tensor);
        return new Span<float>(memory.Pointer, tensor.Shape.Elements).ToArray();
    }
}
