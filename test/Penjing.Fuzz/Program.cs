using Penjing;
using Penjing.Interop;
using SharpFuzz;

// The target of a fuzzer that watches which code runs, for longer hunts than the tests':
//   dotnet publish -c Release test/Penjing.Fuzz -o fuzz && sharpfuzz fuzz/Penjing.Interop.dll && sharpfuzz fuzz/Penjing.dll
//   afl-fuzz -i files -o findings -t 10000 -m none -- dotnet fuzz/Penjing.Fuzz.dll [onnx | penjing]
Func<byte[], Model> read = args is ["penjing", ..] ? file => PenjingFile.Read(file) : file => OnnxReader.Read(file);
Fuzzer.OutOfProcess.Run(stream =>
{
    using var file = new MemoryStream();
    stream.CopyTo(file);
    try
    {
        _ = read(file.ToArray());
    }
    catch (PenjingException)
    {
        // The one clear answer to a file that is none.
    }
});
