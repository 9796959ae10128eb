namespace Penjing.Cli;

/// <summary>One point of a curve: a place from left to right, its word on the axis, a value from 0 to 1 with the ends of its interval, and what a pointer is told.</summary>
internal sealed record CurvePoint(double Place, string Mark, double Value, double Low, double High, string Words);

/// <summary>Curves of a value from 0 to 1 as inline SVG with their intervals as a band, and a line for what they are held against.</summary>
internal static class Curves
{
    private const int Width = 340, Height = 170, Left = 34, Right = 8, Top = 8, Bottom = 22;

    /// <summary>A chart.</summary>
    /// <param name="title">What stands above.</param>
    /// <param name="subtitle">The line below that.</param>
    /// <param name="level">The value that the curve is held against.</param>
    /// <param name="points">The points, from left to right; places from 0 to 1.</param>
    public static Html Chart(string title, string subtitle, double level, IReadOnlyList<CurvePoint> points) => Html.Of($"""
        <figure class="chart">
        <figcaption><b>{title}</b><span>{subtitle}</span></figcaption>
        <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}: {string.Join("; ", points.Select(point => point.Words))}">
        {Html.Join(new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(value => Html.Of($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(value):F1}" y2="{Y(value):F1}"/><text class="tick" x="{Left - 6}" y="{Y(value) + 4:F1}" text-anchor="end">{100 * value:F0}</text>""")))}
        <polygon class="band" points="{Path(points.Select(point => (point.Place, point.High)).Concat(points.Reverse().Select(point => (point.Place, point.Low))))}"/>
        <line class="level" x1="{Left}" x2="{Width - Right}" y1="{Y(level):F1}" y2="{Y(level):F1}"/>
        <polyline class="curve" points="{Path(points.Select(point => (point.Place, point.Value)))}"/>
        {Html.Join(points.Select(point => Html.Of($"""<circle class="dot" cx="{X(point.Place):F1}" cy="{Y(point.Value):F1}" r="3"><title>{point.Words}</title></circle><text class="tick" x="{X(point.Place):F1}" y="{Height - 6}" text-anchor="middle">{point.Mark}</text>""")))}
        </svg>
        </figure>

        """);

    private static string Path(IEnumerable<(double Place, double Value)> points) => string.Join(' ', points.Select(point => FormattableString.Invariant($"{X(point.Place):F1},{Y(point.Value):F1}")));

    private static double X(double place) => Left + 8 + place * (Width - Left - Right - 16);

    private static double Y(double value) => Height - Bottom - value * (Height - Top - Bottom);
}
