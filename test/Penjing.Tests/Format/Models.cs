namespace Penjing.Tests;

/// <summary>Models as bytes, and their equality: every node, every attribute, every bit.</summary>
internal static class Models
{
    /// <summary>The bytes of a model's file.</summary>
    public static byte[] Bytes(Model model, Storage storage)
    {
        var stream = new MemoryStream();
        new ModelWriter(model, storage).WriteTo(stream);
        return stream.ToArray();
    }

    /// <summary>Fails where the two differ.</summary>
    public static void AssertEqual(Model expected, Model actual)
    {
        Graph left = expected.Graph, right = actual.Graph;
        Assert.Equal(left.Nodes.Select(node => node.Name).Order(), right.Nodes.Select(node => node.Name).Order());
        Dictionary<string, Node> others = right.Nodes.ToDictionary(node => node.Name);
        foreach (Node one in left.Nodes)
        {
            Node other = others[one.Name];
            Assert.True(one.Op.Equals(other.Op), $"{one.Name}: {one.Op} became {other.Op}");
            Assert.Equal(one.Info, other.Info);
            Assert.Equal(one.Inputs.Select(node => node.Name), other.Inputs.Select(node => node.Name));
        }
        Assert.Equal(left.Inputs.Select(node => node.Name), right.Inputs.Select(node => node.Name));
        Assert.Equal(left.Outputs.Select(node => node.Name), right.Outputs.Select(node => node.Name));
        Assert.Equal((expected.Name, expected.Preprocessing), (actual.Name, actual.Preprocessing));
        Assert.Equal(expected.Labels, actual.Labels);
        Assert.Equal(expected.Colors, actual.Colors);
        Assert.Equal(expected.History, actual.History);
    }
}
