using System.Diagnostics;

namespace Penjing.Engine.Tests;

/// <summary>A program run to its end, and what it said on both streams.</summary>
internal sealed record ChildProcess(int ExitCode, string Output)
{
    /// <summary>Runs a program with additional environment variables; one that outlasts the limit is killed with all it started.</summary>
    public static async Task<ChildProcess> Run(string program, IEnumerable<string> arguments, TimeSpan limit, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(stop.Token), error = process.StandardError.ReadToEndAsync(stop.Token);
            await process.WaitForExitAsync(stop.Token);
            return new(process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new(-1, $"{program} was still running after {limit}");
        }
    }

    /// <summary>Runs chosen classes of this test program in a process of its own.</summary>
    public static Task<ChildProcess> RunTests(IEnumerable<Type> classes, TimeSpan limit, params (string Name, string Value)[] environment)
    {
        string program = Path.Combine(AppContext.BaseDirectory, typeof(ChildProcess).Assembly.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return Run(program, ["-noColor", "-noLogo", .. classes.SelectMany(one => (string[])["-class", one.FullName!])], limit, environment);
    }
}
