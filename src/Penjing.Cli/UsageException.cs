namespace Penjing.Cli;

/// <summary>Options that contradict each other, or say too little; the message names them.</summary>
internal sealed class UsageException(string message) : PenjingException(message);
