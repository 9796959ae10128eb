using System.Collections.Immutable;
using System.Globalization;
using Penjing.Interop.Onnx;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>One of ONNX's test cases: a model, inputs, and the outputs that it should have.</summary>
internal sealed record ConformanceCase(string Suite, string Name, string Folder)
{
    // The tolerances of ONNX's own test runner.
    private const double Relative = 1e-3, Absolute = 1e-7;

    /// <summary>The cases of a suite, by name.</summary>
    public static ImmutableArray<ConformanceCase> Of(string data, string suite) =>
        [.. Directory.GetDirectories(Path.Combine(data, suite)).Order(StringComparer.Ordinal)
            .Select(folder => new ConformanceCase(suite, Path.GetFileName(folder), folder))];

    /// <summary>Throws unless every runner gives every data set's outputs. Inputs on which shapes hang are bound, no others.</summary>
    public void Check(params (string Name, Func<Graph, Tensor[], Tensor[]> Run)[] runners)
    {
        byte[] file = File.ReadAllBytes(Path.Combine(Folder, "model.onnx"));
        ModelProto proto = ModelProto.Parser.ParseFrom(file);
        foreach (string set in Directory.GetDirectories(Folder, "test_data_set_*").Order(StringComparer.Ordinal))
        {
            Dictionary<string, Tensor> inputs = [];
            for (int i = 0; File.Exists(Path.Combine(set, $"input_{i}.pb")); i++) inputs[proto.Graph.Input[i].Name] = Read(set, $"input_{i}.pb");
            Graph graph = Import(file, inputs);
            Tensor[] fed = [.. graph.Inputs.Select(input => inputs[input.Name])];
            Tensor[] expected = [.. Enumerable.Range(0, proto.Graph.Output.Count).Select(i => Read(set, $"output_{i}.pb"))];
            foreach ((string runner, Func<Graph, Tensor[], Tensor[]> run) in runners)
            {
                Tensor[] actual = run(graph, fed);
                for (int i = 0; i < expected.Length; i++) Compare(expected[i], actual[i], $"{runner}, output {i}");
            }
        }
    }

    private static Graph Import(byte[] file, Dictionary<string, Tensor> inputs)
    {
        var options = new OnnxOptions();
        while (true)
        {
            try
            {
                return OnnxReader.Read(file, options).Graph;
            }
            catch (UnboundInputException error) when (!options.Bound.ContainsKey(error.Input))
            {
                options = options with { Bound = options.Bound.Add(error.Input, inputs[error.Input]) };
            }
        }
    }

    private static Tensor Read(string set, string file)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(set, file));
        return new OnnxTensors(null, bytes.Length).Read(TensorProto.Parser.ParseFrom(bytes));
    }

    private static void Compare(Tensor expected, Tensor actual, string what)
    {
        if (expected.Type != actual.Type || expected.Shape != actual.Shape) throw new ClosenessException($"{what}: {expected} was expected, {actual} came");
        if (!expected.Type.IsFloat())
        {
            Closeness.CheckBits(expected, actual, what);
            return;
        }
        double[] oracle = Doubles(expected), answer = Doubles(actual);
        for (int i = 0; i < oracle.Length; i++)
        {
            bool same = oracle[i].Equals(answer[i]) || oracle[i] == answer[i] || Math.Abs(oracle[i] - answer[i]) <= Absolute + Relative * Math.Abs(oracle[i]);
            if (!same)
                throw new ClosenessException(string.Create(CultureInfo.InvariantCulture,
                    $"{what}: element {i} of {expected} should be {oracle[i]:R}, is {answer[i]:R}"));
        }
    }

    private static double[] Doubles(Tensor tensor) => Reference.Evaluate(new Cast(ElementType.Float64), [tensor]).AsSpan<double>().ToArray();
}
