using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Penjing.Cli;

/// <summary>A network as a picture: boxes in rows, inputs above, that show shape, weights, multiply-accumulates and time.</summary>
internal static class GraphSvg
{
    private const double BoxWidth = 256, Margin = 18, HeadHeight = 62, BarLeft = 60, BarWidth = 110, LegendStep = 86;
    private const int LongestName = 36;

    /// <summary>The picture as SVG, which brings its own style and is dark where the viewer is.</summary>
    /// <param name="title">What stands above.</param>
    /// <param name="subtitle">The line below that.</param>
    /// <param name="boxes">The network.</param>
    /// <param name="interactive">Whether boxes can be reached by keyboard, for a page whose script answers.</param>
    public static Html Draw(string title, string subtitle, ImmutableArray<Box> boxes, bool interactive = false)
    {
        (int From, int To)[] edges = [.. boxes.SelectMany((box, index) => box.Inputs.Select(input => (input, index)))];
        Scale scale = new(boxes);
        LayeredLayout layout = LayeredLayout.Of([.. boxes.Select(box => (BoxWidth, Height(box)))], edges);
        BoxKind[] kinds = [.. boxes.Select(box => box.Kind).Distinct().Order()];
        double width = Math.Max(Math.Max(layout.Width, kinds.Length * LegendStep), 420) + 2 * Margin, shift = (width - layout.Width) / 2;
        double height = HeadHeight + layout.Height + 2 * Margin;
        return Html.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" class="graph" width="{width:F0}" height="{height:F0}"
              viewBox="0 0 {width:F0} {height:F0}" role="{(interactive ? "group" : "img")}" aria-label="{title}: {subtitle}">
            <style>{Resource.Text("graph.svg.css")}</style>
            <rect class="ground" width="100%" height="100%"/>
            <text class="heading" x="{Margin}" y="28">{title}</text>
            <text class="facts" x="{Margin}" y="47">{subtitle}</text>
            <g class="legend" transform="translate({Margin} 58)">{Html.Join(kinds.Select(Legend))}</g>
            <g transform="translate({shift:F1} {HeadHeight + Margin})">
            {Html.Join(edges.Select((edge, index) => Edge(edge, layout.Edges[index])))}
            {Html.Join(boxes.Select((box, index) => Draw(box, index, layout.Boxes[index], scale, interactive)))}</g>
            </svg>

            """);
    }

    /// <summary>The class that gives a kind its colour.</summary>
    public static string Class(BoxKind kind) => kind.ToString().ToLowerInvariant();

    private static Html Legend(BoxKind kind, int index)
    {
        double left = index * LegendStep;
        return Html.Of($"""
            <rect class="kind {Class(kind)}" x="{left}" width="10" height="10" rx="2"/><text x="{left + 14}" y="9">{Words(kind)}</text>
            """);
    }

    private static string Words(BoxKind kind) => kind is BoxKind.Door ? "in, out" : Class(kind);

    private static double Height(Box box) => 54 + 13 * Bars(box, null).Count();

    private static Html Edge((int From, int To) edge, IReadOnlyList<Stretch> stretches)
    {
        StringBuilder path = new(string.Create(CultureInfo.InvariantCulture, $"M{stretches[0].X1:0.#} {stretches[0].Y1:0.#}"));
        foreach ((double x1, double y1, double x2, double y2) in stretches)
        {
            double middle = (y1 + y2) / 2;
            path.Append(x1 == x2 ? Text($"V{y2:0.#}") : Text($"C{x1:0.#} {middle:0.#} {x2:0.#} {middle:0.#} {x2:0.#} {y2:0.#}"));
        }
        Stretch last = stretches[^1];
        return Html.Of($"""
            <g class="edge" data-from="{edge.From}" data-to="{edge.To}"><path d="{path}"/>
              <path class="head" d="M{last.X2 - 3.5:0.#} {last.Y2 - 7:0.#}h7l-3.5 7z"/></g>

            """);

        static string Text(FormattableString text) => FormattableString.Invariant(text);
    }

    private static Html Draw(Box box, int index, Place place, Scale scale, bool interactive)
    {
        string then = Shortened(box.Then, Math.Max(0, (int)((BoxWidth - 30 - 7.7 * box.Title.Length) / 5.6)));
        return Html.Of($"""
            <g class="box {Class(box.Kind)}" id="box{index}" data-box="{index}" transform="translate({place.Left:0.#} {place.Top:0.#})"
              {(interactive ? Html.Of($"tabindex=\"{(index == 0 ? 0 : -1)}\" role=\"button\"") : default)}>
            <title>{Told(box, scale)}</title>
            <rect class="card" width="{place.Width:0.#}" height="{place.Height:0.#}" rx="6"/>
            <path class="kind" d="M6 0h-0a6 6 0 0 0 -6 6v{place.Height - 12:0.#}a6 6 0 0 0 6 6z"/>
            <text class="op" x="14" y="18">{box.Title}</text><text class="then" x="{place.Width - 10:0.#}" y="18">{then}</text>
            <text class="name" x="14" y="32">{Middle(box.Name)}</text>
            <text class="shape" x="14" y="46">{box.Info.Shape}{(box.Info.Type is ElementType.Float32 ? "" : $" {box.Info.Type}")}</text>
            {Html.Join(Bars(box, scale).Select((bar, row) => Draw(bar, 54 + 13 * row)))}</g>

            """);
    }

    private static Html Draw((string Label, double Share, string Value) bar, int top)
    {
        double length = Math.Max(1.5, bar.Share * BarWidth);
        return Html.Of($"""
            <text class="label" x="14" y="{top + 6}">{bar.Label}</text><rect class="track" x="{BarLeft}" y="{top}" width="{BarWidth}" height="6" rx="3"/>
            <rect class="bar" x="{BarLeft}" y="{top}" width="{length:0.#}" height="6" rx="{Math.Min(3, length / 2):0.#}"/>
            <text class="value" x="{BoxWidth - 10}" y="{top + 6}">{bar.Value}</text>

            """);
    }

    private static IEnumerable<(string Label, double Share, string Value)> Bars(Box box, Scale? scale)
    {
        if (box.Bytes > 0) yield return ("weights", Scale.Share(box.Bytes, scale?.Bytes), Quantity.Bytes(box.Bytes));
        if (box.Macs > 0) yield return ("MACs", Scale.Share(box.Macs, scale?.Macs), Quantity.Count(box.Macs));
        if (box.Ms is > 0) yield return ("time", Scale.Share(box.Ms.Value, scale?.Ms), Quantity.Milliseconds(box.Ms.Value));
    }

    private static string Told(Box box, Scale scale)
    {
        List<string> lines = [$"{box.Name}: {box.Info}", .. box.Nodes.Select(node => $"{node.Op.Name} {node.Name} → {node.Shape}")];
        if (box.Bytes > 0) lines.Add($"{Quantity.Exact(box.Parameters)} parameters, "
            + $"{Quantity.Exact(box.Bytes)} bytes: {Quantity.Percent((double)box.Bytes / scale.AllBytes)} of all weights");
        if (box.Macs > 0) lines.Add($"{Quantity.Exact(box.Macs)} multiply-accumulates: {Quantity.Percent((double)box.Macs / scale.AllMacs)} of all");
        if (box.Ms is { } ms) lines.Add($"{Quantity.Milliseconds(ms)}: "
            + $"{Quantity.Percent(scale.AllMs > 0 ? ms / scale.AllMs : 0)} of the time; {string.Join(", ", box.Kernels)}");
        return string.Join("\n", lines);
    }

    /// <summary>A text cut at its end.</summary>
    private static string Shortened(string text, int most) => text.Length <= most ? text : most < 4 ? "" : $"{text[..(most - 1)]}…";

    /// <summary>A name cut in its middle, since its ends tell most.</summary>
    private static string Middle(string name) => name.Length <= LongestName ? name : $"{name[..(LongestName / 2 - 3)]}…{name[^(LongestName / 2 + 2)..]}";

    /// <summary>What the bars are held against: the largest box, and all.</summary>
    private sealed class Scale(ImmutableArray<Box> boxes)
    {
        public double Bytes { get; } = boxes.Max(box => box.Bytes);
        public double Macs { get; } = boxes.Max(box => box.Macs);
        public double Ms { get; } = boxes.Max(box => box.Ms ?? 0);
        public double AllBytes { get; } = boxes.Sum(box => box.Bytes);
        public double AllMacs { get; } = boxes.Sum(box => box.Macs);
        public double AllMs { get; } = boxes.Sum(box => box.Ms ?? 0);

        public static double Share(double value, double? most) => most > 0 ? value / most.Value : 0;
    }
}
