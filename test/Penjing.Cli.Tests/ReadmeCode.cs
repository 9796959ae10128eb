using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Lab;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli.Tests;

/// <summary>The README's code, block by block.</summary>
internal static class ReadmeCode
{
    /// <summary>A network made ready for a device.</summary>
    public static (Model Model, FileReport File) Compress(string path)
    {
        Model model = MobileNetV1.Small(width: 0.25);
        Graph pruned = Pruner.Prune(model.Graph, new() { Ratio = 0.5 });
        Graph shared = Sharing.Finish(Sharing.Share(BatchNorms.Equalize(pruned), new() { Dense = new(32, Rate: 0.03) }));
        FileReport file = PenjingFile.Write(path, model with { Graph = shared });
        return (model, file);
    }

    /// <summary>Its answer to a picture.</summary>
    public static float[] Run(string path, Size size, byte[] rgba)
    {
        using Session session = Session.Load(path);
        var answer = new float[session.Outputs[0].Info.Shape.Elements];
        session.Run(Picture.FromBytes(size, Channels.Rgb, rgba, pixelBytes: 4), answer);
        int best = Array.IndexOf(answer, answer.Max());
        Console.WriteLine(session.Labels.ElementAtOrDefault(best) ?? $"class {best}");
        return answer;
    }

    /// <summary>A recipe, then a search, from C#; compiled, not run.</summary>
    public static void Recipes()
    {
        DataSet data = DataSets.Open("fashion-mnist");
        Model model = PenjingFile.Read("model.penjing");
        TrainingOptions common = new() { Threads = 2, Flip = true };
        ImmutableArray<Milestone> way = RecipeRun.Run(model, Recipe.Named("pruned-q"), data, common, folder: "work");
        foreach (Milestone stone in way)
            Console.WriteLine($"{stone.File.Path}: {stone.Result.Score}, {stone.Result.Bytes:N0} bytes, {stone.Result.MedianMs:F3} ms");
        SearchResult found = new BudgetSearch(model, data, common, "search").Run(new() { MaxDrop = 0.01, MaxBytes = 400_000, MaxLatency = 0.5 });
        Console.WriteLine($"{found.Verdict}: {found.Best.Recipe.ToJson()}");
    }
}
