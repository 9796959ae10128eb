using System.Runtime.CompilerServices;
using Penjing.Engine.X64;

namespace Penjing.Engine.Tests;

/// <summary>All tests of this assembly run with code that is assembled at run time, where the machine can.</summary>
public sealed class AssembledKernelsTests
{
    [ModuleInitializer]
    internal static void Use() => AssembledKernels.Use();
}
