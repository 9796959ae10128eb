namespace Penjing.Cli.Tests;

/// <summary>Bad files and places are answered with one message, and leave nothing half-written.</summary>
public sealed class FileErrorTests : IDisposable
{
    private readonly Scratch scratch = new();

    public static TheoryData<string> Readers => ["inspect", "bench", "profile"];

    [Theory, MemberData(nameof(Readers))]
    public void A_missing_file_is_named(string command) => Cli.Run(command, scratch["none.penjing"]).Refuses(1, "none.penjing", "doesn't exist");

    [Theory, MemberData(nameof(Readers))]
    public void A_folder_is_no_model(string command) => Cli.Run(command, scratch.Folder).Refuses(1, scratch.Folder);

    [Theory, MemberData(nameof(Readers))]
    public void A_corrupt_file_is_named(string command)
    {
        string path = scratch["damaged.penjing"];
        MadeUp.Model(path);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^5] ^= 0x40;
        File.WriteAllBytes(path, bytes);
        Cli.Run(command, path).Refuses(1, "damaged.penjing");
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Cli.Run(command, path).Refuses(1, "damaged.penjing");
        File.WriteAllText(path, "this is no network");
        Cli.Run(command, path).Refuses(1, "damaged.penjing");
        File.WriteAllBytes(path, []);
        Cli.Run(command, path).Refuses(1, "damaged.penjing");
    }

    [Fact]
    public void A_full_disk_behind_the_standard_output_is_told()
    {
        if (!File.Exists("/dev/full")) Assert.Skip("this system has no /dev/full");
        string path = scratch["small.penjing"];
        MadeUp.Model(path);
        Cli.Run("exec \"$@\" > /dev/full", ["inspect", path, "--json"]).Refuses(1, "space");
        Cli.Run("exec \"$@\" > /dev/full", ["inspect", path]).Refuses(1, "space");
    }

    public void Dispose() => scratch.Dispose();
}
