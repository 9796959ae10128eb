using System.Collections.Immutable;
using System.Text;

namespace Penjing.Interop.Caffe;

/// <summary>
/// Reads protocol buffers' text format into untyped messages: fields as <c>name: value</c>, <c>name { … }</c> or <c>name: [a, b]</c>, comments from # to the
/// line's end, strings in either quotes, adjacent ones joined. What a field means is the caller's affair.
/// </summary>
internal sealed class PrototxtReader
{
    private const int Deepest = 32;

    private readonly string text;
    private int at;
    private int line = 1;

    private PrototxtReader(string text) => this.text = text;

    /// <summary>The message that the text is.</summary>
    /// <exception cref="ModelFormatException">The text is no such message; the exception names the line.</exception>
    public static PrototxtMessage Read(string text)
    {
        var reader = new PrototxtReader(text);
        return reader.Message(null, 0);
    }

    private PrototxtMessage Message(char? end, int depth)
    {
        if (depth > Deepest) throw Wrong($"messages are nested more than {Deepest} deep");
        int start = line;
        var fields = ImmutableArray.CreateBuilder<PrototxtField>();
        while (true)
        {
            Space();
            if (at == text.Length && end is null) return new(fields.ToImmutable(), start);
            if (at == text.Length) throw Wrong($"the text ends inside the message that began in line {start}, before its '{end}'");
            if (text[at] == end)
            {
                at++;
                return new(fields.ToImmutable(), start);
            }
            if (text[at] is ',' or ';') at++;
            else Field(fields, depth);
        }
    }

    private void Field(ImmutableArray<PrototxtField>.Builder fields, int depth)
    {
        int start = line;
        string name = Word();
        if (name.Length == 0) throw Wrong($"a field's name was expected, not '{text[at]}'");
        Space();
        bool colon = Take(':');
        Space();
        if (Take('{')) fields.Add(new(name, null, Message('}', depth + 1), start));
        else if (Take('<')) fields.Add(new(name, null, Message('>', depth + 1), start));
        else if (!colon) throw Wrong($"the field '{name}' lacks a ':' or a '{{'");
        else if (Take('['))
        {
            for (Space(); !Take(']'); Space())
            {
                if (Take('{')) fields.Add(new(name, null, Message('}', depth + 1), line));
                else fields.Add(new(name, Scalar(name), null, line));
                Space();
                Take(',');
            }
        }
        else fields.Add(new(name, Scalar(name), null, start));
    }

    private string Scalar(string name)
    {
        if (at == text.Length || text[at] is not ('"' or '\''))
        {
            string word = Word();
            return word.Length > 0 ? word : throw Wrong($"the field '{name}' lacks a value");
        }
        var joined = new StringBuilder();
        while (at < text.Length && text[at] is '"' or '\'')
        {
            Quoted(joined);
            Space();
        }
        return joined.ToString();
    }

    private void Quoted(StringBuilder joined)
    {
        char quote = text[at++];
        while (at < text.Length && text[at] != quote && text[at] != '\n')
        {
            char next = text[at++];
            if (next == '\\' && at < text.Length)
                next = text[at++] switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    char same and ('\\' or '\'' or '"') => same,
                    char other => throw Wrong($"the escape '\\{other}' is not understood; write the character itself"),
                };
            joined.Append(next);
        }
        if (!Take(quote)) throw Wrong("a string has no end in its line");
    }

    private string Word()
    {
        int start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.' or '-' or '+')) at++;
        return text[start..at];
    }

    private void Space()
    {
        for (; at < text.Length; at++)
        {
            if (text[at] == '#') at = text.IndexOf('\n', at) is >= 0 and int next ? next : text.Length;
            if (at == text.Length || !char.IsWhiteSpace(text[at])) return;
            if (text[at] == '\n') line++;
        }
    }

    private bool Take(char one)
    {
        if (at == text.Length || text[at] != one) return false;
        at++;
        return true;
    }

    private ModelFormatException Wrong(string what) => new($"line {line}: {what}");
}
