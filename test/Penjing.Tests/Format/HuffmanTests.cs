namespace Penjing.Tests;

/// <summary>Prefix codes against the entropy bound, Huffman's own construction, and a decoder that reads bit by bit.</summary>
public sealed class HuffmanTests
{
    private static IEnumerable<(string Name, int[] Counts)> Cases
    {
        get
        {
            foreach (int symbols in (int[])[2, 3, 4, 5, 15, 16, 17, 100, 256, 511, 513, 4096])
            {
                var random = new Random(symbols);
                yield return ($"{symbols} equal", [.. Enumerable.Repeat(5, symbols)]);
                yield return ($"{symbols} random", [.. Enumerable.Range(0, symbols).Select(_ => 1 + random.Next(1000))]);
                yield return ($"{symbols} with gaps", [1, .. Enumerable.Range(0, symbols).Select(_ => Math.Max(0, random.Next(-500, 500))), 1]);
                yield return ($"{symbols} falling", [.. Enumerable.Range(0, symbols).Select(i => 1 + (int)(1e6 * Math.Pow(0.9, i)))]);
            }
            yield return ("Fibonacci", [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711]);
        }
    }

    [Fact]
    public void Lengths_are_a_complete_code_near_the_entropy_and_the_best_of_their_limit()
    {
        foreach ((string name, int[] counts) in Cases)
        {
            byte[] lengths = Huffman.Lengths(counts, Huffman.LongestCode);
            Assert.True(lengths.Zip(counts, (length, count) => length > 0 == count > 0).All(same => same), name);
            Assert.True(lengths.Where(length => length > 0).Sum(length => 1 << (Huffman.LongestCode - length)) == 1 << Huffman.LongestCode, name);
            long total = counts.Sum(count => (long)count), bits = lengths.Zip(counts, (length, count) => (long)length * count).Sum();
            double entropy = counts.Where(count => count > 0).Sum(count => -count * Math.Log2((double)count / total));
            (long best, int longest) = Plain(counts);
            Assert.True(bits >= entropy - 1e-6 && bits >= best, $"{name}: {bits} bits, entropy {entropy}, Huffman's {best}");
            Assert.True(longest > Huffman.LongestCode || bits == best, $"{name}: {bits} bits, Huffman's {best}");
        }
    }

    [Fact]
    public void Lengths_under_a_tight_limit_are_the_best_of_all()
    {
        var random = new Random(1);
        for (int round = 0; round < 300; round++)
        {
            int limit = 2 + round % 3;
            int[] counts = [.. Enumerable.Range(0, random.Next(2, Math.Min(7, (1 << limit) + 1))).Select(_ => 1 + (int)Math.Exp(8 * random.NextDouble()))];
            long bits = Huffman.Lengths(counts, limit).Zip(counts, (length, count) => (long)length * count).Sum();
            Assert.True(bits == Best(counts, limit, 1 << limit), $"limit {limit}, counts {string.Join(' ', counts)}: {bits} bits");
        }

        static long Best(ReadOnlySpan<int> counts, int limit, int room)
        {
            if (counts.IsEmpty) return room == 0 ? 0 : int.MaxValue;
            long best = int.MaxValue;
            for (int length = 1; length <= limit; length++)
                if (room >= 1 << (limit - length)) best = Math.Min(best, (long)counts[0] * length + Best(counts[1..], limit, room - (1 << (limit - length))));
            return best;
        }
    }

    [Fact]
    public void The_table_decodes_as_a_walk_bit_by_bit_does()
    {
        foreach ((string name, int[] counts) in Cases)
        {
            var random = new Random(name.Length);
            int[] occurring = [.. Enumerable.Range(0, counts.Length).Where(symbol => counts[symbol] > 0)];
            ushort[] symbols = [.. Enumerable.Range(0, 2000).Select(_ => (ushort)occurring[random.Next(occurring.Length)])];
            byte[] lengths = Huffman.Lengths(counts, Huffman.LongestCode);
            ushort[] codes = Huffman.Codes(lengths);
            var writer = new CodeWriter();
            Huffman.WriteLengths(writer, lengths);
            foreach (ushort symbol in symbols) writer.Bits(codes[symbol], lengths[symbol]);
            var reader = new CodeReader(writer.Written);
            var readLengths = new byte[lengths.Length];
            Huffman.ReadLengths(ref reader, readLengths);
            Assert.True(readLengths.SequenceEqual(lengths), name);
            long start = reader.Bit;
            var decoded = new ushort[symbols.Length];
            new HuffmanDecoder(lengths).Decode(ref reader, decoded, 0);
            Assert.True(decoded.SequenceEqual(symbols), name);
            Assert.True(Walk(writer.Written, start, lengths, symbols.Length).SequenceEqual(symbols), name);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 2, 2)]
    [InlineData(0, 0)]
    public void Lengths_that_are_no_code_are_refused(params int[] lengths) =>
        Assert.Throws<ModelFormatException>(() => new HuffmanDecoder([.. lengths.Select(length => (byte)length)]));

    [Fact]
    public void Symbols_come_back_in_both_forms()
    {
        var random = new Random(1);
        foreach (int count in (int[])[0, 1, 2, 3, 5, 8, 9, 100, 1001])
            foreach (int lowest in (int[])[0, 1, 100, 65_000])
                foreach (int range in (int[])[1, 2, 3, 16, 200, 256, 536])
                {
                    ushort[] symbols = [.. Enumerable.Range(0, count).Select(_ => (ushort)(lowest + random.Next(range)))];
                    CodeWriter packed = new(), coded = new();
                    Symbols.WritePacked(packed, symbols);
                    Check(packed, symbols);
                    if (Symbols.TryWriteCoded(coded, symbols)) Check(coded, symbols);
                    else Assert.True(symbols.Distinct().Count() < 2, $"{count} symbols from {lowest} over {range} were not coded");
                }

        static void Check(CodeWriter writer, ushort[] symbols)
        {
            var reader = new CodeReader(writer.Written);
            var back = new ushort[symbols.Length];
            Symbols.Read(ref reader, back);
            Assert.Equal(symbols, back);
            Assert.Equal(writer.Written.Length, reader.Position);
        }
    }

    /// <summary>The bits and the longest word of the code without a limit.</summary>
    private static (long Bits, int Longest) Plain(int[] counts)
    {
        var queue = new PriorityQueue<(long Count, int Depth), (long, int)>();
        foreach (int count in counts.Where(count => count > 0)) queue.Enqueue((count, 0), (count, 0));
        long bits = 0;
        while (queue.Count > 1)
        {
            (long Count, int Depth) left = queue.Dequeue(), right = queue.Dequeue(), both = (left.Count + right.Count, Math.Max(left.Depth, right.Depth) + 1);
            bits += both.Count;
            queue.Enqueue(both, both);
        }
        return (bits, queue.Peek().Depth);
    }

    private static ushort[] Walk(ReadOnlySpan<byte> bytes, long bit, byte[] lengths, int count)
    {
        var words = new Dictionary<(int Length, int Code), ushort>();
        int code = 0;
        for (int length = 1; length <= Huffman.LongestCode; length++, code <<= 1)
            for (int symbol = 0; symbol < lengths.Length; symbol++)
                if (lengths[symbol] == length) words[(length, code++)] = (ushort)symbol;
        var symbols = new ushort[count];
        for (int i = 0; i < count; i++)
        {
            (int Length, int Code) word = (0, 0);
            do
            {
                word = (word.Length + 1, word.Code << 1 | bytes[(int)(bit >> 3)] >> (int)(bit & 7) & 1);
                bit++;
            }
            while (!words.TryGetValue(word, out symbols[i]));
        }
        return symbols;
    }
}
