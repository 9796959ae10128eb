using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Penjing.Training;

/// <summary>Pictures with masks beside them, as data sets of human parsing are laid out.</summary>
internal static class MaskFolders
{
    /// <summary>Every one of so many pictures, in the order of their names, is for testing.</summary>
    private const int TestEvery = 5;

    private static readonly ImmutableArray<string> atrClasses =
        ["background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress", "belt", "left-shoe", "right-shoe", "face", "left-leg", "right-leg", "left-arm", "right-arm", "bag", "scarf"];

    private static readonly ImmutableArray<string> lipClasses =
    [
        "background", "hat", "hair", "glove", "sunglasses", "upper-clothes", "dress", "coat", "socks", "pants", "jumpsuits", "scarf", "skirt", "face", "left-arm", "right-arm", "left-leg", "right-leg",
        "left-shoe", "right-shoe",
    ];

    /// <summary>
    /// The layouts: folders of pictures and of masks to train on, those to test with where the layout has its own, and the classes. Penjing's own has photos/, masks/ and
    /// classes.json; ATR (Liang et al. 2015), LIP (Gong et al. 2017) and Clothing Co-Parsing (Yang et al. 2014) are as they are published, their folders wherever they lie within three levels.
    /// </summary>
    private static readonly ImmutableArray<Layout> layouts =
    [
        new("photos", "masks", Named),
        new("JPEGImages", "SegmentationClassAug", _ => atrClasses),
        new("train_images", "train_segmentations", _ => lipClasses) { TestPhotos = "val_images", TestMasks = "val_segmentations" },
        // About half the photos have masks; of the others only the classes in them are known.
        new("photos", "pixel-level", Listed) { Ending = ".mat", IsPart = true },
    ];

    /// <summary>What is in a folder of such a layout, for messages.</summary>
    public static string Forms { get; } = string.Join(", ", layouts.Select(layout => $"{layout.Photos}/ and {layout.Masks}/"));

    /// <summary>The size to which pictures are fitted unless another is asked for: people are higher than wide.</summary>
    public static Size Usual { get; } = new(384, 256);

    /// <summary>How pictures are made an input where the network doesn't say: as MobileNets have them, all of each picture.</summary>
    public static Preprocessing Preprocessing { get; } = new(Channels.Rgb, [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f], Fit.Stretch);

    /// <summary>The data set in a folder; null where there are no pictures with masks.</summary>
    /// <exception cref="PenjingException">A picture has no mask, or the classes aren't told.</exception>
    public static DataSet? Open(string folder, Size size, Preprocessing preprocessing)
    {
        EnumerationOptions below = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true };
        string[] folders = [.. Directory.EnumerateDirectories(folder, "*", below).OrderBy(path => path.Count(letter => letter == Path.DirectorySeparatorChar)).ThenBy(path => path, StringComparer.Ordinal)];
        foreach (Layout layout in layouts)
        {
            if (Find(layout.Photos) is not { } photos || Find(layout.Masks, photos) is not { } masks) continue;
            ImmutableArray<string> classes = layout.Classes([Path.GetDirectoryName(photos)!, folder]);
            (string Photo, string Mask)[] all = Pairs(layout, photos, masks);
            string? testPhotos = layout.TestPhotos is null ? null : Find(layout.TestPhotos), testMasks = layout.TestMasks is null ? null : Find(layout.TestMasks);
            bool split = testPhotos is not null && testMasks is not null;
            (string, string)[] tested = split ? Pairs(layout, testPhotos!, testMasks!) : [.. all.Where((_, i) => i % TestEvery == TestEvery - 1)];
            (string, string)[] trained = split ? all : [.. all.Where((_, i) => i % TestEvery != TestEvery - 1)];
            ImmutableArray<int> palette = Masked(all[0].Mask).Colors;
            return new(Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)), folder, classes, Of(trained), Of(tested), preprocessing)
            {
                Colors = palette.Length >= classes.Length ? palette[..classes.Length] : [],
            };

            MaskSplit Of((string, string)[] files) => new(size, preprocessing, [.. files], classes);
        }
        return null;

        // The folder of a name: the one beside another if there is such, else the nearest.
        string? Find(string name, string? beside = null)
        {
            string[] named = [.. folders.Where(path => Path.GetFileName(path) == name)];
            return named.FirstOrDefault(path => beside is not null && Path.GetDirectoryName(path) == Path.GetDirectoryName(beside)) ?? named.FirstOrDefault();
        }
    }

    private static (string Photo, string Mask)[] Pairs(Layout layout, string photos, string masks)
    {
        (string, string)[] pairs = [.. Directory.GetFiles(photos).Where(Pictures.IsPicture).Order(StringComparer.Ordinal)
            .Select(photo => (photo, Path.Combine(masks, Path.GetFileNameWithoutExtension(photo) + layout.Ending))).Where(pair => !layout.IsPart || File.Exists(pair.Item2))];
        if (pairs.Length == 0) throw new PenjingException($"the folder '{photos}' has no picture{(layout.IsPart ? $" with a mask in '{masks}'" : "")} ({string.Join(' ', Pictures.Extensions)})");
        return pairs.FirstOrDefault(pair => !File.Exists(pair.Item2)) is { Item1: { } photo } lacking
            ? throw new PenjingException($"the picture '{photo}' has no mask '{lacking.Item2}': add it, or remove the picture") : pairs;
    }

    /// <summary>The first of a name in these folders, or what it would be in the first.</summary>
    private static string Found(string[] folders, string name) => folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? Path.Combine(folders[0], name);

    private static ImmutableArray<string> Named(string[] folders)
    {
        string path = Found(folders, "classes.json");
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. json.RootElement.GetProperty("classes").EnumerateArray().Select(name => name.GetString() ?? throw new JsonException("a name is null"))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new PenjingException($"'{path}' must name the classes in the order of the masks' palette, as {{\"classes\": [\"background\", …]}}: {error.Message}", error);
        }
    }

    /// <summary>The classes of Clothing Co-Parsing.</summary>
    private static ImmutableArray<string> Listed(string[] folders)
    {
        string path = Found(folders, "label_list.mat");
        return MatlabFile.Read(path).GetValueOrDefault("label_list") is { Cells: { IsEmpty: false } cells } ? [.. cells.Select(cell => cell.Text)]
            : throw new PenjingException($"'{path}' has no cells 'label_list' of the classes' names");
    }

    private static MaskFile Masked(string path) => path.EndsWith(".mat", StringComparison.Ordinal) ? MaskFile.OfMatlab(path) : MaskFile.Read(path);

    /// <summary>The folders of pictures and of masks, and how the classes' names follow from the folder around the pictures and the one that was given.</summary>
    private sealed record Layout(string Photos, string Masks, Func<string[], ImmutableArray<string>> Classes)
    {
        /// <summary>The pictures to test with and their masks, where they are apart.</summary>
        public string? TestPhotos { get; init; }

        /// <inheritdoc cref="TestPhotos"/>
        public string? TestMasks { get; init; }

        /// <summary>The ending of the masks' files.</summary>
        public string Ending { get; init; } = ".png";

        /// <summary>Whether pictures without a mask are passed over.</summary>
        public bool IsPart { get; init; }
    }

    /// <summary>Pictures and masks in files, decoded and fitted when first asked for, and then kept as long as they fit into a share of the memory.</summary>
    private sealed class MaskSplit(Size size, Preprocessing preprocessing, ImmutableArray<(string Photo, string Mask)> files, ImmutableArray<string> classes) : Split(size, preprocessing.Channels, files.Length)
    {
        private readonly Kept kept = new(files.Length);
        private readonly byte[] mirrored = [.. Enumerable.Range(0, classes.Length).Select(label => (byte)Opposite(classes, label))];

        /// <inheritdoc/>
        public override bool HasMasks => true;

        /// <inheritdoc/>
        public override ReadOnlySpan<byte> Pixels(int index) => Both(index).AsSpan(Size.Height * Size.Width);

        /// <inheritdoc/>
        public override ReadOnlySpan<byte> Mask(int index) => Both(index).AsSpan(0, Size.Height * Size.Width);

        /// <inheritdoc/>
        internal override byte Mirrored(byte label) => mirrored[label];

        /// <inheritdoc/>
        internal override string Fingerprint => FingerprintOf(files.Select(file => file.Mask));

        /// <summary>A mask, and behind it the picture's pixels.</summary>
        private byte[] Both(int index) => kept.Get(index, () =>
        {
            (string photo, string path) = files[index];
            Picture picture = Pictures.Load(photo, preprocessing.Channels);
            MaskFile mask = Masked(path);
            if (mask.Size != picture.Size) throw new PenjingException($"the mask '{path}' is {mask.Size}, but its picture '{photo}' {picture.Size}: both must be of one size");
            foreach (byte label in mask.Classes.Span)
                if (label >= classes.Length && label != Unlabelled)
                    throw new PenjingException($"the mask '{path}' has the class {label}, but there are {classes.Length}: 0 to {classes.Length - 1}, and {Unlabelled} where none is known");
            return [.. Resampling.FittedMask(mask.Classes.Span, mask.Size, Size, preprocessing.Fit), .. picture.Fitted(Size, preprocessing.Fit).Pixels.Span];
        });

        /// <summary>The class of the other side, for names such as left-arm.</summary>
        private static int Opposite(ImmutableArray<string> classes, int label)
        {
            string name = classes[label];
            int other = name.StartsWith("left", StringComparison.OrdinalIgnoreCase) ? Other("right" + name[4..]) : name.StartsWith("right", StringComparison.OrdinalIgnoreCase) ? Other("left" + name[5..]) : -1;
            return other < 0 ? label : other;

            int Other(string wanted) => classes.ToList().FindIndex(one => one.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        }
    }
}
