using System.Collections.Immutable;

namespace Penjing.Training;

/// <summary>Where data sets come from.</summary>
public static class DataSets
{
    /// <summary>The names that <see cref="Open"/> knows.</summary>
    public static ImmutableArray<string> Names => [FashionMnist.Name];

    /// <summary>
    /// A data set by name, or in a folder: MNIST's IDX files (train-images-idx3-ubyte, …, each plain or .gz; the training part may be missing),
    /// pictures in class folders: train/CLASS/*.jpg and val/ or test/CLASS/*.jpg, or CLASS/*.jpg, of which a fixed tenth is for testing;
    /// or pictures with masks, PNG files whose palette index is the class: photos/, masks/ and classes.json, of which every fifth by name is for testing, or ATR's or LIP's folders.
    /// </summary>
    /// <param name="nameOrFolder">"fashion-mnist", which is found on this machine or fetched; or a folder.</param>
    /// <param name="size">The size to which pictures in files are fitted; by default 224×224, or 384×256 where they have masks.</param>
    /// <param name="preprocessing">How pictures in files are fitted, and of which channels they are; by default ImageNet's, or MobileNet's where they have masks.</param>
    /// <param name="report">Is told what is being fetched from where.</param>
    /// <param name="cancellation">Ends a fetch.</param>
    /// <exception cref="PenjingException">There is no such data set, or it is damaged; the message names the file and the remedy.</exception>
    public static DataSet Open(string nameOrFolder, Size? size = null, Preprocessing? preprocessing = null, Action<string>? report = null, CancellationToken cancellation = default)
    {
        if (nameOrFolder == FashionMnist.Name && !Directory.Exists(nameOrFolder)) return FashionMnist.Open(report, cancellation);
        string folder = Path.GetFullPath(nameOrFolder);
        if (!Directory.Exists(folder))
            throw new PenjingException($"there is no data set '{nameOrFolder}': give {string.Join(", ", Names)} or a folder with IDX files, with a folder of pictures for each class, or with pictures and masks");
        if (IdxFile.Any(folder)) return OpenIdx(folder);
        return MaskFolders.Open(folder, size ?? MaskFolders.Usual, preprocessing ?? MaskFolders.Preprocessing) ?? ClassFolders.Open(folder, size ?? Size.Square(224), preprocessing ?? ClassFolders.ImageNet);
    }

    private static DataSet OpenIdx(string folder)
    {
        if (FashionMnist.IsAt(folder)) return FashionMnist.Read(folder);
        (MemorySplit train, MemorySplit test) = ReadIdx(folder);
        int classes = train.Labels.Concat(test.Labels).Max() + 1;
        return new(Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)), folder, [.. Enumerable.Range(0, classes).Select(label => $"{label}")], train, test,
            new(Channels.Gray, [33.32f], [78.57f], Fit.Stretch));
    }

    /// <summary>Both parts of a folder of IDX files; a missing one is empty.</summary>
    /// <exception cref="PenjingException">A file is damaged, or the parts' sizes differ.</exception>
    internal static (MemorySplit Train, MemorySplit Test) ReadIdx(string folder)
    {
        MemorySplit? train = IdxFile.Read(folder, "train"), test = IdxFile.Read(folder, "t10k");
        if (train is not null && test is not null && train.Size != test.Size)
            throw new PenjingException($"'{folder}': the training pictures are {train.Size}, the test pictures {test.Size}");
        Size size = (train ?? test)!.Size;
        return (train ?? None(), test ?? None());

        MemorySplit None() => new(size, Channels.Gray, [], ReadOnlyMemory<byte>.Empty);
    }
}
