using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;

namespace Penjing.Cli;

/// <summary>The tool as a whole: parses the command line, runs one verb, and turns whatever happens into one message and an exit code.</summary>
internal static class Tool
{
    /// <summary>All went well.</summary>
    public const int Done = 0;

    /// <summary>Something a user can mend: a file, a data set, a shape, a full disk.</summary>
    public const int Failed = 1;

    /// <summary>The command line can't be understood, or has options that exclude each other.</summary>
    public const int Misused = 2;

    /// <summary>The network is written, but a bound that it was to keep is not kept.</summary>
    public const int Missed = 3;

    /// <summary>A fault of Penjing itself (EX_SOFTWARE of sysexits.h).</summary>
    public const int Broken = 70;

    /// <summary>Stopped by Ctrl-C or SIGTERM (128 + SIGINT, as shells count).</summary>
    public const int Cancelled = 130;

    /// <summary>Runs one of the verbs as the command line says, and returns the exit code.</summary>
    public static async Task<int> Run(string[] args, IReadOnlyList<Verb> verbs)
    {
        RootCommand root = new("Penjing takes a convolutional network from training to the device: train, prune, share weights, code, run.");
        foreach (Verb verb in verbs) root.Add(verb);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Description = "Show this help.";
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Options.OfType<VersionOption>().Single().Description = "Show the version.";
        try
        {
            ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
            if (parsed.Action is not (HelpWithExamples or Verb.VerbAction) && parsed.Errors.Count == 0) return await parsed.InvokeAsync();
            if (parsed.Action is HelpWithExamples) return parsed.Invoke();
            if (parsed.Errors.Count > 0) return Misuse(parsed, args);
            return await Run(parsed, (Verb)parsed.CommandResult.Command);
        }
        catch (Exception error)
        {
            return Explain(error);
        }
    }

    private static int Misuse(ParseResult parsed, string[] args)
    {
        Command command = parsed.CommandResult.Command;
        string? unknown = args.Select(arg => arg.Split('=')[0]).FirstOrDefault(arg => arg.StartsWith("--", StringComparison.Ordinal)
            && !command.Options.Concat(parsed.RootCommandResult.Command.Options).Any(option => option.Name == arg || option.Aliases.Contains(arg)));
        string message = unknown is not null ? $"there is no option '{unknown}' here"
            : parsed.Errors.OrderBy(error => error.Message.StartsWith("Required command", StringComparison.Ordinal)).First().Message;
        string help = command is Verb verb ? $"penjing {verb.Name} --help" : "penjing --help";
        return Say(Misused, $"{char.ToLowerInvariant(message[0])}{message[1..].TrimEnd('.')}; see `{help}`");
    }

    private static async Task<int> Run(ParseResult parsed, Verb verb)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        Screen screen = new(verb.IsJson(parsed));
        try
        {
            await Task.Run(() => verb.Body(parsed, screen, stop.Token), CancellationToken.None);
            await Console.Out.FlushAsync(CancellationToken.None);
            return screen.HasMissed ? Missed : Done;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Say(Cancelled, screen.WhenStopped is { } note ? $"stopped; {note}" : "stopped; nothing was written");
        }

        // The first signal asks for a clean stop, the second one ends the process at once.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            if (stop.IsCancellationRequested) Environment.Exit(Cancelled);
            stop.Cancel();
        }
    }

    private static int Explain(Exception error) => error switch
    {
        UsageException => Say(Misused, error.Message),
        PenjingException => Say(Failed, error.Message),
        AggregateException { InnerException: { } inner } => Explain(inner),
        IOException or UnauthorizedAccessException => Say(Failed, error.Message),
        OutOfMemoryException => Say(Failed, "there is not enough memory for this: try fewer pictures at once where the command has a --batch, or a machine with more"),
        _ => Say(Broken, $"unexpected {error.GetType().Name}: {error.Message}\n"
            + "penjing: this is a fault of Penjing, not yours: please report it with the command you gave (PENJING_TRACE=1 prints where it happened)", error),
    };

    private static int Say(int code, string message, Exception? fault = null)
    {
        try
        {
            Console.Error.WriteLine($"penjing: {message}");
            if (fault is not null && Environment.GetEnvironmentVariable("PENJING_TRACE") == "1") Console.Error.WriteLine(fault);
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code still says it.
        }
        return code;
    }

    /// <summary>The standard help, and below it the verb's examples.</summary>
    private sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parsed)
        {
            standard.MaxWidth = 110;
            int code = standard.Invoke(parsed);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.CommandResult.Command is Verb verb)
            {
                output.WriteLine("Examples:");
                foreach (string example in verb.Examples) output.WriteLine($"  {example}");
            }
            else
            {
                output.WriteLine("Start with `penjing demo`; `penjing COMMAND --help` shows a command's options and examples.");
            }
            return code;
        }
    }
}
