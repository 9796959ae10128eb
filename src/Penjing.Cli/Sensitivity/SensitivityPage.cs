using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;

namespace Penjing.Cli;

/// <summary>A network's sensitivity as one HTML page that needs nothing else: a curve for each part, the most sensitive first, and a table of all figures.</summary>
internal static class SensitivityPage
{
    /// <summary>The page.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="network">The network's name.</param>
    /// <param name="data">The data set's name.</param>
    /// <param name="made">How it was made: what, and its value.</param>
    public static string Write(SensitivityResult result, string network, string data, IReadOnlyList<KeyValuePair<string, string>> made)
    {
        ImmutableArray<SensitivityCurve> curves = [.. result.Curves.OrderBy(curve => curve.Points.Average(point => point.Accuracy.Fraction))];
        return Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Penjing: sensitivity of {network} on {data}</title>
            <style>
            {Resource.Text("report.css")}</style>
            </head>
            <body>
            <main>
            <div class="brand">Penjing · sensitivity</div>
            <h1>{Heading(result.By)}</h1>
            <p>{network} on {data}. Each curve shows the share of right answers when {Taken(result.By)} of one part, the rest staying whole, without any
            training behind it: run on the engine, on the same {Quantity.Exact(result.Whole.Count)} test pictures. The band is the 95 % interval of a sample of this size (Wilson's), the dashed line the
            whole network: {Says(result.Whole)}. The most sensitive parts come first.</p>
            <div class="charts">
            {Html.Join(curves.Select(curve => Chart(result, curve)))}</div>
            <h2>All figures</h2>
            <div class="scroll"><table>
            <tr><th>Part</th><th>{(result.By is SensitivityBy.Channels ? "Channels" : "Weights")}</th>{Html.Join(curves.Take(1).SelectMany(curve => curve.Points).Select(point => Html.Of($"<th>{Mark(result.By, point.Level)}</th>")))}</tr>
            {Html.Join(curves.Select(curve => Html.Of($"""
                <tr><td>{curve.Part.Name}</td><td>{Quantity.Exact(curve.Part.Elements)}</td>{Html.Join(curve.Points.Select(point =>
                    Html.Of($"<td class=\"{(point.Accuracy.High < result.Whole.Fraction ? "worse" : "")}\">{100 * point.Accuracy.Fraction:F1} ±{100 * point.Accuracy.HalfWidth:F1}</td>")))}</tr>

                """)))}</table></div>
            <p><small>Percent of right answers; in colour where the interval lies below the whole network's figure.</small></p>
            <h2>How this was made</h2>
            <dl class="made">
            {Html.Join(made.Select(fact => Html.Of($"<dt>{fact.Key}</dt><dd>{fact.Value}</dd>\n")))}</dl>
            </main>
            </body>
            </html>

            """).Text;
    }

    /// <summary>A level as people read it: a percentage, or bits.</summary>
    public static string Mark(SensitivityBy by, double level) => by is SensitivityBy.Bits
        ? level.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{100 * level:0.##} %");

    /// <summary>An accuracy with half of its interval's width.</summary>
    public static string Says(Accuracy accuracy) => string.Create(CultureInfo.InvariantCulture, $"{100 * accuracy.Fraction:F2} % ±{100 * accuracy.HalfWidth:F2}");

    private static Html Chart(SensitivityResult result, SensitivityCurve curve)
    {
        int last = Math.Max(1, curve.Points.Length - 1);
        string unit = result.By is SensitivityBy.Channels ? "channels" : "weights";
        string borne = result.Borne(curve) is { } level ? $"no clear loss {(result.By is SensitivityBy.Bits ? $"down to {level} bits" : $"up to {Mark(result.By, level)}")}" : "a clear loss at every level";
        return Curves.Chart(curve.Part.Name, $"{Quantity.Exact(curve.Part.Elements)} {unit}; {borne}", result.Whole.Fraction,
            [.. curve.Points.Select((point, i) => new CurvePoint((double)i / last, Mark(result.By, point.Level).Replace(" %", "", StringComparison.Ordinal), point.Accuracy.Fraction,
                point.Accuracy.Low, point.Accuracy.High, $"{Mark(result.By, point.Level)}{(result.By is SensitivityBy.Bits ? " bits" : "")}: {Says(point.Accuracy)}"))]);
    }

    private static string Heading(SensitivityBy by) => by switch
    {
        SensitivityBy.Channels => "Right answers against the share of a layer's channels that are cut",
        SensitivityBy.Weights => "Right answers against the share of a kernel's weights that are zero",
        _ => "Right answers against the bits of a kernel's shared weights",
    };

    private static string Taken(SensitivityBy by) => by switch
    {
        SensitivityBy.Channels => "a share (in percent) of the least important channels is cut out",
        SensitivityBy.Weights => "a share (in percent) of the smallest weights is set to zero",
        _ => "the weights share two to the power of so many values (bits)",
    };
}
