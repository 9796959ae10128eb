using System.Text.RegularExpressions;

namespace Penjing.Tests;

/// <summary>One to three random injuries of a blob.</summary>
internal static partial class Mutation
{
    private static readonly string[] Numbers =
        ["-1", "0", "1", "2", "3", "255", "65536", "2147483647", "-2147483648", "4294967296", "99999999999999999999", "1e9", "1.5", "\"\"", "null", "[]"];

    /// <summary>The injured blob.</summary>
    public static byte[] Of(byte[] blob, Random random, out string what)
    {
        var done = new List<string>();
        for (int times = 1 + random.Next(3); times > 0; times--)
        {
            int at = random.Next(blob.Length), length = Math.Min(1 + random.Next(8), blob.Length - at), kind = random.Next(5);
            byte[] some = new byte[length];
            random.NextBytes(some);
            done.Add($"kind {kind} at {at}, length {length}");
            blob = kind switch
            {
                0 => [.. blob[..at], (byte)(blob[at] ^ 1 << random.Next(8)), .. blob[(at + 1)..]],
                1 => [.. blob[..at], .. some, .. blob[at..]],
                2 when length < blob.Length => [.. blob[..at], .. blob[(at + length)..]],
                3 => [.. blob[..at], .. some, .. blob[(at + length)..]],
                _ => [.. blob[..at], (byte)(random.Next(2) * 255), .. blob[(at + 1)..]],
            };
        }
        what = string.Join("; ", done);
        return blob;
    }

    /// <summary>The injured text: as bytes, or a number or a piece exchanged.</summary>
    public static string Of(string text, Random random, out string what)
    {
        MatchCollection numbers = Number().Matches(text);
        if (random.Next(4) == 0 || numbers.Count == 0)
            return System.Text.Encoding.UTF8.GetString(Of(System.Text.Encoding.UTF8.GetBytes(text), random, out what));
        Match match = numbers[random.Next(numbers.Count)];
        string other = random.Next(3) switch
        {
            0 => Numbers[random.Next(Numbers.Length)],
            1 => $"{random.Next(-2, 9)}",
            _ => numbers[random.Next(numbers.Count)].Value,
        };
        what = $"{match.Value} at {match.Index} became {other}";
        return string.Concat(text.AsSpan(0, match.Index), other, text.AsSpan(match.Index + match.Length));
    }

    [GeneratedRegex("-?[0-9][0-9.]*|true|false|null|\"[A-Za-z0-9]*\"")]
    private static partial Regex Number();
}
