using System.Globalization;

namespace Penjing.Cli;

/// <summary>A point: what it costs, what it is worth, whether none beats it, and what a pointer is told.</summary>
internal sealed record Mark(double Cost, double Worth, bool Front, string Words);

/// <summary>Points by cost, on a logarithmic axis, and worth as inline SVG; those that none beats are filled.</summary>
internal static class Scatter
{
    private const int Width = 340, Height = 190, Left = 44, Right = 16, Top = 10, Bottom = 24;

    /// <summary>A chart.</summary>
    /// <param name="title">What stands above.</param>
    /// <param name="subtitle">The line below that.</param>
    /// <param name="cost">A cost in words.</param>
    /// <param name="marks">The points, at least one.</param>
    public static Html Chart(string title, string subtitle, Func<double, string> cost, IReadOnlyList<Mark> marks)
    {
        double low = marks.Min(mark => mark.Worth), high = Math.Max(marks.Max(mark => mark.Worth), low + 0.001);
        double left = marks.Min(mark => mark.Cost), right = Math.Max(marks.Max(mark => mark.Cost), 1.01 * left);
        return Html.Of($"""
            <figure class="chart">
            <figcaption><b>{title}</b><span>{subtitle}</span></figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}: {string.Join("; ", marks.Select(mark => mark.Words))}">
            {Html.Join(new[] { low, (low + high) / 2, high }.Select(worth => Html.Of($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(worth):F1}" y2="{Y(worth):F1}"/><text class="tick" x="{Left - 6}" y="{Y(worth) + 4:F1}" text-anchor="end">{100 * worth:F1}</text>""")))}
            <text class="tick" x="{Left}" y="{Height - 6}">{cost(left)}</text><text class="tick" x="{Width - Right}" y="{Height - 6}" text-anchor="end">{cost(right)}</text>
            {Html.Join(marks.OrderBy(mark => mark.Front).Select(mark => Html.Of($"""<circle class="{(mark.Front ? "dot" : "dot beaten")}" cx="{X(mark.Cost):F1}" cy="{Y(mark.Worth):F1}" r="4.5"><title>{mark.Words}</title></circle>""")))}
            </svg>
            </figure>

            """);

        double X(double value) => Left + 10 + Math.Log(value / left) / Math.Log(right / left) * (Width - Left - Right - 20);

        double Y(double value) => Height - Bottom - 6 - (value - low) / (high - low) * (Height - Top - Bottom - 12);
    }
}
