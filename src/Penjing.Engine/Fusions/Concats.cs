namespace Penjing.Engine;

/// <summary>What is done to a whole concatenation, done to its parts by those that yield them.</summary>
internal static class Concats
{
    /// <summary>An activation moves from a concatenation to its parts, where one at least takes it into its own step.</summary>
    public static Node? Activate(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: Activation then, Info.Type: ElementType.Float32, Inputs: [{ Op: Concat, Inputs: var parts } concat] } || readers(concat) != 1) return null;
        Node?[] taken = [.. parts.Select(Taken)];
        if (taken.All(part => part is null)) return null;
        return new(node.Name, concat.Op, [.. parts.Select((part, i) => taken[i] ?? new Node($"{node.Name}/{i}", then, part))]);

        Node? Taken(Node part) => part.Op switch
        {
            _ when then is Relu && Padded.NonNegative(part) => part,
            Conv { Then: null } conv when readers(part) == 1 => new(part.Name, conv with { Then = then }, part.Inputs),
            FusedConv { Conv.Then: null } fused when readers(part) == 1 => new(part.Name, fused with { Conv = fused.Conv with { Then = then } }, part.Inputs),
            Add { Then: null } when readers(part) == 1 && part.Info.Type == ElementType.Float32 => new(part.Name, new Add(then), part.Inputs),
            _ => null,
        };
    }
}
