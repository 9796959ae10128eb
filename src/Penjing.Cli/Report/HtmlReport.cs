using System.Globalization;
using Penjing.Compression;

namespace Penjing.Cli;

/// <summary>What stages did to a network as one HTML page that needs nothing else: style, charts and pictures are inside, no script, no request.</summary>
internal static class HtmlReport
{
    /// <summary>The page.</summary>
    public static string Write(Findings findings)
    {
        StageResult first = findings.Stages[0].Result, last = findings.Stages[^1].Result;
        Html page = Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Penjing: {findings.Network} on {findings.DataSet}, {Quantity.Times((double)first.Bytes / last.Bytes)} smaller</title>
            <style>
            {Resource.Text("report.css")}</style>
            </head>
            <body>
            <main>
            <div class="brand">Penjing · {findings.Kind} report</div>
            <h1>A network cut from {Whole(Quantity.Bytes(first.Bytes))} to {Whole(Quantity.Bytes(last.Bytes))}</h1>
            <p>{findings.About} Every figure was measured on the file that the stage
            wrote: it was loaded again, ran all {Quantity.Exact(findings.TestPictures)} test pictures on the engine, and was timed there.</p>
            {Headline(first, last)}
            <h2>Stage by stage</h2>
            {Table(findings.Stages)}
            <h2>Size, accuracy, latency</h2>
            <div class="charts">
            {Charts(findings.Stages)}{Fronts(findings.Measured)}</div>
            {(findings.Agreeing.Count + findings.Differing.Count > 0 ? Samples(findings) : default)}{(findings.Sheet is { } sheet ? Parses(sheet) : default)}
            <h2>How the last file is stored</h2>
            {Tensors(findings.LastFile, findings.Stages[^1])}
            <h2>How this was made</h2>
            <dl class="made">
            {Html.Join(findings.Made.Select(fact => Html.Of($"<dt>{fact.Key}</dt><dd>{fact.Value}</dd>\n")))}</dl>
            </main>
            </body>
            </html>

            """);
        return page.Text;
    }

    private static Html Headline(StageResult first, StageResult last)
    {
        double points = 100 * (last.Score.Value - first.Score.Value), faster = first.MedianMs / last.MedianMs;
        return Html.Of($"""
            <div class="headline">
            <div class="figure"><b>{Quantity.Times((double)first.Bytes / last.Bytes)}</b>smaller file<br><small>{Whole(Quantity.Bytes(first.Bytes))} → {Whole(Quantity.Bytes(last.Bytes))}</small></div>
            <div class="figure"><b class="{(faster < 1 ? "bad" : "good")}">{Quantity.Times(faster)}</b>faster<br><small>{Whole(Quantity.Milliseconds(first.MedianMs))} → {Whole(Quantity.Milliseconds(last.MedianMs))} for a picture</small></div>
            <div class="figure"><b>{Quantity.Percent(last.Score.Value)}</b>{Figure(last.Score)}<br><small>{Quantity.Percent(first.Score.Value)} before: {Points(points)}</small></div>
            <div class="figure"><b>{Quantity.Times((double)first.Macs / last.Macs)}</b>less arithmetic<br><small>{Whole(Quantity.Count(first.Macs))} → {Whole(Quantity.Count(last.Macs))} multiply-accumulates</small></div>
            </div>
            """);
    }

    /// <summary>What a score tells, under a large figure.</summary>
    private static string Figure(Score score) => score.MeanIoU is null ? "of answers right" : "mean IoU";

    /// <summary>What a score tells, as a heading.</summary>
    private static string Named(Score score) => score.MeanIoU is null ? "Right answers (top-1)" : "Mean IoU; pixels right";

    private static Html Table(IReadOnlyList<Finding> stages) => Html.Of($"""
        <div class="stages"><table>
        <thead><tr><th>Stage</th><th>{Named(stages[0].Result.Score)}</th><th>File</th><th>Ratio</th><th>Parameters</th><th>MACs</th><th>Median latency</th><th>Arena</th><th class="words">What got worse</th></tr></thead>
        <tbody>
        {Html.Join(stages.Select(stage => Html.Of($"""
            <tr><td>{stage.Title}</td><td data-head="{Named(stage.Result.Score)}">{Quantity.Percent(stage.Result.Score.Value)}{(stage.Result.Score.PixelAccuracy is { } pixels ? $"; {Quantity.Percent(pixels)}" : "")}</td><td data-head="File">{Quantity.Exact(stage.Result.Bytes)} B</td>
            <td data-head="Smaller than the first">{Quantity.Times((double)stages[0].Result.Bytes / stage.Result.Bytes)}</td><td data-head="Parameters">{Quantity.Exact(stage.Result.Parameters)}</td>
            <td data-head="Multiply-accumulates">{Quantity.Count(stage.Result.Macs)}</td><td data-head="Median latency, one picture">{Quantity.Milliseconds(stage.Result.MedianMs)}</td>
            <td data-head="Arena (working memory)">{Quantity.Exact(stage.Result.ArenaBytes)} B</td><td class="words" data-head="What got worse"><span class="{(stage.Worse.IsDefaultOrEmpty ? "soft" : "worse")}">{stage.WorseInWords}</span><br><small>{stage.What}</small></td></tr>

            """)))}</tbody>
        </table></div>
        <p><small>Top-1: the share of test pictures whose first answer is right. Mean IoU: of each class, the share of pixels that are both of it and answered so, of those that are either; the mean of all classes. MACs: multiply-accumulates for one picture. Arena: the memory that the engine plans for the
        values between layers, weights not counted. Latency: one picture at a time, the stages timed in turns so that each meets the same conditions.</small></p>
        """);

    private static Html Charts(IReadOnlyList<Finding> stages) => Html.Join([
        Bars.Chart("File size", "bytes on disk, less is better", stages.Max(stage => stage.Result.Bytes),
            [.. stages.Select(stage => new Bar(stage.Title, stage.Result.Bytes, Quantity.Bytes(stage.Result.Bytes)))]),
        Bars.Chart("Accuracy", $"{Named(stages[0].Result.Score)}, of all test pictures; the full length is 100 %", 1,
            [.. stages.Select(stage => new Bar(stage.Title, stage.Result.Score.Value, Quantity.Percent(stage.Result.Score.Value)))]),
        Bars.Chart("Latency", "median time for one picture, less is better", stages.Max(stage => stage.Result.MedianMs),
            [.. stages.Select(stage => new Bar(stage.Title, stage.Result.MedianMs, Quantity.Milliseconds(stage.Result.MedianMs)))]),
    ]);

    private static Html Fronts(IReadOnlyList<StageResult> measured)
    {
        HashSet<StageResult> front = [.. Pareto.Front(measured)];
        return Html.Join([
            Draw("Accuracy against size", result => result.Bytes, bytes => Quantity.Bytes((long)bytes)),
            Draw("Accuracy against time", result => result.MedianMs, Quantity.Milliseconds),
        ]);

        Html Draw(string title, Func<StageResult, double> cost, Func<double, string> words) => Scatter.Chart(title, "each file that was made; filled: no other is as right, as small and as fast", words,
            [.. measured.Select(result => new Mark(cost(result), result.Score.Value, front.Contains(result), $"{result.Name}: {Quantity.Percent(result.Score.Value)}, {words(cost(result))}"))]);
    }

    private static Html Samples(Findings findings)
    {
        string share = Quantity.Percent((double)findings.Differences / findings.TestPictures);
        return Html.Of($"""
            <h2>The same pictures, before and after</h2>
            <p>Before: the trained network. After: the last file. The percentage is the network's confidence. They differ on {Quantity.Exact(findings.Differences)} of
            {Quantity.Exact(findings.TestPictures)} pictures ({share}).</p>
            <h3>Where the two agree</h3>
            <div class="samples">
            {Html.Join(findings.Agreeing.Select(Draw))}</div>
            <h3>Where they differ</h3>
            {(findings.Differing.Count == 0 ? new Html("<p>Nowhere: both give the same first answer for every test picture.</p>") : Html.Of($"<div class=\"samples\">\n{Html.Join(findings.Differing.Select(Draw))}</div>"))}
            """);

        static Html Draw(Sample sample) => Html.Of($"""
            <div class="sample"><img alt="a test picture: {sample.Truth}" src="data:image/png;base64,{Convert.ToBase64String(sample.Png)}">
            <dl><dt>is</dt><dd>{sample.Truth}</dd>{Say("before", sample.Before, sample.Truth)}{Say("after", sample.After, sample.Truth)}</dl></div>

            """);

        static Html Say(string when, Answer answer, string truth) =>
            Html.Of($"<dt>{when}</dt><dd class=\"{(answer.Label == truth ? "right" : "wrong")}\">{answer.Label} {100 * answer.Confidence:F0}\u00a0%</dd>");
    }

    private static Html Parses(byte[] sheet) => Html.Of($"""
        <h2>The same pictures, before and after</h2>
        <p>Test pictures, evenly spread over their names; of each, in turns: the picture, the truth, what the first network says, what the last one says.</p>
        <div class="scroll"><img alt="test pictures, their truth, and the answers before and after" src="data:image/png;base64,{Convert.ToBase64String(sheet)}"></div>
        """);

    private static Html Tensors(FileReport file, Finding last)
    {
        TensorEncoding[] encodings = [.. file.Tensors.SelectMany(tensor => tensor.Costs.Keys).Distinct().Order()];
        return Html.Of($"""
            <p>{last.File} is a valid safetensors file. Each tensor stands in it under whichever encoding takes the fewest bytes; every encoding gives all bits back.
            {Quantity.Exact(file.HeaderBytes)} of its {Quantity.Exact(file.Bytes)} bytes describe the network, the rest are weights.</p>
            <details><summary>What each encoding would cost, tensor by tensor ({file.Tensors.Length})</summary>
            <div class="scroll"><table>
            <tr><th>Tensor</th><th>Shape</th>{Html.Join(encodings.Select(encoding => Html.Of($"<th>{encoding}</th>")))}</tr>
            {Html.Join(file.Tensors.Select(tensor => Html.Of($"""
                <tr><td>{tensor.Name}</td><td>{tensor.Shape}</td>{Html.Join(encodings.Select(encoding =>
                    Html.Of($"<td class=\"{(encoding == tensor.Encoding ? "chosen" : "other")}\">{(tensor.Costs.TryGetValue(encoding, out long bytes) ? Quantity.Exact(bytes) : "–")}</td>")))}</tr>

                """)))}</table></div>
            <p><small>Bytes; the encoding that was chosen is in bold.</small></p>
            </details>
            """);
    }

    /// <summary>A figure and its unit on one line.</summary>
    private static string Whole(string figure) => figure.Replace(' ', '\u00a0');

    private static string Points(double points) => Math.Abs(points) < 0.005 ? "unchanged"
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(points):F2} points {(points < 0 ? "lost" : "won")}");
}
