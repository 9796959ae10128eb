using Penjing.Engine;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Every network of the zoo, exported, gives in ONNX Runtime what it gives on the engine.</summary>
public sealed class ZooAgainstRuntimeTests
{
    /// <summary>The names of the zoo.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.Select(entry => entry.Name)];

    /// <summary>At a small picture, the largest also at a fraction of their width, with normalizations as after training.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Exported_and_own_answers_agree(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        double? width = name.StartsWith("vgg", StringComparison.Ordinal) || name.StartsWith("resnet", StringComparison.Ordinal) ? 0.25 : null;
        Model model = entry.Build(new() { Size = Size.Square(Math.Min(entry.Size.Width, 64)), Classes = 10, Width = width });
        model = model with { Graph = Statistics.Drawn(model.Graph) };
        Tensor picture = RandomTensors.Normal(model.Graph.Inputs[0].Shape, 11);
        using Session session = new(model, new(1));
        Closeness.Check(Runtime.Run(model, [picture])[0], session.Run([picture], TestContext.Current.CancellationToken)[0], 1e-4, name);
    }
}
