using System.Globalization;
using System.Text.RegularExpressions;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>Which kernels fit a layer, and how long does each take?</summary>
internal static partial class Kernels
{
    /// <summary>Prints every kernel that fits each layer, its times, and what share of them are multiplications.</summary>
    public static int Run(Arguments arguments)
    {
        foreach (string text in arguments.Shapes)
            foreach (int threads in arguments.Threads(1))
            {
                Node node = Conv(text);
                Site site = new(node, Isas.Best);
                Console.WriteLine($"{text}, {threads} thread(s)");
                foreach (KernelRow row in KernelTable.Rows.Where(row => row.Name != "reference" && row.Fits(site)))
                {
                    using Kernel kernel = row.Create(site);
                    Trial trial = Trial.Of(row, site, threads, arguments.Seconds * 100);
                    double gflops = Cost.Macs(node) * 2 / (trial.BestMs * 1e6);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"  {kernel.Label,-36} best {trial.BestMs,8:F4} ms, median {trial.MedianMs,8:F4} ms {gflops,7:F1} GFLOP/s  scratch {trial.ScratchBytes,9}  packed {trial.PackedBytes,9}"));
                }
            }
        return 0;
    }

    private static Node Conv(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success) throw new PenjingException($"'{text}' is no layer; write it as in 64x56x56-128-k3-s2-g1");
        int At(string name, int otherwise) => match.Groups[name].Success ? int.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) : otherwise;
        (int channels, int outputs, int kernel, int groups) = (At("c", 1), At("m", 1), At("k", 1), At("g", 1));
        var random = new Random(1);
        Tensor Noise(params int[] shape) => Tensor.Build<float>(Shape.Create(shape), values =>
        {
            foreach (ref float value in values) value = random.NextSingle() - 0.5f;
        });
        int pad = kernel / 2, stride = At("s", 1);
        return new("layer", new Conv(new(stride, stride), new(pad, pad, pad, pad), Size.One, groups, new Relu()),
            new Node("input", new Input(ElementType.Float32, [1, channels, At("h", 1), At("w", 1)])),
            Node.Weight("weight", Noise(outputs, channels / groups, kernel, kernel)), Node.Weight("bias", Noise(outputs)));
    }

    [GeneratedRegex(@"^(?<c>\d+)x(?<h>\d+)x(?<w>\d+)-(?<m>\d+)(-k(?<k>\d+))?(-s(?<s>\d+))?(-g(?<g>\d+))?$")]
    private static partial Regex Form();
}
