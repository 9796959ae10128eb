using Penjing.Compression;
using Penjing.Engine;
using Penjing.Models;

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
    public static float[] Run(string path, float[] picture)
    {
        using Session session = Session.Load(path);
        var answer = new float[session.Outputs[0].Info.Shape.Elements];
        session.Run(picture, answer);
        return answer;
    }
}
