using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Penjing.Cli.Tests;

/// <summary>What a run of the tool left: its exit code and what it printed.</summary>
internal sealed record Run(string CommandLine, int Code, string Output, string Error)
{
    /// <summary>Fails the test, showing everything, unless the exit code is this one.</summary>
    public Run Ends(int code)
    {
        Assert.True(Code == code, $"{this}\nexpected exit code {code}");
        return this;
    }

    /// <summary>Fails the test unless the tool ended with this code and one line on the standard error that holds all of these words, and printed no result.</summary>
    public Run Refuses(int code, params ReadOnlySpan<string> words)
    {
        Ends(code);
        string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1 && lines[0].StartsWith("penjing: ", StringComparison.Ordinal), $"{this}\nexpected one message");
        Assert.True(Output.Length == 0, $"{this}\nexpected nothing on the standard output");
        foreach (string word in words) Assert.True(Error.Contains(word, StringComparison.OrdinalIgnoreCase), $"{this}\nexpected the message to say '{word}'");
        return this;
    }

    /// <summary>The standard output, which must be one JSON object.</summary>
    public JsonObject Json()
    {
        Ends(0);
        return JsonNode.Parse(Output)!.AsObject();
    }

    public override string ToString() => $"penjing {CommandLine}\nexit code {Code}\n--- output\n{Output}\n--- error\n{Error}";
}

/// <summary>Runs the built tool as a user does.</summary>
internal static class Cli
{
    private static readonly string tool = Find();

    /// <summary>Runs the tool with these arguments and waits for its end.</summary>
    public static Run Run(params string[] args) => Run(null, args);

    /// <summary>Runs the tool, if need be inside a shell command in which "$@" stands for the tool and its arguments.</summary>
    public static Run Run(string? shell, string[] args)
    {
        using Process process = Start(shell, args);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"penjing {string.Join(' ', args)} didn't end within three minutes\n{output.Result}\n{error.Result}");
        }
        return new(string.Join(' ', args), process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts the tool.</summary>
    public static Process Start(string? shell, string[] args)
    {
        ProcessStartInfo start = new(shell is null ? tool : "/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string arg in shell is null ? args : ["-c", shell, "sh", tool, .. args]) start.ArgumentList.Add(arg);
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static string Find()
    {
        string folder = AppContext.BaseDirectory.TrimEnd('/', '\\');
        string path = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(folder))!, "Penjing.Cli", Path.GetFileName(folder), OperatingSystem.IsWindows() ? "penjing.exe" : "penjing");
        return File.Exists(path) ? path : throw new FileNotFoundException($"the tool isn't built: {path}");
    }
}

/// <summary>A folder for one test class, deleted with it.</summary>
public sealed class Scratch : IDisposable
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("penjing-cli-").FullName;

    /// <summary>A path in it.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Deletes the folder.</summary>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
