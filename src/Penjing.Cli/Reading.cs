using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Interop;

namespace Penjing.Cli;

/// <summary>The options that say how a MODEL of a foreign format is read, and the reading itself: the same for every verb.</summary>
internal sealed class Reading
{
    private readonly Option<string[]> dimensions = Given.Path(new Option<string[]>("--dim")
    {
        HelpName = "NAME=EXTENT",
        Description = "For .onnx: what an extent that the file only names becomes, such as N=4; may be given several times.",
        AllowMultipleArgumentsPerToken = false,
    });
    private readonly Option<string> prototxt = Given.Path(new Option<string>("--prototxt")
    {
        HelpName = "FILE",
        Description = "For .net (Deep Compression): the network's Caffe prototxt.",
    });

    /// <summary>Options that check their own form.</summary>
    public Reading() => dimensions.Validators.Add(result =>
    {
        foreach (var token in result.Tokens)
            if (Parse(token.Value) is null) result.AddError($"--dim needs NAME=EXTENT, such as --dim N=4, not '{token.Value}'");
    });

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [dimensions, prototxt];

    /// <summary>The prototxt that the command line names, or null.</summary>
    public string? Prototxt(ParseResult parsed) => parsed.GetValue(prototxt);

    /// <summary>The network of a file.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="path">The file.</param>
    /// <param name="batch">What a first extent that an .onnx file leaves open becomes.</param>
    /// <param name="beside">Another file that the same command line reads, for which the options may be meant.</param>
    /// <param name="once">Whether a session is all that is made of it: a .penjing file is then read as <see cref="Engine.Session.Load"/> does, one weight after another.</param>
    /// <exception cref="PenjingException">The file can't be read, or an option is given that neither file's format knows.</exception>
    public Model Read(ParseResult parsed, string path, int batch = 1, string? beside = null, bool once = false)
    {
        string[] dims = parsed.GetValue(dimensions) ?? [];
        Require(dims.Length > 0, dimensions.Name, ".onnx");
        Require(parsed.GetValue(prototxt) is not null, prototxt.Name, ".net");
        return ModelFile.Read(path, new()
        {
            Onnx = new() { Batch = batch, Dimensions = Own([.. dims.Select(text => Parse(text)!.Value).Reverse().DistinctBy(pair => pair.Key)]) },
            Prototxt = parsed.GetValue(prototxt),
            Once = once,
        });

        // Of two files each is told its own extents; a name that neither has is refused.
        ImmutableDictionary<string, int> Own(KeyValuePair<string, int>[] given)
        {
            if (given.Length == 0) return ImmutableDictionary<string, int>.Empty;
            ImmutableArray<string> own = Open(path), other = beside is null ? [] : Open(beside);
            return given.Where(pair => own.Contains(pair.Key) || !other.Contains(pair.Key)).ToImmutableDictionary();
        }

        static ImmutableArray<string> Open(string file) => file.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) ? OnnxReader.OpenExtents(file) : [];

        void Require(bool given, string option, string ending)
        {
            if (given && !path.EndsWith(ending, StringComparison.OrdinalIgnoreCase) && beside?.EndsWith(ending, StringComparison.OrdinalIgnoreCase) is not true)
                throw new PenjingException($"{option} is for {ending} files, but '{path}' is none: leave it out");
        }
    }

    private static KeyValuePair<string, int>? Parse(string text)
    {
        int at = text.LastIndexOf('=');
        return at > 0 && int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int extent) && extent > 0
            ? new(text[..at], extent) : null;
    }
}
