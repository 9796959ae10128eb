using System.Globalization;

namespace Penjing.Training;

/// <summary>
/// Where long work of several trainings keeps what is done: the network after each finished step and the checkpoint of the one under way.
/// Broken off at any moment and begun again with the same folder, the work ends with the same weights.
/// </summary>
public sealed class WorkFolder
{
    private const string Settings = "settings.txt";

    private WorkFolder(string path) => Path = path;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Whether a folder holds unfinished work: more than the note of its settings, which alone is nothing to lose.</summary>
    public static bool Exists(string path) => File.Exists(System.IO.Path.Combine(path, Settings)) && HoldsMore(path);

    /// <summary>Begins work in a folder, or goes on with what it holds.</summary>
    /// <param name="path">The folder; created where it is missing.</param>
    /// <param name="settings">What the result follows from, by name: work is only gone on with under the settings that it was begun with.</param>
    /// <exception cref="PenjingException">The folder holds work of other settings, which the message names, or other things, or can't be written to.</exception>
    public static WorkFolder Open(string path, IEnumerable<(string Name, object? Value)> settings)
    {
        string[] wanted = [.. settings.Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Name} = {setting.Value}"))];
        string file = System.IO.Path.Combine(path, Settings);
        try
        {
            if (Exists(path))
            {
                string[] found = File.ReadAllLines(file), differences = [.. wanted.Except(found).Select(line => $"now {line}"), .. found.Except(wanted).Select(line => $"then {line}")];
                return differences.Length == 0 ? new(path) : throw new PenjingException(
                    $"'{path}' holds the unfinished work of other settings ({string.Join("; ", differences)}): give the same settings to go on with it, or delete the folder to start anew");
            }
            if (Directory.Exists(path) && HoldsMore(path))
                throw new PenjingException($"the folder '{path}' holds other things than unfinished work, and would be deleted when the work is done: "
                    + "give one that is new or empty");
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the folder '{path}' can't be used: {error.Message}", error);
        }
        AtomicFile.Write(file, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Concat(wanted.Select(line => line + "\n")))));
        return new(path);
    }

    /// <summary>Whether there is more than the note, and what is left of one that was killed while it was written.</summary>
    private static bool HoldsMore(string path) => Directory.EnumerateFileSystemEntries(path).Select(System.IO.Path.GetFileName)
        .Any(name => name != Settings && !AtomicFile.IsRemnant(name!, of: Settings));

    /// <summary>The network of a step: made, unless an earlier run has made it.</summary>
    /// <param name="name">The step's name, which its file bears.</param>
    /// <param name="make">Makes the network; its argument is the path for the checkpoint.</param>
    /// <exception cref="PenjingException">The folder can't be written to, or its file is damaged.</exception>
    public Model Step(string name, Func<string, Model> make)
    {
        string file = System.IO.Path.Combine(Path, name + ".penjing"), checkpoint = System.IO.Path.Combine(Path, name + ".checkpoint");
        if (!File.Exists(file)) PenjingFile.Write(file, make(checkpoint), Storage.Plain);
        File.Delete(checkpoint);
        return PenjingFile.Read(File.ReadAllBytes(file));
    }

    /// <summary>Deletes the folder and all that it holds.</summary>
    public void Delete() => Directory.Delete(Path, recursive: true);
}
