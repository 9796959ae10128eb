using System.Collections.Immutable;

namespace Penjing.Cli;

/// <summary>A network as one HTML page that needs nothing else: the picture, and beside it a table of the boxes; each selects in the other.</summary>
internal static class GraphPage
{
    /// <summary>The page.</summary>
    public static string Write(string title, string subtitle, ImmutableArray<Box> boxes)
    {
        bool timed = boxes.Any(box => box.Ms is not null);
        Html page = Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Penjing: {title}</title>
            <style>
            {Resource.Text("graph.css")}</style>
            </head>
            <body>
            <main>
            <section class="picture" aria-label="The network as a picture">
            <div class="tools">
            <button type="button" id="smaller" aria-label="smaller">−</button><button type="button" id="larger" aria-label="larger">+</button>
            <button type="button" id="fit">fit</button>
            </div>
            <div class="canvas">{GraphSvg.Draw(title, subtitle, boxes, interactive: true)}</div>
            </section>
            <section class="list" aria-label="The network as a table">
            <div class="find">
            <input type="search" id="find" placeholder="find a name or an operation" aria-label="find a name or an operation"><output id="found"></output>
            </div>
            <div class="detail" id="detail" aria-live="polite"><p>Select a box or a row. The arrow keys go along the edges of the picture,
              or along the rows.</p></div>
            <div class="scroll"><table>
            <thead><tr>{Head("Box", "text")}{Head("Output", "text")}
              {Head("Parameters")}{Head("Bytes")}{Head("MACs")}{(timed ? Head("ms") : default)}</tr></thead>
            <tbody>
            {Html.Join(boxes.Select((box, index) => Row(box, index, timed)))}</tbody>
            <tfoot>{All(boxes, timed)}</tfoot>
            </table></div>
            </section>
            </main>
            <script>
            {Resource.Text("graph.js")}</script>
            </body>
            </html>

            """);
        return page.Text;
    }

    private static Html Head(string text, string kind = "number") =>
        Html.Of($"<th class=\"{kind}\" aria-sort=\"none\"><button type=\"button\">{text}</button></th>");

    private static Html Row(Box box, int index, bool timed) => Html.Of($"""
        <tr data-box="{index}" tabindex="{(index == 0 ? 0 : -1)}"><td data-sort="{index}"><i class="{GraphSvg.Class(box.Kind)}"></i>
        <b>{box.Title}</b> <span>{box.Then}</span><br>
        <span class="name">{box.Name}</span><template>{Detail(box)}</template></td>
        <td data-sort="{box.Info.Shape.Elements}">{box.Info.Shape}</td>
        {Figure(box.Parameters)}{Figure(box.Bytes)}{Figure(box.Macs)}{(timed ? Time(box.Ms) : default)}</tr>

        """);

    private static Html All(ImmutableArray<Box> boxes, bool timed) => Html.Of($"""
        <tr><td>all</td><td></td>{Figure(boxes.Sum(box => box.Parameters))}{Figure(boxes.Sum(box => box.Bytes))}{Figure(boxes.Sum(box => box.Macs))}
        {(timed ? Time(boxes.Sum(box => box.Ms ?? 0)) : default)}</tr>
        """);

    private static Html Detail(Box box) => Html.Of($"""
        <h2>{box.Title}{(box.Then.Length > 0 ? $" · {box.Then}" : "")}</h2>
        <p>{box.Name} → {box.Info}{(box.Kernels.Length > 0 ? $"; computed by {string.Join(", ", box.Kernels)}" : "")}</p>
        {(box.Nodes.IsEmpty ? default : Html.Of($"<ol>{Html.Join(box.Nodes.Select(Detail))}</ol>"))}
        """);

    private static Html Detail(Node node)
    {
        string inputs = string.Join(", ", node.Inputs.Select(input => $"{input.Name} {input.Shape}"));
        return Html.Of($"<li><code>{node.Name}</code> = {node.Op.Name}({inputs}) → {node.Shape}</li>");
    }

    private static Html Figure(long figure) => Html.Of($"<td data-sort=\"{figure}\">{(figure == 0 ? "" : Quantity.Exact(figure))}</td>");

    private static Html Time(double? ms) => Html.Of($"<td data-sort=\"{ms ?? 0:R}\">{(ms is > 0 ? Html.Of($"{ms:F3}") : default)}</td>");
}
