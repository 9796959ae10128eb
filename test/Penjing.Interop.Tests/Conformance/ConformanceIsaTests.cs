using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Penjing.Engine;
using Penjing.Engine.Tests;

namespace Penjing.Interop.Tests;

/// <summary>The conformance cases again, in processes in which the runtime may not use the machine's wider vectors.</summary>
public partial class ConformanceIsaTests
{
    /// <summary>The same cases pass in a process that has exactly these vectors, as it asserts itself.</summary>
    [Theory]
    [InlineData("DOTNET_EnableAVX512", Isa.Vector256)]
    [InlineData("DOTNET_EnableAVX2", Isa.Vector128)]
    [InlineData("DOTNET_EnableHWIntrinsic", Isa.None)]
    public async Task The_cases_pass_without(string variable, Isa left)
    {
        if (ConformanceData.Folder(out string problem) is null) Assert.Skip(problem);
        if (Isas.Best <= left) Assert.Skip($"this machine has at most {Isas.Best}, so there is nothing to switch off");
        if (variable.Contains("AVX", StringComparison.Ordinal) && RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Skip($"{variable} is of x64");
        ChildProcess child = await ChildProcess.RunTests([typeof(ConformanceTests)], TimeSpan.FromMinutes(5), (variable, "0"),
            (ConformanceTests.Vectors, left.ToString()));
        Assert.True(child.ExitCode == 0 && Summary().IsMatch(child.Output), child.Output);
    }

    [GeneratedRegex(@"Total: [4-9], Errors: 0, Failed: 0, Skipped: [01], Not Run: 0")]
    private static partial Regex Summary();
}
