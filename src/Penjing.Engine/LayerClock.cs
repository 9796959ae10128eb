namespace Penjing.Engine;

/// <summary>
/// How long single layers take on this machine, each computed over and over by the kernel that a session would take for it. Layers of equal shapes are measured once.
/// </summary>
/// <param name="options">How a session would run them.</param>
/// <param name="cancellation">Looked at before each run.</param>
public sealed class LayerClock(SessionOptions options, CancellationToken cancellation = default)
{
    private const double MillisecondsPerLayer = 20;

    private readonly Dictionary<string, double> known = [];

    /// <summary>The milliseconds of a layer: a node whose inputs are inputs and constants.</summary>
    /// <exception cref="OperationCanceledException">The measuring was cancelled.</exception>
    /// <exception cref="PenjingException">The options don't fit the layer.</exception>
    public double Milliseconds(Node layer)
    {
        double sum = 0;
        foreach (Site site in Tuning.Sites(new(layer), options).Sites)
        {
            string key = LayerKey.Of(site);
            if (!known.TryGetValue(key, out double time))
                known.Add(key, time = Trial.Of([options.Tuning?.Row(site) ?? KernelTable.Choose(site)], site, MillisecondsPerLayer, cancellation: cancellation)[0].Ms);
            sum += time;
        }
        return sum;
    }
}
