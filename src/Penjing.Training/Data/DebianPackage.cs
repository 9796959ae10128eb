using System.ComponentModel;
using System.Diagnostics;

namespace Penjing.Training;

/// <summary>Files out of a Debian package, fetched and unpacked without root and without installing it.</summary>
internal static class DebianPackage
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Copies a package's folder, and all below it, into <paramref name="target"/>; where apt's lists are empty, lists of our own are made first.</summary>
    /// <exception cref="PenjingException">apt-get or dpkg-deb is not there or fails.</exception>
    public static void Fetch(string package, string folder, string target, Action<string>? report, CancellationToken cancellation)
    {
        string work = Directory.CreateTempSubdirectory("penjing-").FullName;
        try
        {
            if (Run(work, cancellation, "apt-get", "-qq", "download", package) is { } first)
            {
                report?.Invoke($"{package}: asking Debian's archive for its lists");
                foreach (string name in new[] { "state/lists/partial", "cache/archives/partial" }) Directory.CreateDirectory(Path.Combine(work, name));
                string[] own = ["-qq", "-o", $"Dir::State={work}/state", "-o", $"Dir::Cache={work}/cache", "-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="];
                string? failed = Run(work, cancellation, "apt-get", [.. own, "update"]) ?? Run(work, cancellation, "apt-get", [.. own, "download", package]);
                if (failed is not null) throw new PenjingException($"{first}; {failed}");
            }
            string file = Directory.GetFiles(work, $"{package}_*.deb").FirstOrDefault() ?? throw new PenjingException("apt-get download left no .deb");
            if (Run(work, cancellation, "dpkg-deb", "-x", file, Path.Combine(work, "root")) is { } unpacking) throw new PenjingException(unpacking);
            string from = Path.Combine(work, "root", folder.TrimStart('/'));
            if (!Directory.Exists(from)) throw new PenjingException($"{Path.GetFileName(file)} has no {folder}");
            foreach (string path in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                string to = Path.Combine(target, Path.GetRelativePath(from, path));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(path, to);
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Runs a command; null where it succeeds, else what it said.</summary>
    private static string? Run(string folder, CancellationToken cancellation, string command, params string[] arguments)
    {
        ProcessStartInfo start = new(command, arguments) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None), errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            try
            {
                process.WaitForExitAsync(patience.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                return $"{command}: no end after {Patience.TotalMinutes:f0} minutes";
            }
            _ = output.GetAwaiter().GetResult();
            string said = errors.GetAwaiter().GetResult().Trim();
            return process.ExitCode == 0 ? null : $"{command} {arguments[^1]}: {(said.Length > 0 ? said.Split('\n')[0] : $"exit code {process.ExitCode}")}";
        }
        catch (Win32Exception)
        {
            return $"{command} is not on this machine";
        }
    }
}
