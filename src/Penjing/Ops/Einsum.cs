namespace Penjing;

/// <summary>A sum of products by Einstein's convention, as NumPy's einsum: a letter for each axis, one term for each input, "bij,bjk->bik".</summary>
public sealed record Einsum(string Equation) : Op
{
    private const char First = '\uE000';

    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, int.MaxValue);
        Floats(inputs);
        (string[] terms, string output) = Terms([.. inputs.ToArray().Select(input => input.Shape.Rank)]);
        Dictionary<char, int> extents = Extents(terms, [.. inputs.ToArray().Select(input => input.Shape)]);
        return new(ElementType.Float32, [.. output.Select(letter => extents[letter])]);
    }

    /// <summary>One letter for each axis of the inputs and of the output; an ellipsis has become letters of its own, aligned at its end.</summary>
    internal (string[] Terms, string Output) Terms(int[] ranks)
    {
        string[] sides = string.Concat(Equation.Where(letter => letter != ' ')).Split("->");
        string[] terms = sides[0].Split(',');
        Require(sides.Length <= 2 && terms.Length == ranks.Length, $"'{Equation}' isn't for {ranks.Length} inputs");
        int widest = 0;
        for (int i = 0; i < terms.Length; i++)
            if (terms[i].Contains("...")) widest = Math.Max(widest, ranks[i] - (terms[i].Length - 3));
        string all = string.Concat(Enumerable.Range(0, Math.Max(0, widest)).Select(i => (char)(First + i)));
        for (int i = 0; i < terms.Length; i++)
        {
            int own = ranks[i] - (terms[i].Length - 3);
            if (terms[i].Contains("...")) terms[i] = terms[i].Replace("...", own < 0 ? "" : all[^own..]);
            Require(terms[i].Length == ranks[i] && terms[i].All(IsAxis), $"'{Equation}' isn't for input {i}, of rank {ranks[i]}");
        }
        string letters = string.Concat(terms);
        string output = sides.Length == 2
            ? sides[1].Replace("...", all)
            : all + string.Concat(letters.Where(letter => letter < First && letters.Count(other => other == letter) == 1).Order());
        Require(output.All(letter => IsAxis(letter) && letters.Contains(letter)) && output.Distinct().Count() == output.Length,
            $"'{Equation}' has an output that its inputs don't have");
        return (terms, output);
    }

    /// <summary>The extent of each letter.</summary>
    internal Dictionary<char, int> Extents(string[] terms, Shape[] shapes)
    {
        Dictionary<char, int> extents = [];
        for (int i = 0; i < terms.Length; i++)
            for (int axis = 0; axis < terms[i].Length; axis++)
            {
                int extent = shapes[i][axis], known = extents.GetValueOrDefault(terms[i][axis], 1);
                Require(extent == known || extent == 1 || known == 1, $"in '{Equation}' an axis has both {known} and {extent} elements");
                extents[terms[i][axis]] = known == 1 ? extent : known;
            }
        return extents;
    }

    private static bool IsAxis(char letter) => char.IsAsciiLetter(letter) || letter >= First;
}
