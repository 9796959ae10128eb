using System.CommandLine;
using System.CommandLine.Invocation;

namespace Penjing.Cli;

/// <summary>What a verb does: it parses nothing more, calls the library and shows the result on the screen.</summary>
internal delegate void VerbBody(ParseResult parsed, Screen screen, CancellationToken stop);

/// <summary>One command of the tool: a name, what it does, its arguments, options and examples.</summary>
internal sealed class Verb : Command
{
    /// <summary>A verb; the order of the symbols is that of the help.</summary>
    public Verb(string name, string description, string[] examples, VerbBody body, params Symbol[] symbols) : base(name, description)
    {
        Examples = examples;
        Body = body;
        foreach (Symbol symbol in symbols)
            switch (symbol)
            {
                case Argument argument: Add(argument); break;
                case Option option: Add(option); break;
                default: throw new ArgumentException($"{symbol.Name} is neither an argument nor an option", nameof(symbols));
            }
        Action = new VerbAction();
    }

    /// <summary>Command lines that work, for the help.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>What the verb does.</summary>
    public VerbBody Body { get; }

    /// <summary>Whether the user asked for JSON.</summary>
    public bool IsJson(ParseResult parsed) => Options.FirstOrDefault(option => option.Name == "--json") is Option<bool> json && parsed.GetValue(json);

    /// <summary>The mark of a verb that was parsed; <see cref="Tool"/> runs the body itself.</summary>
    internal sealed class VerbAction : SynchronousCommandLineAction
    {
        /// <inheritdoc/>
        public override int Invoke(ParseResult parsed) => throw new InvalidOperationException("a verb is run by the tool");
    }
}
