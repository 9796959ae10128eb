using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Penjing.Cli;

/// <summary>A piece of HTML or SVG; what is interpolated into it is escaped unless it is such a piece itself.</summary>
internal readonly record struct Html(string Text)
{
    /// <summary>The piece with its holes filled, numbers in the invariant culture.</summary>
    public static Html Of(Markup markup) => new(markup.ToString());

    /// <summary>Pieces one after the other.</summary>
    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(piece => piece.Text)));

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Collects an interpolated string and escapes its holes.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Markup
    {
        private readonly StringBuilder text;

        /// <summary>What the compiler calls first.</summary>
        public Markup(int literals, int holes) => text = new(literals + 16 * holes);

        /// <summary>Text of the template, taken as it is.</summary>
        public void AppendLiteral(string literal) => text.Append(literal);

        /// <summary>A piece, taken as it is.</summary>
        public void AppendFormatted(Html piece) => text.Append(piece.Text);

        /// <summary>A value, escaped.</summary>
        public void AppendFormatted<T>(T value, string? format = null) =>
            text.Append(WebUtility.HtmlEncode(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString()));

        /// <inheritdoc/>
        public override string ToString() => text.ToString();
    }
}
