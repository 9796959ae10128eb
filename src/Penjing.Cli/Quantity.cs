using System.Globalization;

namespace Penjing.Cli;

/// <summary>Figures as people read them.</summary>
internal static class Quantity
{
    /// <summary>Bytes in decimal units, three digits.</summary>
    public static string Bytes(long bytes) => bytes < 1000 ? $"{bytes} B" : Scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);

    /// <summary>A count in thousands, millions, billions, three digits.</summary>
    public static string Count(long count) => count < 1000 ? count.ToString(CultureInfo.InvariantCulture) : Scaled(count, ["", "k", "M", "G", "T"]).TrimEnd();

    /// <summary>A count with its thousands apart.</summary>
    public static string Exact(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A fraction as a percentage with two decimals.</summary>
    public static string Percent(double fraction) => string.Create(CultureInfo.InvariantCulture, $"{100 * fraction:F2} %");

    /// <summary>A phrase as a heading.</summary>
    public static string Title(string phrase) => $"{char.ToUpperInvariant(phrase[0])}{phrase[1..]}";

    /// <summary>Milliseconds, three digits at least.</summary>
    public static string Milliseconds(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds.ToString(milliseconds switch
    {
        < 1 => "F4",
        < 10 => "F3",
        < 100 => "F2",
        _ => "F1",
    }, CultureInfo.InvariantCulture)} ms");

    /// <summary>A ratio such as 26.4×.</summary>
    public static string Times(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio.ToString(ratio < 10 ? "F2" : ratio < 100 ? "F1" : "F0", CultureInfo.InvariantCulture)}×");

    /// <summary>A span of time such as 45 s, 6 min 10 s, 2 h 5 min.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F1} s"),
        < 60 => $"{time.TotalSeconds:F0} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} min",
    };

    private static string Scaled(double value, ReadOnlySpan<string> units)
    {
        int unit = 0;
        for (; value >= 999.5 && unit < units.Length - 1; unit++) value /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{value.ToString(value < 10 ? "F2" : value < 100 ? "F1" : "F0", CultureInfo.InvariantCulture)} {units[unit]}");
    }
}
