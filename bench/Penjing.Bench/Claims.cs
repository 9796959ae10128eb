using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>
/// What does compression keep of accuracy, and what does it gain? Networks are trained on Fashion-MNIST and compressed by the tool's own commands, each of which is
/// killed twice at random and resumed; a network that was compressed in so many epochs is held against one that was trained on for as many.
/// </summary>
internal static class Claims
{
    private const int Kills = 2, LeastSeconds = 5, MostSeconds = 100;

    /// <summary>The exit code of a command that wrote the nearest it found, but not what was asked.</summary>
    private const int Missed = 3;
    private static readonly string tool = Path.Combine("artifacts", "bin", "Penjing.Cli", "release", OperatingSystem.IsWindows() ? "penjing.exe" : "penjing");
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A command of the tool that ran to its end: what it took, without what was lost when it was killed, and what it said last.</summary>
    private sealed record Step(string Command, double Seconds, int Kills, JsonNode Result);

    /// <summary>The times of the network and of the compressed one at another size of pictures, one thread; ratio: the median of the rounds'.</summary>
    private sealed record Large(int Size, double WholeMs, double SmallMs, double Ratio);

    /// <summary>One claim put to the test with one seed.</summary>
    private sealed record Outcome(string Claim, int Seed, string Machine, Step Trained, Step? Longer, Step? Taught, Step Compressed, Large? Large)
    {
        [JsonIgnore]
        public IEnumerable<Step> Steps => new[] { Trained, Longer, Taught, Compressed }.OfType<Step>();

        /// <summary>The accuracy to keep: that of the network, or of the network trained on, whichever is better.</summary>
        [JsonIgnore]
        public double Whole => Math.Max((double)Trained.Result["top1"]!, (double?)Longer?.Result["top1"] ?? 0);

        [JsonIgnore]
        public JsonArray Stages => Compressed.Result["stages"]!.AsArray();
    }

    /// <summary>Puts claims to the test, those that are named or all; what was measured before stays.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, "claims")).FullName;
        Claim[] all = JsonSerializer.Deserialize<Claim[]>(File.ReadAllText(Path.Combine("bench", "claims", "claims.json")), json)!;
        foreach (string name in arguments.Networks([.. all.Select(claim => claim.Name)]))
        {
            Claim claim = Named(all, name);
            foreach (int seed in arguments.Seeds([.. Enumerable.Range(1, claim.Seeds)]))
            {
                Outcome outcome = Test(all, claim, seed, arguments.Seconds);
                File.WriteAllText(Path.Combine(folder, $"{claim.Name}-{seed}.json"), JsonSerializer.Serialize(outcome, json) + "\n");
                File.WriteAllText(Path.Combine(folder, "claims.md"), Text(all, [.. Directory.EnumerateFiles(folder, "*.json").Order()
                    .Select(file => JsonSerializer.Deserialize<Outcome>(File.ReadAllText(file), json)!)]));
                Console.WriteLine(Line(outcome));
            }
        }
        return 0;
    }

    private static Outcome Test(Claim[] all, Claim claim, int seed, double seconds)
    {
        Claim origin = claim.From is { } from ? Named(all, from) : claim;
        string whole = Place(origin, seed, "whole"), small = Place(claim, seed, "small"), taught = "";
        Step trained = Train(origin, seed);
        Step? longer = claim.Retrain is { } retrain ? Do($"train {whole} {retrain} {Common(claim, seed)}", Place(claim, seed, "longer"), seed) : null;
        Step? longerTaught = null;
        if (claim.Teacher is { } named)
        {
            Claim teacher = Named(all, named);
            int its = Math.Min(seed, teacher.Seeds);
            Train(teacher, its);
            taught = $" --teacher {Place(teacher, its, "whole")}";
            longerTaught = Do($"train {whole} {claim.Retrain} {claim.Teach}{taught} {Common(claim, seed)}", Place(claim, seed, "taught"), seed);
        }
        Step compressed = Do($"compress {whole} {claim.Compress}{taught} {Common(claim, seed)}", small, seed);
        return new(claim.Name, seed, Machine.Describe(), trained, longer, longerTaught, compressed, claim.Size is { } size ? AtSize(size, whole, small, seconds) : null);
    }

    private static Claim Named(Claim[] all, string name) => all.FirstOrDefault(claim => claim.Name == name) ?? throw new PenjingException($"there is no claim named '{name}'");

    private static Step Train(Claim claim, int seed) => Do($"train {claim.Network} {claim.Train} {Common(claim, seed)}", Place(claim, seed, "whole"), seed);

    private static string Common(Claim claim, int seed) => $"--data fashion-mnist {claim.Common} --seed {seed} --threads 2";

    private static string Place(Claim claim, int seed, string name)
    {
        string folder = Path.Combine("artifacts", "claims", $"{claim.Name}-{seed}");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $"{name}.penjing");
    }

    /// <summary>Runs a command until its end, or takes what it said when it came to its end before.</summary>
    private static Step Do(string command, string output, int seed)
    {
        Random random = new(seed);
        string kept = Path.ChangeExtension(output, ".json");
        if (File.Exists(kept) && JsonSerializer.Deserialize<Step>(File.ReadAllText(kept), json) is { } done && File.Exists(output)) return done;
        string[] words = [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-o", output, "--resume", "--json"];
        string place = Path.GetDirectoryName(output)!, told = $"penjing {command.Replace(place + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
            .Replace(Path.GetDirectoryName(place)! + Path.DirectorySeparatorChar, "../", StringComparison.Ordinal)} -o {Path.GetFileName(output)} --resume --json";
        Console.WriteLine(told);
        double seconds = 0;
        for (int kills = 0; ;)
        {
            long begin = Stopwatch.GetTimestamp();
            using Process process = Process.Start(new ProcessStartInfo(tool, words) { RedirectStandardOutput = true })!;
            Task<string> said = process.StandardOutput.ReadToEndAsync();
            bool ended = process.WaitForExit(kills < Kills ? TimeSpan.FromSeconds(random.Next(LeastSeconds, MostSeconds)) : Timeout.InfiniteTimeSpan);
            if (!ended) process.Kill();
            process.WaitForExit();
            seconds += Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (!ended)
            {
                kills++;
                continue;
            }
            if (process.ExitCode is not (0 or Missed)) throw new PenjingException($"'{told}' failed");
            Step step = new(told, Math.Round(seconds), kills, JsonNode.Parse(said.Result)!);
            File.WriteAllText(kept, JsonSerializer.Serialize(step, json));
            return step;
        }
    }

    private static Large AtSize(int size, string whole, string small, double seconds)
    {
        using Session before = new(PenjingFile.Read(whole).Graph.WithSize(size, size), new(1)), after = new(PenjingFile.Read(small).Graph.WithSize(size, size), new(1));
        Turn[] turns = Turns.Measure([Choice.Runner(before), Choice.Runner(after)], seconds);
        double[] ratios = [.. turns[1].BlockMs.Zip(turns[0].BlockMs, (a, b) => a / b).Order()];
        return new(size, turns[0].MedianMs, turns[1].MedianMs, Turns.At(ratios, 0.5));
    }

    private static string Text(Claim[] claims, Outcome[] outcomes)
    {
        var text = new System.Text.StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # What compression keeps and what it gains

            `dotnet run -c Release --project bench/Penjing.Bench -- claims --networks NAME`; what each command said, and the machine, is in NAME-SEED.json beside this page.

            Fashion-MNIST, 60,000 pictures to train on and 10,000 to test with, two threads, no accelerator; one standard deviation of top-1 is about 0.25 points. Points: the accuracy
            of the compressed file on the engine, less that of the network, or of the network trained on for as many epochs as compression took, whichever is better.
            Taught: the network trained on so with the teacher of its compression, where that had another one than the network; empty where that was not measured. Every command was killed (SIGKILL, up to {Kills} times, {LeastSeconds} to
            {MostSeconds} seconds after its start, where it ran so long) and resumed; kills: of all commands together. Bytes are those of files; Float32: what the
            parameters take as they lie in memory, against the compressed file. Times: one picture, one thread, in turns.

            | claim | seed | top-1 | trained on | taught | compressed | points | bytes | compressed | ratio | Float32 | parameters | MACs | time | at 224×224 | from scratch | kills | minutes |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """).ReplaceLineEndings("\n"));
        foreach (Outcome outcome in outcomes.OrderBy(one => Array.FindIndex(claims, claim => claim.Name == one.Claim)).ThenBy(one => one.Seed)) text.Append(Line(outcome)).Append('\n');
        text.Append("\n## What was claimed, and how it was tried\n");
        foreach (Claim claim in claims.Where(claim => outcomes.Any(outcome => outcome.Claim == claim.Name)))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {claim.Name}\n\n{claim.About}\n\n");
            foreach (Step step in outcomes.First(outcome => outcome.Claim == claim.Name).Steps) text.Append(CultureInfo.InvariantCulture, $"    {step.Command}\n");
            text.Append("\n| stage | seed | top-1 | bytes | of the first | parameters | MACs | time |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
            foreach (Outcome outcome in outcomes.Where(outcome => outcome.Claim == claim.Name))
                foreach (JsonNode? stage in outcome.Stages) text.Append(Line(outcome, stage!)).Append('\n');
            foreach (Outcome outcome in outcomes.Where(outcome => outcome.Claim == claim.Name && outcome.Compressed.Result["verdict"] is not null))
                text.Append(CultureInfo.InvariantCulture, $"\nSeed {outcome.Seed}: {outcome.Compressed.Result["verdict"]}.\n");
        }
        return text.ToString();
    }

    private static string Line(Outcome outcome)
    {
        JsonNode first = outcome.Stages[0]!, last = outcome.Stages[^1]!;
        double top1 = (double)last["top1"]!;
        return string.Create(CultureInfo.InvariantCulture, $"| {outcome.Claim} | {outcome.Seed} | {Points(outcome.Trained.Result["top1"])} | {Points(outcome.Longer?.Result["top1"])} | {Points(outcome.Taught?.Result["top1"])} | {100 * top1:F2} "
            + $"| {100 * (top1 - outcome.Whole):+0.00;-0.00;0.00} | {(long)first["bytes"]!:N0} | {(long)last["bytes"]!:N0} | {(double)first["bytes"]! / (double)last["bytes"]!:F1} "
            + $"| {4 * (double)first["parameters"]! / (double)last["bytes"]!:F1} | {Share("parameters", last, first)} | {Share("macs", last, first)} | {Share("medianMs", last, first)} | {(outcome.Large is { } large ? $"{large.Ratio:F2}" : "")} "
            + $"| {Points(outcome.Compressed.Result["scratch"]?["top1"])} | {outcome.Steps.Sum(step => step.Kills)} | {outcome.Steps.Sum(step => step.Seconds) / 60:F0} |");
    }

    /// <summary>What one stage came to, beside the network before all of them.</summary>
    private static string Line(Outcome outcome, JsonNode stage)
    {
        JsonNode first = outcome.Stages[0]!;
        return $"| {stage["name"]} | {outcome.Seed} | {Points(stage["top1"])} | {((long)stage["bytes"]!).ToString("N0", CultureInfo.InvariantCulture)} | {Share("bytes", stage, first, "F3")} "
            + $"| {Share("parameters", stage, first)} | {Share("macs", stage, first)} | {Share("medianMs", stage, first)} |";
    }

    private static string Share(string member, JsonNode of, JsonNode whole, string format = "F2") =>
        ((double)of[member]! / (double)whole[member]!).ToString(format, CultureInfo.InvariantCulture);

    private static string Points(JsonNode? top1) => top1 is null ? "" : (100 * (double)top1).ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>A claim as bench/claims/claims.json has it.</summary>
    /// <param name="Name">What it is called.</param>
    /// <param name="About">What is claimed, and what the paper's figure is.</param>
    /// <param name="Network">The network of the zoo; null with <paramref name="From"/>.</param>
    /// <param name="Seeds">How many seeds it needs.</param>
    /// <param name="Common">The options of all its commands.</param>
    /// <param name="Train">The options of its training.</param>
    /// <param name="Retrain">The options of training it on, for as many epochs as its compression takes; null where that is known from another claim.</param>
    /// <param name="Compress">The options of its compression.</param>
    /// <param name="Size">At which other size of pictures it is timed.</param>
    /// <param name="From">The claim whose trained network it begins with, in place of one of its own.</param>
    /// <param name="Teacher">The claim whose network teaches, in place of the uncompressed one.</param>
    /// <param name="Teach">How it teaches the network that is trained on.</param>
    private sealed record Claim(
        string Name, string About, string? Network, int Seeds, string Common, string? Train, string? Retrain, string Compress, int? Size, string? From, string? Teacher, string? Teach);
}
