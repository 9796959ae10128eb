using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>
/// A profile as a picture: all steps in one strip, then a bar for each, as long as its time and coloured by its kernel; the full part of a bar is the time
/// that its multiplications need at the processor's peak.
/// </summary>
internal static class ProfileSvg
{
    private const double Margin = 20, Row = 19, BarHeight = 12, StripHeight = 26, BarLeft = 268, BarWidth = 430, Width = 960, HeadHeight = 84, LegendRow = 18, LegendWidth = 310;
    private const int Colours = 8, LongestName = 38;

    /// <summary>The picture as SVG, which brings its own style and is dark where the viewer is.</summary>
    /// <param name="title">What stands above.</param>
    /// <param name="subtitle">The line below that.</param>
    /// <param name="machine">Where the times hold.</param>
    /// <param name="profile">The steps.</param>
    public static Html Draw(string title, string subtitle, string machine, Profile profile)
    {
        int legendRows = (profile.Kernels.Length + 2) / 3;
        double strip = HeadHeight + legendRows * LegendRow + 8, top = strip + StripHeight + 18, longest = profile.Steps.Max(step => step.MedianMs), left = Margin;
        double height = top + profile.Steps.Length * Row + 34;
        return Html.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" class="profile" width="{Width}" height="{height:F0}" viewBox="0 0 {Width} {height:F0}" role="img" aria-label="{title}: {subtitle}">
            <style>{Resource.Text("profile.svg.css")}</style>
            <rect class="ground" width="100%" height="100%"/>
            <text class="heading" x="{Margin}" y="30">{title}</text>
            <text class="facts" x="{Margin}" y="49">{subtitle}</text>
            <text class="facts" x="{Margin}" y="66">{machine}</text>
            <g transform="translate({Margin} {HeadHeight})">{Html.Join(profile.Kernels.Select((kernel, index) => Legend(profile, kernel, index)))}</g>
            <g transform="translate(0 {strip:F0})">{Html.Join(profile.Steps.Select(Slice))}</g>
            <g transform="translate(0 {top:F0})">
            {Html.Join(profile.Steps.Select((step, index) => Bar(profile, step, index, longest)))}</g>
            <text class="facts" x="{Margin}" y="{height - 14:F0}">{Explanation(profile)}</text>
            </svg>

            """);

        Html Slice(StepTime step)
        {
            double width = profile.Share(step.MedianMs) * (Width - 2 * Margin), from = left;
            left += width;
            return Html.Of($"""
                <rect class="slice {Colour(profile, step)}" x="{from:0.##}" width="{width:0.##}" height="{StripHeight}"><title>{Told(profile, step)}</title></rect>

                """);
        }
    }

    private static string Colour(Profile profile, StepTime step) => Colour(profile.Kernels.IndexOf(profile.Kernels.First(kernel => kernel.Row == step.Step.Row)));

    private static string Colour(int rank) => rank < Colours ? $"k{rank}" : "rest";

    private static Html Legend(Profile profile, KernelShare kernel, int index)
    {
        string words = $"{kernel.Row}  {Quantity.Milliseconds(kernel.Ms)}, {100 * profile.Share(kernel.Ms):F1} %";
        return Html.Of($"""
            <g transform="translate({index % 3 * LegendWidth} {index / 3 * LegendRow})"><rect class="{Colour(index)}" width="11" height="11" rx="2"/><text class="legend" x="17" y="10">{words}</text></g>

            """);
    }

    private static Html Bar(Profile profile, StepTime step, int index, double longest)
    {
        double length = Math.Max(1, longest > 0 ? step.MedianMs / longest * BarWidth : 0), full = length * Math.Min(1, profile.OfPeak(step.Step.Macs, step.MedianMs) ?? 1), top = index * Row;
        string peak = profile.OfPeak(step.Step.Macs, step.MedianMs) is { } share ? $" · {100 * share:F0} % of peak" : "";
        return Html.Of($"""
            <g class="step {Colour(profile, step)}"><title>{Told(profile, step)}</title><rect class="row" y="{top - 2}" width="{Width}" height="{Row}"/>
              <text class="name{(step.Step.IsFallback ? " fallback" : "")}" x="{BarLeft - 10}" y="{top + 10}">{Shortened(step.Step.Name)}</text>
              <rect class="bar" x="{BarLeft}" y="{top + 1}" width="{length:0.##}" height="{BarHeight}" rx="2"/><rect class="full" x="{BarLeft}" y="{top + 1}" width="{full:0.##}" height="{BarHeight}" rx="2"/>
              <text class="value" x="{BarLeft + length + 8:0.##}" y="{top + 10}">{Quantity.Milliseconds(step.MedianMs)} · {100 * profile.Share(step.MedianMs):F1} %{peak}</text></g>

            """);
    }

    private static string Told(Profile profile, StepTime time)
    {
        Step step = time.Step;
        List<string> lines =
        [
            $"{step.Name}: {step.Op}", $"{step.Kernel}{(step.IsFallback ? ", the slow reference" : "")}",
            FormattableString.Invariant($"{Quantity.Milliseconds(time.MedianMs)}, {100 * profile.Share(time.MedianMs):F1} % of the run"),
        ];
        if (step.Macs > 0)
            lines.Add(FormattableString.Invariant($"{Quantity.Count(step.Macs)} multiply-accumulates, {time.Gflops:F1} GFLOP/s, {100 * profile.OfPeak(step.Macs, time.MedianMs):F1} % of the peak"));
        lines.Add($"reads {Quantity.Bytes(step.InputBytes)}{(step.WeightBytes > 0 ? $" and {Quantity.Bytes(step.WeightBytes)} of weights" : "")}, writes {Quantity.Bytes(step.OutputBytes)}"
            + (step.ScratchBytes > 0 ? $", scratch {Quantity.Bytes(step.ScratchBytes)}" : ""));
        return string.Join("\n", lines);
    }

    private static string Explanation(Profile profile) => FormattableString.Invariant(
        $"Above: the whole run in order. Full part of a bar: what its multiplications need at the peak of {profile.PeakGflops:F0} GFLOP/s. Point at a bar for more.");

    /// <summary>A name cut in its middle, since its ends tell most.</summary>
    private static string Shortened(string name) => name.Length <= LongestName ? name : $"{name[..(LongestName / 2 - 3)]}…{name[^(LongestName / 2 + 2)..]}";
}
