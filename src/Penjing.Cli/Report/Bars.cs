namespace Penjing.Cli;

/// <summary>One bar of a chart: what it stands for, its length's value, and that value in words.</summary>
internal sealed record Bar(string Label, double Value, string Words);

/// <summary>Horizontal bars from zero as inline SVG, whose colours come from the page's style sheet: sharp at every width, dark where the page is.</summary>
internal static class Bars
{
    private const int Width = 340, Row = 46, BarHeight = 16;

    /// <summary>A chart; <paramref name="full"/> is the value of a bar of full length.</summary>
    public static Html Chart(string title, string subtitle, double full, IReadOnlyList<Bar> bars)
    {
        int height = bars.Count * Row;
        return Html.Of($"""
            <figure class="chart">
            <figcaption><b>{title}</b><span>{subtitle}</span></figcaption>
            <svg viewBox="0 0 {Width} {height}" role="img" aria-label="{title}: {string.Join("; ", bars.Select(bar => $"{bar.Label} {bar.Words}"))}">
            {Html.Join(bars.Select((bar, index) => Draw(bar, index * Row, full, last: index == bars.Count - 1)))}</svg>
            </figure>

            """);
    }

    private static Html Draw(Bar bar, int top, double full, bool last)
    {
        double length = full > 0 ? Math.Clamp(bar.Value / full, 0, 1) * Width : 0;
        return Html.Of($"""
            <text class="label" x="0" y="{top + 14}">{bar.Label}</text><text class="value" x="{Width}" y="{top + 14}" text-anchor="end">{bar.Words}</text>
            <rect class="track" x="0" y="{top + 20}" width="{Width}" height="{BarHeight}" rx="4"/>
            <rect class="{(last ? "bar last" : "bar")}" x="0" y="{top + 20}" width="{Math.Max(length, 2):F1}" height="{BarHeight}" rx="{Math.Min(4, Math.Max(length, 2) / 2):F1}"/>

            """);
    }
}
