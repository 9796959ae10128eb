namespace Penjing;

/// <summary>An error a user can mend: its message names the thing and the remedy, and is shown without a stack trace.</summary>
public class PenjingException : Exception
{
    /// <summary>An error with its message.</summary>
    public PenjingException(string message) : base(message) { }

    /// <summary>An error with its message and cause.</summary>
    public PenjingException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>Shapes, types or attributes that don't fit together; the message names both sides.</summary>
public sealed class ShapeException : PenjingException
{
    /// <summary>A misfit with its message.</summary>
    public ShapeException(string message) : base(message) { }
}

/// <summary>A file that is not what it should be: damaged, truncated, of another format or a newer version.</summary>
public sealed class ModelFormatException : PenjingException
{
    /// <summary>A damaged file with what is wrong about it.</summary>
    public ModelFormatException(string message) : base(message) { }

    /// <summary>A damaged file with what is wrong about it and the cause.</summary>
    public ModelFormatException(string message, Exception inner) : base(message, inner) { }
}
