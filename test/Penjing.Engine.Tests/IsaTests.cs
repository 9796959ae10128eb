using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Text.RegularExpressions;

namespace Penjing.Engine.Tests;

/// <summary>The kernel tests again, in processes in which the runtime may not use the machine's wider vectors.</summary>
public partial class IsaTests
{
    /// <summary>The kernel tests pass in a process of which another test proves that it has exactly these vectors.</summary>
    [Theory]
    [InlineData("DOTNET_EnableAVX512", Isa.Vector256)]
    [InlineData("DOTNET_EnableAVX2", Isa.Vector128)]
    [InlineData("DOTNET_EnableHWIntrinsic", Isa.None)]
    public async Task TheKernelTestsPassWithout(string variable, Isa left)
    {
        if (Isas.Best <= left) Assert.Skip($"this machine has at most {Isas.Best}, so there is nothing to switch off");
        if (variable.Contains("AVX", StringComparison.Ordinal) && RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Skip($"{variable} is of x64");
        ChildProcess child = await ChildProcess.RunTests([typeof(VectorsOfTheProcessTests), typeof(KernelTests), typeof(SpecialValueTests)], TimeSpan.FromMinutes(5),
            (variable, "0"), (VectorsOfTheProcessTests.Variable, left.ToString()));
        Assert.True(child.ExitCode == 0, child.Output);
        Match ran = Summary().Match(child.Output);
        Assert.True(ran.Success && int.Parse(ran.Groups[1].Value) > 5, child.Output);
        TestContext.Current.TestOutputHelper?.WriteLine($"{ran.Groups[1].Value} tests passed with {left}");
    }

    [GeneratedRegex(@"Total: (\d+), Errors: 0, Failed: 0, Skipped: 0, Not Run: 0")]
    private static partial Regex Summary();
}

/// <summary>Which vectors this process has.</summary>
public class VectorsOfTheProcessTests
{
    /// <summary>The environment variable by which a parent process says what it expects here.</summary>
    public const string Variable = "PENJING_EXPECTED_VECTORS";

    /// <summary>The process has the vectors that its parent says, no wider and no narrower.</summary>
    [Fact]
    public void AreThoseExpected()
    {
        Isa expected = Enum.TryParse(Environment.GetEnvironmentVariable(Variable), out Isa said) ? said : Isas.Best;
        Assert.Equal(
            (expected >= Isa.Vector128, expected >= Isa.Vector256, expected >= Isa.Vector512),
            (Vector128.IsHardwareAccelerated, Vector256.IsHardwareAccelerated, Vector512.IsHardwareAccelerated));
        Assert.Equal(expected, Isas.Best);
        if (RuntimeInformation.ProcessArchitecture == Architecture.Arm64) Assert.Equal(expected >= Isa.Vector128, AdvSimd.Arm64.IsSupported);
    }
}
