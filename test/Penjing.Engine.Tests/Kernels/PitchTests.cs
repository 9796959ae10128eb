using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Convolutions whose pixels are parts of wider ones.</summary>
public unsafe class PitchTests
{
    /// <summary>The answers of every row that fits are the same bits as side by side, and what lies between the output's pixels is left alone.</summary>
    [Theory]
    [InlineData(Isa.Vector256)]
    [InlineData(Isa.None)]
    public void WiderPixelsChangeNothing(Isa isa)
    {
        foreach (OpCase one in OpCases.Of<Conv>().Concat(OpCases.Of<ConvTranspose>()))
        {
            Node node = KernelCase.Node(one);
            if (node.Shape.Elements == 0 || node.Info.Type is not ElementType.Float32 || !F32Conv.Fits(new(node, isa))) continue;
            Site site = new(node, isa, [node.Inputs[0].Shape[1] + 5], node.Shape[1] + 3);
            foreach (KernelRow row in KernelTable.Rows.Where(row => row.Fits(site))) Check(row, one, site);
        }
    }

    private static void Check(KernelRow row, OpCase one, Site site)
    {
        const float untouched = -12345;
        Node node = site.Node;
        int channels = node.Inputs[0].Shape[1], columns = node.Shape[1], inputPitch = site.InputPitches[0], outputPitch = site.OutputPitch;
        float[] input = ChannelsLast(one.Inputs[0]), spread = new float[input.Length / channels * inputPitch];
        float[] narrow = new float[node.Shape.Elements], wide = new float[node.Shape.Elements / columns * outputPitch];
        Array.Fill(wide, untouched);
        for (int i = 0; i < input.Length; i++) spread[i / channels * inputPitch + i % channels] = input[i];
        Run(row.Create(new(node, site.Isa)), input, narrow);
        Run(row.Create(site), spread, wide);
        for (int i = 0; i < wide.Length; i++)
        {
            float expected = i % outputPitch < columns ? narrow[i / outputPitch * columns + i % outputPitch] : untouched;
            Assert.True(wide[i].Equals(expected), $"{one} with {row.Name}, {site.Isa}: element {i} should be {expected}, is {wide[i]}");
        }
    }

    private static void Run(Kernel kernel, float[] input, float[] output)
    {
        using (kernel)
        using (NativeBuffer scratch = new(kernel.ScratchBytes))
            fixed (float* from = input, to = output)
            {
                void* inputs = from;
                kernel.Run(null, new(&inputs, to, scratch.Pointer));
            }
    }

    private static float[] ChannelsLast(Tensor tensor)
    {
        using NativeBuffer memory = StridedCopy.Inward(tensor);
        return new Span<float>(memory.Pointer, tensor.Shape.Elements).ToArray();
    }
}
