using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Penjing;
using Penjing.Engine;
using Penjing.Engine.X64;

int threads = 1;
if (args.Length is not (3 or 5) || (args.Length == 5 && (args[3] != "--threads" || !int.TryParse(args[4], CultureInfo.InvariantCulture, out threads))))
{
    Console.Error.WriteLine("usage: penjing-aot MODEL.penjing INPUT.raw OUTPUT.raw [--threads N]   (raw: little-endian floats, N×C×H×W)");
    return 2;
}
try
{
    Console.WriteLine($"vectors 128: {Vector128.IsHardwareAccelerated}, 256: {Vector256.IsHardwareAccelerated}, 512: {Vector512.IsHardwareAccelerated}, assembled: {AssembledKernels.Use()}");
    using Session session = Session.Load(args[0], new(threads));
    foreach (Step step in session.Steps.Where(step => step.IsFallback)) Console.WriteLine($"fallback: {step.Name}");
    var output = new float[session.Outputs[0].Info.Shape.Elements];
    session.Run(MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(args[1])), output);
    File.WriteAllBytes(args[2], MemoryMarshal.AsBytes(output.AsSpan()));
    return 0;
}
catch (Exception error) when (error is PenjingException or IOException)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
