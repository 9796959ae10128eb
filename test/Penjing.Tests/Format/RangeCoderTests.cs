namespace Penjing.Tests;

/// <summary>What the range coder writes it finds again, under any odds, in little more than the bits' information.</summary>
public sealed class RangeCoderTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.03)]
    [InlineData(0.9999)]
    [InlineData(0)]
    [InlineData(1)]
    public void Bits_come_back_and_take_their_information(double ones)
    {
        for (int count = 0; count < 20_000; count += 1 + count / 3)
        {
            var random = new Random(count);
            int[] bits = [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < ones ? 1 : 0)];
            byte[] code = Encode(bits);
            Check(code, bits, $"{count} bits, {ones} ones");
            double likely = Math.Clamp((double)bits.Sum() / Math.Max(1, count), 1e-9, 1 - 1e-9), information = -count * (likely * Math.Log2(likely) + (1 - likely) * Math.Log2(1 - likely));
            Assert.True(code.Length * 8 <= information * 1.01 + 60, $"{count} bits, {ones} ones: {code.Length} bytes for {information / 8:f1}");
        }
    }

    /// <summary>Long runs of what is believed and then what is not carry far into the words written before.</summary>
    [Fact]
    public void Surprises_come_back()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var bits = new List<int>();
            while (bits.Count < 3000) bits.AddRange(Enumerable.Repeat(random.Next(2), 1 + (int)Math.Exp(7 * random.NextDouble())));
            Check(Encode([.. bits]), [.. bits], $"seed {seed}");
        }
    }

    [Fact]
    public void Numbers_come_back_in_either_table()
    {
        foreach (int length in (int[])[0, 1, 2, 4, 5, 9, 12])
        {
            var random = new Random(length);
            int[] numbers = [.. Enumerable.Range(0, 500).Select(_ => random.Next(1 << length))];
            var encoder = new RangeEncoder();
            uint[] first = Fresh(16), all = Fresh(1 << length);
            foreach (int number in numbers) encoder.Number(first, all, number);
            var decoder = new RangeDecoder(encoder.Finish());
            (first, all) = (Fresh(16), Fresh(1 << length));
            foreach (int number in numbers) Assert.Equal(number, decoder.Number(first, all, 0));
            decoder.Finish();
        }

        static uint[] Fresh(int count)
        {
            var odds = new uint[count];
            Array.Fill(odds, Odds.Even);
            return odds;
        }
    }

    [Fact]
    public void Odds_stay_within_what_can_be_coded()
    {
        foreach (int bit in (int[])[0, -1])
        {
            uint odds = Odds.Even;
            for (int i = 0; i < 100_000; i++)
            {
                odds = Odds.After(odds, bit, Odds.Steps);
                Assert.InRange(odds >> 16, 1u, 65_535u);
            }
        }
    }

    private static byte[] Encode(int[] bits)
    {
        var encoder = new RangeEncoder();
        uint odds = Odds.Even;
        foreach (int bit in bits) encoder.Bit(ref odds, bit);
        return encoder.Finish();
    }

    private static void Check(byte[] code, int[] bits, string what)
    {
        var decoder = new RangeDecoder(code);
        uint odds = Odds.Even;
        for (int i = 0; i < bits.Length; i++) Assert.True(decoder.Bit(ref odds, 0) == bits[i], $"{what}: bit {i}");
        decoder.Finish();
    }
}
