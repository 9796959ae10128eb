using System.Security.Cryptography;

namespace Penjing.Training;

/// <summary>Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 60,000 + 10,000 pictures of clothes, 28×28, gray, ten classes.</summary>
internal static class FashionMnist
{
    /// <summary>The name under which it is opened.</summary>
    public const string Name = "fashion-mnist";

    private const string Package = "dataset-fashion-mnist", Installed = "/usr/share/datasets/fashion-mnist";
    private const string Published = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

    /// <summary>The four files, and the SHA-256 of what each unzips to: packages zip the same bytes differently.</summary>
    private static readonly (string Part, string Kind, int Rank, string Hash)[] Files =
    [
        ("train", "images", 3, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("train", "labels", 1, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("t10k", "images", 3, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("t10k", "labels", 1, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ];

    /// <summary>Whether the four files of a folder, and no others of their names, are Fashion-MNIST's.</summary>
    public static bool IsAt(string folder) => Wrong(folder) is null;

    /// <summary>The data set in a folder that <see cref="IsAt"/> approves.</summary>
    public static DataSet Read(string folder)
    {
        (MemorySplit train, MemorySplit test) = DataSets.ReadIdx(folder);
        return new(Name, folder, ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"], train, test,
            new(Channels.Gray, [72.94f], [90.02f], Fit.Stretch));
    }

    /// <summary>The data set from the first place that has it whole: its folder, the cache, Debian's package, the published address.</summary>
    /// <exception cref="PenjingException">No place serves; the message lists them all, and the remedy.</exception>
    public static DataSet Open(Action<string>? report, CancellationToken cancellation)
    {
        List<string> tried = [];
        string cache = CacheFolder.Of(Name);
        foreach (string folder in new[] { Installed, cache })
        {
            if (Wrong(folder) is not { } wrong) return Read(folder);
            tried.Add($"{folder}: {wrong}");
        }
        foreach ((string place, Action<string> fetch) in new (string, Action<string>)[]
        {
            ($"Debian's package {Package}", target => DebianPackage.Fetch(Package, Installed, target, report, cancellation)),
            (Published, target => Download(target, report, cancellation)),
        })
        {
            try
            {
                report?.Invoke($"{Name}: fetching {place}");
                CacheFolder.Fill(cache, target =>
                {
                    fetch(target);
                    if (Wrong(target) is { } wrong) throw new PenjingException(wrong);
                });
                return Read(cache);
            }
            catch (Exception error) when (error is PenjingException or IOException or HttpRequestException or UnauthorizedAccessException or TimeoutException)
            {
                tried.Add($"{place}: {error.Message}");
            }
        }
        throw new PenjingException($"{Name} is nowhere to be had. Tried:\n{string.Join('\n', tried.Select(line => "  " + line))}\n"
            + $"Put its four .gz files into '{cache}', or install Debian's package {Package}, or give the folder that has them.");
    }

    /// <summary>What is wrong with a folder, or null.</summary>
    private static string? Wrong(string folder)
    {
        if (!Directory.Exists(folder)) return "no such folder";
        foreach ((string part, string kind, int rank, string hash) in Files)
        {
            if (IdxFile.Find(folder, part, kind, rank) is not { } path) return $"{part}-{kind}-idx{rank}-ubyte.gz is missing";
            try
            {
                if (Convert.ToHexStringLower(SHA256.HashData(IdxFile.Load(path))) != hash) return $"{Path.GetFileName(path)} is not the published file";
            }
            catch (PenjingException error)
            {
                return error.Message;
            }
        }
        return null;
    }

    private static void Download(string target, Action<string>? report, CancellationToken cancellation)
    {
        using HttpClient client = new() { Timeout = TimeSpan.FromMinutes(5) };
        foreach ((string part, string kind, int rank, _) in Files)
        {
            string name = $"{part}-{kind}-idx{rank}-ubyte.gz";
            report?.Invoke($"{Name}: fetching {Published}{name}");
            try
            {
                using HttpResponseMessage response = client.Send(new(HttpMethod.Get, Published + name), HttpCompletionOption.ResponseHeadersRead, cancellation);
                response.EnsureSuccessStatusCode();
                using Stream from = response.Content.ReadAsStream(cancellation);
                using FileStream to = File.Create(Path.Combine(target, name));
                from.CopyTo(to);
            }
            catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException("no answer in time", error);
            }
        }
    }
}
