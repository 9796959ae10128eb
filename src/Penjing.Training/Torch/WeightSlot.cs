using System.Runtime.InteropServices;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>A constant of the graph that is trained, and the numbers that make it up: a stretch of one flat vector for the whole network.</summary>
internal sealed class WeightSlot : IDisposable
{
    private readonly TorchTensor? mask;
    private readonly TorchTensor? indices;
    private readonly ReadOnlyMemory<byte> original;
    private readonly int[] codes;

    /// <summary>A slot for a constant.</summary>
    /// <exception cref="PenjingException">The constant is not of floats.</exception>
    public WeightSlot(Node node, Parameterization parameterization, bool decays)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor value = node.Value!;
        Node = node;
        Parameterization = parameterization;
        Decays = decays;
        original = value.Bytes;
        codes = [];
        Initial = value.Floats.ToArray();
        if (parameterization.HasFlag(Parameterization.Shared))
        {
            (Initial, codes) = Codebook(value.Floats);
            indices = torch.tensor(codes, dtype: torch.ScalarType.Int32).DetachFromDisposeScope();
            Members = new int[Initial.Length];
            foreach (int code in codes) Members[code]++;
        }
        if (parameterization.HasFlag(Parameterization.KeepZeros) && Initial.Contains(0))
            mask = torch.tensor([.. Initial.Select(x => x == 0 ? 0f : 1f)]).reshape(indices is null ? Shape : [Initial.Length]).DetachFromDisposeScope();
    }

    /// <summary>The constant as the graph has it.</summary>
    public Node Node { get; }

    /// <summary>How the numbers make up the weight.</summary>
    public Parameterization Parameterization { get; }

    /// <summary>Whether it is a kernel or a matrix, which weight decay acts on even where it spares biases and normalization.</summary>
    public bool Decays { get; }

    /// <summary>The numbers as the graph has them: the elements, or the codebook.</summary>
    public float[] Initial { get; }

    /// <summary>How many elements each codebook entry stands for; empty where not shared.</summary>
    public int[] Members { get; } = [];

    /// <summary>Where the numbers begin in the flat vector.</summary>
    public int Offset { get; set; }

    /// <summary>The numbers' count.</summary>
    public int Count => Initial.Length;

    /// <summary>The shape of a leaf over the numbers.</summary>
    public long[] LeafShape => indices is null ? Shape : [Count];

    private long[] Shape => Node.Shape.ToTorch();

    /// <summary>The weight that the leaf's numbers make up, differentiable.</summary>
    public TorchTensor Value(TorchTensor leaf)
    {
        TorchTensor numbers = mask is null ? leaf : leaf * mask;
        return indices is null ? numbers : numbers.index_select(0, indices).reshape(Shape);
    }

    /// <summary>The constant with these numbers; the very node where every bit is as it was.</summary>
    public Node Written(ReadOnlySpan<float> numbers)
    {
        var bytes = new byte[original.Length];
        Span<float> values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        ReadOnlySpan<float> before = MemoryMarshal.Cast<byte, float>(original.Span);
        bool keep = Parameterization.HasFlag(Parameterization.KeepZeros);
        for (int i = 0; i < values.Length; i++)
        {
            float now = numbers[codes.Length > 0 ? codes[i] : i];
            values[i] = now == before[i] || (keep && before[i] == 0) ? before[i] : now;
        }
        return original.Span.SequenceEqual(bytes) ? Node : new(Node.Name, (Constant)Node.Op with { Value = new(ElementType.Float32, Node.Shape, bytes) });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mask?.Dispose();
        indices?.Dispose();
    }

    /// <summary>The distinct values in the order of first use, and which one each element has; both zeros are one.</summary>
    private static (float[] Values, int[] Codes) Codebook(ReadOnlySpan<float> values)
    {
        var known = new Dictionary<int, int>();
        var codebook = new List<float>();
        var codes = new int[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int bits = values[i] == 0 ? 0 : BitConverter.SingleToInt32Bits(values[i]);
            if (!known.TryGetValue(bits, out codes[i]))
            {
                known[bits] = codes[i] = codebook.Count;
                codebook.Add(values[i]);
            }
        }
        return ([.. codebook], codes);
    }
}
