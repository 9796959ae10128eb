namespace Penjing.Interop;

/// <summary>A shape hangs on the value of an input, which therefore has to be bound to a constant.</summary>
internal sealed class UnboundInputException(string input, string message) : PenjingException(message)
{
    /// <summary>The input's name.</summary>
    public string Input { get; } = input;
}
