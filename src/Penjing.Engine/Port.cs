namespace Penjing.Engine;

/// <summary>An input or output of a session: its name, and the type and shape of what passes through it.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Info">Type and shape; rank-4 values are N×C×H×W.</param>
public sealed record Port(string Name, ValueInfo Info)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Info}";
}
