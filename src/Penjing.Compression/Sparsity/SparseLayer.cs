namespace Penjing.Compression;

/// <summary>The weights of a layer as units that become zero together: single weights, or blocks of outputs.</summary>
/// <param name="Node">The layer.</param>
/// <param name="Mixer">How its weights lie.</param>
/// <param name="Pattern">Where zeros may stand.</param>
internal sealed record SparseLayer(Node Node, Mixer Mixer, SparsityPattern Pattern)
{
    private readonly int blocks = (Mixer.Yield + Pattern.Block - 1) / Pattern.Block;

    /// <summary>The weights.</summary>
    public Node Weight => Node.Inputs[1];

    /// <summary>How many units there are.</summary>
    public int Units => Mixer.Groups * blocks * Mixer.Fan * Mixer.Taps;

    /// <summary>Where a unit's weights lie: the first, the distance to the next, and their count.</summary>
    public (int First, int Stride, int Count) this[int unit]
    {
        get
        {
            int tap = unit % Mixer.Taps, input = unit / Mixer.Taps % Mixer.Fan, block = unit / Mixer.Taps / Mixer.Fan;
            int within = block % blocks * Pattern.Block, output = block / blocks * Mixer.Yield + within;
            return (Mixer.Index(output, input) + tap, Mixer.InputMajor ? Mixer.Taps : Mixer.Fan * Mixer.Taps, Math.Min(Pattern.Block, Mixer.Yield - within));
        }
    }

    /// <summary>Each unit's mean magnitude.</summary>
    public float[] Scores()
    {
        ReadOnlySpan<float> weights = Weight.Value!.Floats;
        float[] scores = new float[Units];
        for (int unit = 0; unit < scores.Length; unit++)
        {
            (int first, int stride, int count) = this[unit];
            double sum = 0;
            for (int i = 0; i < count; i++) sum += Math.Abs((double)weights[first + i * stride]);
            scores[unit] = float.IsFinite((float)(sum / count)) ? (float)(sum / count)
                : throw new PenjingException($"the weight '{Weight.Name}' holds values that are not finite: train again from a sound checkpoint");
        }
        return scores;
    }

    /// <summary>Each score's square as a share of the squares of all that aren't smaller: rises as the scores do, up to 1.</summary>
    public static float[] Lamp(float[] scores)
    {
        float[] rising = [.. scores], shares = new float[scores.Length];
        int[] order = [.. Enumerable.Range(0, scores.Length)];
        Array.Sort(rising, order);
        double sum = 0;
        for (int i = rising.Length - 1; i >= 0; i--)
        {
            double square = (double)rising[i] * rising[i];
            sum += square;
            shares[order[i]] = sum > 0 ? (float)(square / sum) : 0;
        }
        return shares;
    }

    /// <summary>The units that may become zero: all but what each run of inputs keeps, and but the layer's largest.</summary>
    public bool[] Free(float[] scores)
    {
        bool[] free = new bool[scores.Length];
        Array.Fill(free, true);
        free[scores.IndexOf(scores.Max())] = false;
        if (Pattern.Run == 1) return free;
        int[] run = new int[Pattern.Run];
        for (int block = 0; block < scores.Length / Mixer.Taps / Mixer.Fan; block++)
            for (int tap = 0; tap < Mixer.Taps; tap++)
                for (int input = 0; input < Mixer.Fan; input += Pattern.Run)
                {
                    int count = Math.Min(Pattern.Run, Mixer.Fan - input);
                    for (int i = 0; i < count; i++) run[i] = (block * Mixer.Fan + input + i) * Mixer.Taps + tap;
                    foreach (int kept in run.Take(count).OrderByDescending(unit => scores[unit]).Take(Pattern.Kept)) free[kept] = scores[kept] == 0;
                }
        return free;
    }
}
