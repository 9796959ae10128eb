using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;

namespace Penjing.Training;

/// <summary>Pictures sorted into a folder for each class, as ImageNet's are.</summary>
internal static class ClassFolders
{
    private const int TestShare = 10;

    /// <summary>The usual preprocessing of networks trained on ImageNet.</summary>
    public static Preprocessing ImageNet { get; } = new(Channels.Rgb, [123.675f, 116.28f, 103.53f], [58.395f, 57.12f, 57.375f]);

    /// <summary>The data set in a folder: train/ and val/ or test/, or train/ alone or the classes themselves, of which a tenth, chosen by the files' names, is for testing.</summary>
    /// <exception cref="PenjingException">There is no class, a class has no picture, or a test class is not among the classes.</exception>
    public static DataSet Open(string folder, Size size, Preprocessing preprocessing)
    {
        string? test = new[] { "val", "test", "validation" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);
        string train = Path.Combine(folder, "train");
        bool split = test is not null && Directory.Exists(train), alone = Directory.GetDirectories(folder).All(path => path == train) && Directory.Exists(train);
        string root = split || alone ? train : folder;
        string[] classes = [.. Directory.GetDirectories(root).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];
        if (classes.Length == 0)
            throw new PenjingException($"'{folder}' is no data set: it has neither MNIST's IDX files, nor a folder of pictures for each class (train/CLASS/*.jpg and val/CLASS/*.jpg, or CLASS/*.jpg), nor pictures with masks ({MaskFolders.Forms})");
        (string Path, int Label)[] all = [.. classes.SelectMany((name, label) => Files(Path.Combine(root, name)).Select(path => (path, label)))];
        (string Path, int Label)[] tested = split ? [.. Tests(test!, classes)] : [.. all.Where(IsTest)];
        (string Path, int Label)[] trained = split ? all : [.. all.Where(one => !IsTest(one))];
        return new(Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)), folder, [.. classes], Of(trained), Of(tested), preprocessing);

        FileSplit Of((string Path, int Label)[] files) => new(size, preprocessing, [.. files.Select(file => file.Path)], [.. files.Select(file => file.Label)]);
        bool IsTest((string Path, int Label) one) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{classes[one.Label]}/{Path.GetFileName(one.Path)}")) % TestShare == 0;
    }

    private static IEnumerable<(string Path, int Label)> Tests(string folder, string[] classes)
    {
        foreach (string path in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(path).StartsWith('.')) continue;
            int label = Array.IndexOf(classes, Path.GetFileName(path));
            if (label < 0) throw new PenjingException($"'{path}' holds a class that the training pictures don't have");
            foreach (string file in Files(path)) yield return (file, label);
        }
    }

    private static string[] Files(string folder)
    {
        string[] files = [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(Pictures.IsPicture).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new PenjingException($"the class folder '{folder}' has no picture ({string.Join(' ', Pictures.Extensions)}): add some or remove it");
    }

    /// <summary>Pictures in files, decoded and fitted when first asked for, and then kept as long as they fit into a share of the memory.</summary>
    private sealed class FileSplit(Size size, Preprocessing preprocessing, ImmutableArray<string> paths, ImmutableArray<int> labels) : Split(size, preprocessing.Channels, labels)
    {
        private readonly Kept kept = new(paths.Length);

        /// <inheritdoc/>
        internal override string Fingerprint => $"{base.Fingerprint} {FingerprintOf(paths)}";

        /// <inheritdoc/>
        public override ReadOnlySpan<byte> Pixels(int index) => kept.Get(index, () => Pictures.Load(paths[index], preprocessing.Channels).Fitted(Size, preprocessing.Fit).Pixels.ToArray());
    }
}
