using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>The reference, and what the exported file says, against ONNX Runtime.</summary>
public class ReferenceAgainstRuntimeTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Operations => [.. OpCases.All.Select(one => one.Op.Name).Distinct()];

    /// <summary>
    /// On all generated cases of an operation the reference agrees with ONNX Runtime; the failures are listed. A case of types for which the runtime has no
    /// implementation, or opset 17 no form, is not judged, but each operation has some that are.
    /// </summary>
    [Theory]
    [MemberData(nameof(Operations))]
    public void EveryCaseAgrees(string operation)
    {
        var failures = new List<string>();
        int judged = 0;
        foreach (OpCase one in OpCases.All.Where(one => one.Op.Name == operation))
        {
            try
            {
                Closeness.Check(Runtime.Run(new(one.Graph()), one.Fed())[0], one.Expected(), Tolerance, one.Name);
                judged++;
            }
            catch (Exception error) when (error.Message.Contains("NotImplemented") || error.Message.Contains("newer than opset 17"))
            {
                continue;
            }
            catch (Exception error)
            {
                failures.Add(error is ClosenessException ? error.Message : $"{one.Name}: {error.Message}");
            }
        }
        Assert.True(failures.Count > 0 || judged > 0, $"no case of {operation} was judged");
        Assert.True(failures.Count == 0, $"{failures.Count} failures\n{string.Join('\n', failures.Take(40))}");
    }
}
