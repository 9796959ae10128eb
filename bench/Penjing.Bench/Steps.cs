using System.Globalization;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>Where does the time of a network go?</summary>
internal static class Steps
{
    /// <summary>Prints the profile of each network.</summary>
    public static int Run(Arguments arguments)
    {
        foreach (string network in arguments.Networks("mobilenet-v1-1.0-224"))
            foreach (int threads in arguments.Threads(1))
            {
                using Session session = new(Networks.Named(network), new(threads));
                session.Profile(100);
                StepTime[] times = [.. session.Profile(100)];
                Console.WriteLine($"{network}, {threads} thread(s)");
                foreach (StepTime time in times)
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{time.Step.Name,-28} {time.Step.Kernel,-36} {time.MedianMs,8:F4} ms {time.Gflops,7:F1} GFLOP/s"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"sum",-65} {times.Sum(time => time.MedianMs),8:F4} ms"));
            }
        return 0;
    }
}
