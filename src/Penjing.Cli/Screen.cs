using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>Where a verb shows things: results on the standard output, all else on the standard error.</summary>
internal sealed class Screen
{
    private const int WidthOffTerminal = 180;
    private static readonly JsonSerializerOptions Style = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new SevenDigits() },
    };

    /// <summary>A screen that shows tables, or JSON and nothing else on the standard output.</summary>
    public Screen(bool json)
    {
        IsJson = json;
        Results = Open(Console.Out);
        Notes = Open(Console.Error);
    }

    /// <summary>Whether the result is to be JSON.</summary>
    public bool IsJson { get; }

    /// <summary>The standard output.</summary>
    public IAnsiConsole Results { get; }

    /// <summary>The standard error.</summary>
    public IAnsiConsole Notes { get; }

    /// <summary>Whether what moves may be drawn: the standard error is a terminal.</summary>
    public bool IsLive => Notes.Profile.Capabilities is { Interactive: true, Ansi: true } && Notes.Profile.Out.IsTerminal;

    /// <summary>What the user is told when the verb is stopped midway, such as where the checkpoint is.</summary>
    public string? WhenStopped { get; set; }

    /// <summary>Whether what was asked for is written, but doesn't keep the bound that it was to keep.</summary>
    public bool HasMissed { get; set; }

    /// <summary>Shows the result: the object as JSON where JSON is asked for, else what is drawn.</summary>
    public void Show(object json, Func<IEnumerable<IRenderable>> drawn)
    {
        if (IsJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(json, Style));
            return;
        }
        foreach (IRenderable part in drawn()) Results.Write(part);
    }

    /// <summary>One plain line on the standard error.</summary>
    public void Note(string line) => Notes.MarkupLineInterpolated($"{line}");

    /// <summary>
    /// A table in the tool's one style; a heading that begins with &gt; is aligned to the right, and its column, like one of &lt;, is not wrapped.
    /// </summary>
    public static Table Table(params ReadOnlySpan<string> headings)
    {
        Table table = new() { Border = TableBorder.Simple };
        foreach (string heading in headings)
            table.AddColumn(heading switch
            {
                ['>', ..] => new TableColumn(new Text(heading[1..])).RightAligned().NoWrap(),
                ['<', ..] => new TableColumn(new Text(heading[1..])).NoWrap(),
                _ => new TableColumn(new Text(heading)),
            });
        return table;
    }

    /// <summary>Names and their values, one a line.</summary>
    public static IRenderable Facts(params ReadOnlySpan<(string Name, string Value)> facts)
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach ((string name, string value) in facts) grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(value));
        return grid;
    }

    /// <summary>One line of text.</summary>
    public static IRenderable Line(string text) => new Text(text + "\n");

    private static IAnsiConsole Open(TextWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        if (!console.Profile.Out.IsTerminal) console.Profile.Width = WidthOffTerminal;
        return console;
    }

    /// <summary>Writes doubles with the seven digits that a measurement may have.</summary>
    private sealed class SevenDigits : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
            writer.WriteRawValue(double.IsFinite(value) ? value.ToString("G7", CultureInfo.InvariantCulture) : "null");
    }
}
