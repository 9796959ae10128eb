using System.Text.RegularExpressions;
using System.Xml.Linq;
using Penjing.Testing;

namespace Penjing.House.Tests;

/// <summary>The rules of the house that a machine can check.</summary>
public sealed partial class RuleTests
{
    private static readonly string[] ForbiddenFolders = ["Utils", "Helpers", "Interfaces", "Enums", "Extensions", "Common", "Misc"];

    /// <summary>Each project of src, and all that it may reference.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Penjing"] = ["System.IO.Hashing"],
        ["Penjing.Engine"] = ["Penjing"],
        ["Penjing.Engine.X64"] = ["Penjing.Engine", "Iced"],
        ["Penjing.Interop"] = ["Penjing", "Google.Protobuf", "Google.FlatBuffers", "Grpc.Tools"],
        ["Penjing.Models"] = ["Penjing"],
        ["Penjing.Compression"] = ["Penjing"],
        ["Penjing.Training"] = ["Penjing", "Penjing.Compression", "TorchSharp", "libtorch-cpu-linux-x64", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],
        ["Penjing.Lab"] = ["Penjing", "Penjing.Engine", "Penjing.Models", "Penjing.Compression", "Penjing.Training"],
        ["Penjing.Cli"] =
        [
            "Penjing", "Penjing.Engine", "Penjing.Engine.X64", "Penjing.Interop", "Penjing.Models", "Penjing.Compression", "Penjing.Training", "Penjing.Lab", "Spectre.Console",
            "System.CommandLine", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies",
        ],
    };

    [Fact]
    public void No_file_is_over_its_length()
    {
        string[] tooLong =
        [
            .. House.Sources("src").Concat(House.Sources("test")).Concat(House.Sources("bench"))
                .Select(path => (path, lines: House.Lines(path).Length, limit: path.Contains("/Kernels/") ? 500 : 400))
                .Where(file => file.lines > file.limit).Select(file => $"{file.path}: {file.lines} lines, at most {file.limit}"),
        ];
        Assert.True(tooLong.Length == 0, string.Join('\n', tooLong));
    }

    [Fact]
    public void No_folder_is_a_drawer()
    {
        string[] drawers = [.. House.Files.Where(path => path.Split('/')[..^1].Intersect(ForbiddenFolders, StringComparer.OrdinalIgnoreCase).Any())];
        Assert.True(drawers.Length == 0, string.Join('\n', drawers));
    }

    [Fact]
    public void Nothing_is_left_to_do()
    {
        string[] left =
        [
            .. House.Files.Where(path => Path.GetExtension(path) is ".cs" or ".md" or ".csproj" or ".props" && !path.EndsWith("/RuleTests.cs", StringComparison.Ordinal))
                .SelectMany(path => House.Lines(path).Select((line, index) => (path, line, number: index + 1)))
                .Where(at => ToDo().IsMatch(at.line)).Select(at => $"{at.path}:{at.number}: {at.line.Trim()}"),
        ];
        Assert.True(left.Length == 0, string.Join('\n', left));
    }

    [Fact]
    public void Unsafe_code_keeps_to_its_rooms()
    {
        string[] outside =
        [
            .. House.Sources("src").Where(path => !path.StartsWith("src/Penjing.Engine/", StringComparison.Ordinal) && !path.StartsWith("src/Penjing.Engine.X64/", StringComparison.Ordinal) && !Path.GetFileName(path).StartsWith("Mapped", StringComparison.Ordinal))
                .Where(path => House.Lines(path).Any(line => Unsafe().IsMatch(line))),
        ];
        Assert.True(outside.Length == 0, string.Join('\n', outside));
    }

    [Fact]
    public void Projects_reference_only_what_the_design_allows()
    {
        foreach (string path in House.Files.Where(path => path.StartsWith("src/", StringComparison.Ordinal) && path.EndsWith(".csproj", StringComparison.Ordinal)))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            XDocument project = XDocument.Load(Path.Combine(Repository.Root, path));
            IEnumerable<string> references = project.Descendants("ProjectReference").Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value))
                .Concat(project.Descendants("PackageReference").Select(item => item.Attribute("Include")!.Value));
            Assert.True(Allowed.TryGetValue(name, out string[]? allowed), $"the project {name} is not in the table");
            Assert.Empty(references.Except(allowed!));
        }
    }

    [Fact]
    public void Device_side_is_fit_for_native_compilation()
    {
        foreach (string name in new[] { "Penjing", "Penjing.Engine", "Penjing.Engine.X64", "Penjing.Interop", "Penjing.Compression" })
            Assert.Contains("<IsAotCompatible>true</IsAotCompatible>", File.ReadAllText(Path.Combine(Repository.Root, $"src/{name}/{name}.csproj")));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Penjing.slnx"));
        Assert.DoesNotContain(House.Files, path => path.EndsWith(".csproj", StringComparison.Ordinal) && !solution.Contains($"\"{path}\""));
    }

    [Fact]
    public void Versions_stand_in_one_place() =>
        Assert.DoesNotContain(House.Files, path => path.EndsWith(".csproj", StringComparison.Ordinal)
            && XDocument.Load(Path.Combine(Repository.Root, path)).Descendants("PackageReference").Any(item => item.Attribute("Version") is not null));

    [Fact]
    public void Namespaces_are_the_projects_own()
    {
        string[] strangers =
        [
            .. House.Sources("src").Where(path => !path.EndsWith("/AssemblyInfo.cs", StringComparison.Ordinal))
                .Where(path => House.Lines(path).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal)) is { } line
                    && line != $"namespace {path.Split('/')[1]};" && line != $"namespace {path.Split('/')[1]}.{path.Split('/')[2]};"),
        ];
        Assert.True(strangers.Length == 0, string.Join('\n', strangers));
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex ToDo();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex Unsafe();
}
