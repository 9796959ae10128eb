namespace Penjing.Cli;

/// <summary>Texts that the tool carries inside.</summary>
internal static class Resource
{
    /// <summary>The text of this name, taken into a page as it is.</summary>
    public static Html Text(string name)
    {
        using Stream stream = typeof(Resource).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return new(reader.ReadToEnd());
    }
}
