using System.CommandLine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing recipes: the ways to compress that come with the tool.</summary>
internal static class RecipesCommand
{
    private static readonly Argument<string?> name = Given.Optional("NAME", "The recipe to print as JSON: a beginning for one of your own.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("recipes", "Lists the recipes of `penjing compress`, or prints one of them as JSON.",
        ["penjing recipes", "penjing recipes pruned-q > mine.json"], Run, name, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        if (parsed.GetValue(name) is { } one)
        {
            Console.Out.WriteLine(Recipe.Named(one).ToJson());
            return;
        }
        Recipe[] recipes = [.. Recipe.Names.Select(Recipe.Named)];
        screen.Show(new { Recipes = recipes.Select(recipe => new { recipe.Name, recipe.About, Stages = recipe.Stages.Select(stage => stage.Name), Epochs = recipe.Stages.Sum(stage => stage.Epochs) }) }, () => Draw(recipes));
    }

    private static IEnumerable<IRenderable> Draw(Recipe[] recipes)
    {
        Table table = Screen.Table("<Recipe", "<Stages", ">Epochs", "What it does");
        foreach (Recipe recipe in recipes)
            table.AddRow(new Text(recipe.Name), new Text(string.Join(", ", recipe.Stages.Select(stage => stage.Name))), new Text($"{recipe.Stages.Sum(stage => stage.Epochs)}"), new Text(recipe.About));
        yield return table;
    }
}
