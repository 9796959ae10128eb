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
            <div class="tools"><button type="button" id="smaller" aria-label="smaller">−</button><button type="button" id="larger" aria-label="larger">+</button><button type="button" id="fit">fit</button></div>
            <div class="canvas">{GraphSvg.Draw(title, subtitle, boxes, interactive: true)}</div>
            </section>
            <section class="list" aria-label="The network as a table">
            <div class="find"><input type="search" id="find" placeholder="find a name or an operation" aria-label="find a name or an operation"><output id="found"></output></div>
            <div class="detail" id="detail" aria-live="polite"><p>Select a box or a row. In the picture, the arrow keys go along the edges.</p></div>
            <div class="scroll"><table>
            <thead><tr>{Head("Box", "text")}{Head("Output", "text")}{Head("Parameters")}{Head("Bytes")}{Head("MACs")}{(timed ? Head("ms") : default)}</tr></thead>
            <tbody>
            {Html.Join(boxes.Select((box, index) => Row(box, index, timed)))}</tbody>
            <tfoot><tr><td>all</td><td></td><td>{Quantity.Exact(boxes.Sum(box => box.Parameters))}</td><td>{Quantity.Exact(boxes.Sum(box => box.Bytes))}</td><td>{Quantity.Exact(boxes.Sum(box => box.Macs))}</td>{(timed ? Html.Of($"<td>{boxes.Sum(box => box.Ms ?? 0):F3}</td>") : default)}</tr></tfoot>
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

    private static Html Head(string text, string kind = "number") => Html.Of($"<th class=\"{kind}\" aria-sort=\"none\"><button type=\"button\">{text}</button></th>");

    private static Html Row(Box box, int index, bool timed) => Html.Of($"""
        <tr data-box="{index}" tabindex="0"><td data-sort="{index}"><i class="{GraphSvg.Class(box.Kind)}"></i><b>{box.Title}</b>{(box.Then.Length > 0 ? Html.Of($" <span>{box.Then}</span>") : default)}<br><span class="name">{box.Name}</span><template>{Detail(box)}</template></td>
        <td data-sort="{box.Info.Shape.Elements}">{box.Info.Shape}</td><td data-sort="{box.Parameters}">{Figure(box.Parameters)}</td><td data-sort="{box.Bytes}">{Figure(box.Bytes)}</td><td data-sort="{box.Macs}">{Figure(box.Macs)}</td>{(timed ? Html.Of($"<td data-sort=\"{box.Ms ?? 0:R}\">{(box.Ms is > 0 ? Html.Of($"{box.Ms:F3}") : default)}</td>") : default)}</tr>

        """);

    private static Html Detail(Box box) => Html.Of($"""
        <h2>{box.Title}{(box.Then.Length > 0 ? $" · {box.Then}" : "")}</h2>
        <p>{box.Name} → {box.Info}{(box.Kernels.Length > 0 ? $"; computed by {string.Join(", ", box.Kernels)}" : "")}</p>
        {(box.Nodes.IsEmpty ? default : Html.Of($"<ol>{Html.Join(box.Nodes.Select(node => Html.Of($"<li><code>{node.Name}</code> = {node.Op.Name}({string.Join(", ", node.Inputs.Select(input => $"{input.Name} {input.Shape}"))}) → {node.Shape}</li>")))}</ol>"))}
        """);

    private static string Figure(long figure) => figure == 0 ? "" : Quantity.Exact(figure);
}
