using System.Collections.Immutable;
using System.Globalization;
using Settings = Penjing.Models.ZooEntry.Settings;

namespace Penjing.Models;

/// <summary>All networks that can be built by name: the one table that commands, tests and benches read.</summary>
/// <remarks>
/// A name is the architecture, its width where it has one, and its picture's size where that is not the usual: resnet-18, mobilenet-v1-0.5,
/// mobilenet-v1-0.75-192.
/// </remarks>
public static class Zoo
{
    private const string SqueezePaper = "Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size";
    private const string MobilePaper = "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications";
    private const string Mobile2Paper = "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks";
    private const string ShufflePaper = "Zhang et al. 2017, ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices";
    private const string Shuffle2Paper = "Ma et al. 2018, ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design";
    private const string ResidualPaper = "He et al. 2016, Deep Residual Learning for Image Recognition";
    private const string LeNetPaper = "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition";
    private const string SlimmingPaper = "Liu et al. 2017, Learning Efficient Convolutional Networks through Network Slimming";
    private const string ParsePaper = "Howard et al. 2017, MobileNets; Chen et al. 2018, Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation";
    private const string VggPaper = "Simonyan and Zisserman 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition";

    /// <summary>
    /// The architectures; names of published widths follow, with the published counts of parameters and of multiply-accumulates: the paper's, torchvision's,
    /// for MobileNet v2's narrow and wide ones TensorFlow's, for ShuffleNet's parameters and largest the authors' repository's.
    /// </summary>
    private static readonly ImmutableArray<Row> rows =
    [
        new("lenet-300-100", LeNetPaper, Mnist, s => LeNet300100.Build(s.Side, s.Channels, s.Classes, s.Seed, s.Softmax), [new("266,610", "")]),
        new("lenet-5", LeNetPaper, Mnist, s => LeNet5.Build(s.Side, s.Channels, s.Classes, s.Seed, s.Softmax), [new("431,080", "")]),
        CifarResidual(20, "0.27 M"),
        CifarResidual(56, "0.85 M"),
        new("vgg-16-small", SlimmingPaper, Cifar, s => Vgg16.Small(s.Width, s.Side, s.Channels, s.Classes, s.Seed, s.Softmax), [new("", "")], AnyWidth: true),
        new("mobilenet-v1-small", MobilePaper, Mnist, s => MobileNetV1.Small(s.Width, s.Side, s.Channels, s.Classes, s.Seed, softmax: s.Softmax),
            [new(0.25, "", ""), new(0.5, "", ""), new(1, "", "")]),
        new("mobilenet-v1", MobilePaper, ImageNet, s => MobileNetV1.Build(s.Width, s.Side, s.Channels, s.Classes, s.Seed, softmax: s.Softmax),
            [new(0.25, "0.5 M", "41 M"), new(0.5, "1.3 M", "149 M"), new(0.75, "2.6 M", "325 M"), new(1, "4.2 M", "569 M")]),
        new("mobilenet-v2", Mobile2Paper, ImageNet, s => MobileNetV2.Build(s.Width, s.Side, s.Channels, s.Classes, s.Seed, s.Softmax),
            [new(0.35, "", "59 M"), new(0.5, "", "97 M"), new(0.75, "", "209 M"), new(1, "3,504,872", "0.301 G"), new(1.4, "", "582 M")]),
        new("squeezenet-1.0", SqueezePaper, ImageNet, s => SqueezeNet.Version10(s.Side, s.Channels, s.Classes, s.Seed, s.Softmax),
            [new("1,248,424", "0.819 G")]),
        new("squeezenet-1.1", SqueezePaper, ImageNet, s => SqueezeNet.Version11(s.Side, s.Channels, s.Classes, s.Seed, s.Softmax),
            [new("1,235,496", "0.349 G")]),
        Shuffled(1, new(0.25, "", "13 M"), new(0.5, "", "38 M"), new(1, "", "143 M")),
        Shuffled(2, new(0.25, "", "13 M"), new(0.5, "", "38 M"), new(1, "", "140 M")),
        Shuffled(3, new(0.25, "", "13 M"), new(0.5, "0.7 M", "38 M"), new(1, "1.9 M", "137 M"), new(1.5, "3.4 M", "292 M"), new(2, "5.4 M", "524 M")),
        Shuffled(4, new(0.25, "", "13 M"), new(0.5, "", "38 M"), new(1, "", "133 M")),
        Shuffled(8, new(0.25, "", "13 M"), new(0.5, "1.0 M", "40 M"), new(1, "2.4 M", "137 M"), new(1.5, "4.3 M", "290 M"), new(2, "6.5 M", "522 M")),
        new("shufflenet-v2", Shuffle2Paper, ImageNet, s => ShuffleNetV2.Build(s.Width, s.Side, s.Channels, s.Classes, s.Seed, s.Softmax),
            [new(0.5, "1,366,792", "0.04 G"), new(1, "2,278,604", "0.145 G"), new(1.5, "3,503,624", "0.296 G"), new(2, "7,393,996", "0.583 G")]),
        Residual(18, "11,689,512", "1.814 G"),
        Residual(34, "21,797,672", "3.664 G"),
        Residual(50, "25,557,032", "4,089,184,256"),
        Residual(50, "25,557,032", "3.8 G", original: true),
        new("vgg-16", VggPaper, ImageNet, s => Vgg16.Build(s.Width, s.Side, s.Channels, s.Classes, s.Seed, s.Softmax),
            [new("138,357,544", "15.47 G")], AnyWidth: true),
        new("parsenet", ParsePaper, new(ParseNet.Usual, 3, 18), s => ParseNet.Build(s.Width, s.Size, s.Channels, s.Classes, s.Seed, softmax: s.Softmax),
            [new(0.5, "", ""), new(0.75, "", ""), new(1, "", "")]),
        new("parsenet-s8", ParsePaper, new(ParseNet.Usual, 3, 18), s => ParseNet.Build(s.Width, s.Size, s.Channels, s.Classes, s.Seed, stride: 8, softmax: s.Softmax),
            [new(0.5, "", ""), new(0.75, "", ""), new(1, "", "")]),
    ];

    /// <summary>The networks whose widths and sizes were published, small ones first; <see cref="Find"/> knows more widths and sizes.</summary>
    public static ImmutableArray<ZooEntry> All { get; } = [.. rows.SelectMany(row => row.Known.Select(known => row.Entry(known, row.Own.Size)))];

    /// <summary>The network of a name: one of <see cref="All"/>, or such a one in another width or picture size, as in mobilenet-v1-0.75-192.</summary>
    /// <exception cref="PenjingException">There is none; the message lists what there is.</exception>
    public static ZooEntry Find(string name)
    {
        if (All.FirstOrDefault(entry => entry.Name == name) is { } known) return known;
        foreach (Row row in rows.OrderByDescending(row => row.Name.Length))
        {
            if (name != row.Name && !name.StartsWith(row.Name + "-", StringComparison.Ordinal)) continue;
            if (row.Parse([.. name[row.Name.Length..].Split('-').Skip(1)]) is { } parsed) return parsed;
        }
        throw new PenjingException(
            $"the zoo has no network '{name}', but {string.Join(", ", rows.Select(row => row.Known[0].Width is null ? row.Name : row.Name + "-WIDTH"))}; "
            + "widths are such as 0.5 and 1.0, and a picture size may follow, as in mobilenet-v1-0.75-192 and parsenet-0.75-288x192");
    }

    private static Own Mnist => new(Size.Square(28), 1, 10);

    private static Own Cifar => new(Size.Square(32), 3, 10);

    private static Own ImageNet => new(Size.Square(224), 3, 1000);

    private static Row CifarResidual(int depth, string parameters) => new($"cifar-resnet-{depth}", ResidualPaper, Cifar,
        s => CifarResNet.Build(depth, s.Width, s.Side, s.Channels, s.Classes, s.Seed, softmax: s.Softmax), [new(parameters, "")], AnyWidth: true);

    private static Row Shuffled(int groups, params ImmutableArray<Known> known) => new($"shufflenet-v1-g{groups}", ShufflePaper, ImageNet,
        s => ShuffleNetV1.Build(groups, s.Width, s.Side, s.Channels, s.Classes, s.Seed, s.Softmax), known);

    private static Row Residual(int depth, string parameters, string macs, bool original = false) => new(
        $"resnet-{depth}{(original ? "-original" : "")}", ResidualPaper, ImageNet,
        s => ResNet.Build(depth, s.Width, s.Side, s.Channels, s.Classes, s.Seed, original, s.Softmax), [new(parameters, macs)], AnyWidth: true);

    /// <summary>The picture and the classes of an architecture's own data set.</summary>
    private readonly record struct Own(Size Size, int Channels, int Classes);

    /// <summary>A published network of an architecture: its width, if names show one, and what was written of its cost.</summary>
    private sealed record Known(double? Width, string Parameters, string Macs)
    {
        public Known(string parameters, string macs) : this(null, parameters, macs) { }
    }

    /// <summary>An architecture. Names show the width where a known one does, or where it isn't 1 and any may be asked for.</summary>
    private sealed record Row(string Name, string Paper, Own Own, Func<Settings, Model> Builder, ImmutableArray<Known> Known, bool AnyWidth = false)
    {
        private bool ShowsWidth => Known[0].Width is not null;

        public ZooEntry Entry(Known known, Size size) => new(Builder)
        {
            Name = Name + (known.Width is { } width ? "-" + Architecture.Width(width) : "")
                + (size == Own.Size ? "" : $"-{Architecture.Pixels(size)}"),
            Paper = Paper,
            Width = known.Width ?? (AnyWidth ? 1 : null),
            Size = size,
            Channels = Own.Channels,
            Classes = Own.Classes,
            PublishedParameters = known.Parameters,
            PublishedMacs = size == Own.Size ? known.Macs : "",
        };

        /// <summary>
        /// The entry of what follows the architecture's name: [width] [size]. A width has a point, or, where names show it, is a number too small for a size.
        /// </summary>
        public ZooEntry? Parse(ImmutableArray<string> rest)
        {
            double? width = null;
            Size size = Own.Size;
            if (rest is [var first, ..] && (first.Contains('.') ? ShowsWidth || AnyWidth : ShowsWidth && int.TryParse(first, out int whole) && whole < 16))
            {
                if (!double.TryParse(first, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double factor)) return null;
                (width, rest) = (factor, rest[1..]);
            }
            if (rest.Length > 1 || rest.Length == 1 && !Architecture.TryPixels(rest[0], out size)) return null;
            if (ShowsWidth) width ??= 1;
            else if (width == 1) width = null;
            return Entry(Known.FirstOrDefault(known => known.Width == width) ?? new Known(width, "", ""), size);
        }
    }
}
