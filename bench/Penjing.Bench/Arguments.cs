using System.Globalization;
using Penjing.Engine.X64;

namespace Penjing.Bench;

/// <summary>The options of a command, each a name and its value.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> values = [];

    /// <summary>The options in these words; that about assembled code holds for the process from here on.</summary>
    /// <exception cref="PenjingException">A word is no option, or an option has no value.</exception>
    public Arguments(string[] words)
    {
        for (int i = 0; i < words.Length; i += 2)
        {
            if (words[i] is not ("--networks" or "--shape" or "--seeds" or "--threads" or "--seconds" or "--vectors" or "--bits" or "--assembled" or "--data" or "--results") || i + 1 == words.Length)
                throw new PenjingException($"'{words[i]}' is no option with a value");
            values[words[i]] = words[i + 1];
        }
        if (values.GetValueOrDefault("--assembled") != "no") AssembledKernels.Use();
    }

    /// <summary>The networks to take, or those given here.</summary>
    public string[] Networks(params string[] otherwise) => values.TryGetValue("--networks", out string? names) ? names.Split(',') : otherwise;

    /// <summary>The layers to take.</summary>
    /// <exception cref="PenjingException">None are given.</exception>
    public string[] Shapes => values.TryGetValue("--shape", out string? shapes) ? shapes.Split(',') : throw new PenjingException("say which layers by --shape");

    /// <summary>The layers to take, each once, or those given here.</summary>
    public (string Layer, int Count)[] ShapesOr((string Layer, int Count)[] otherwise) => values.ContainsKey("--shape") ? [.. Shapes.Select(shape => (shape, 1))] : otherwise;

    /// <summary>The thread counts to take, or those given here.</summary>
    public int[] Threads(params int[] otherwise) => Counts("--threads", otherwise);

    /// <summary>The seeds to take, or those given here.</summary>
    public int[] Seeds(params int[] otherwise) => Counts("--seeds", otherwise);

    /// <summary>The vectors that Penjing shall compute with, where they are said.</summary>
    public string? Vectors => values.GetValueOrDefault("--vectors");

    /// <summary>Bits of the weights of a network in 8-bit integers; null where floats are meant.</summary>
    public int? Bits => values.TryGetValue("--bits", out string? bits) ? (int)Number(bits) : null;

    /// <summary>How long each measurement lasts.</summary>
    public double Seconds => values.TryGetValue("--seconds", out string? seconds) ? Number(seconds) : 10;

    /// <summary>A folder of real models.</summary>
    /// <exception cref="PenjingException">It isn't there.</exception>
    public string Data(string name) => Path.Combine(values.GetValueOrDefault("--data", Path.Combine("..", "shared", "data")), name) is var folder && Directory.Exists(folder)
        ? folder
        : throw new PenjingException($"{folder} doesn't exist; say where the real models are by --data");

    /// <summary>The folder of results.</summary>
    public string Results => values.GetValueOrDefault("--results", Path.Combine("bench", "results"));

    private int[] Counts(string name, int[] otherwise) => values.TryGetValue(name, out string? counts) ? [.. counts.Split(',').Select(count => (int)Number(count))] : otherwise;

    private static double Number(string text) => double.TryParse(text, CultureInfo.InvariantCulture, out double number) && number > 0
        ? number
        : throw new PenjingException($"'{text}' is no positive number");
}
