using Penjing.Models;
using Penjing.Training;

namespace Penjing.Lab.Tests;

/// <summary>A folder that goes when the test ends, and a small network with pictures that it can learn to tell apart.</summary>
internal sealed class Samples : IDisposable
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("penjing-lab-").FullName;

    /// <summary>What all trainings share.</summary>
    public static TrainingOptions Common { get; } = new() { Batch = 32, Seed = 3, ValidateEvery = 0 };

    /// <summary>Pictures of four classes: a bright quarter over noise.</summary>
    public static DataSet Data { get; } = new("squares", "made up", ["0", "1", "2", "3"], Squares(256, 1), Squares(96, 2), new(Channels.Gray, [100], [80], Fit.Stretch));

    /// <summary>A small MobileNet, trained.</summary>
    public static Model Network { get; } = Trained();

    /// <summary>A folder within the folder.</summary>
    public string At(string name) => Path.Combine(Folder, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static Model Trained()
    {
        Model fresh = MobileNetV1.Small(0.25, 12, 1, 4, seed: 5, repeats: 0) with { Labels = Data.Labels, Preprocessing = Data.Preprocessing };
        return Trainer.Train(fresh, Data, Common with { Epochs = 6, LearningRate = 0.05 }).Model;
    }

    private static MemorySplit Squares(int count, int seed)
    {
        const int side = 12;
        Random random = new(seed);
        byte[] pixels = new byte[count * side * side];
        random.NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(4))];
        for (int i = 0; i < pixels.Length; i++)
        {
            int picture = i / (side * side), y = i / side % side, x = i % side;
            bool bright = y / (side / 2) == labels[picture] / 2 && x / (side / 2) == labels[picture] % 2;
            pixels[i] = (byte)(bright ? 180 + pixels[i] / 4 : pixels[i] / 2);
        }
        return new(Size.Square(side), Channels.Gray, [.. labels], pixels);
    }
}
