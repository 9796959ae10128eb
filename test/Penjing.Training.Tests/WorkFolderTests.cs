namespace Penjing.Training.Tests;

/// <summary>Unfinished work is told from what is nobody's, and from other people's files.</summary>
public sealed class WorkFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("penjing-work-").FullName;

    /// <summary>What a process leaves that was killed while it noted its settings is nothing to lose; other files are.</summary>
    [Fact]
    public void A_half_written_note_is_no_work_and_no_hindrance()
    {
        File.WriteAllText(Path.Combine(folder, "settings.txt.abc.tmp"), "ep");
        Assert.False(WorkFolder.Exists(folder));
        WorkFolder.Open(folder, [("epochs", 3)]);
        WorkFolder.Open(folder, [("epochs", 4)]);
        File.WriteAllText(Path.Combine(folder, "step.checkpoint"), "");
        Assert.True(WorkFolder.Exists(folder));
        Assert.Contains("epochs = 4", Assert.Throws<PenjingException>(() => WorkFolder.Open(folder, [("epochs", 3)])).Message, StringComparison.Ordinal);
        WorkFolder.Open(folder, [("epochs", 4)]).Delete();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "notes.tmp"), "mine");
        Assert.Contains("other things", Assert.Throws<PenjingException>(() => WorkFolder.Open(folder, [])).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
