using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Every row of the kernel table by itself, at every vector width, against the reference.</summary>
public class KernelTests
{
    private const double Tolerance = 1e-5;

    /// <summary>Every row but the fallback, at every width.</summary>
    public static TheoryData<string, Isa> Rows => new(
        from row in KernelTable.Rows
        where row.Name != "reference"
        from isa in Enum.GetValues<Isa>()
        select (row.Name, isa));

    /// <summary>Each generated case that a row fits has the reference's answer, and nothing outside the operands is touched.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void AgreesWithTheReference(string name, Isa isa)
    {
        KernelRow row = KernelTable.Rows.First(row => row.Name == name);
        int fitting = 0;
        foreach (OpCase one in OpCases.All)
        {
            Node node = KernelCase.Node(one);
            if (node.Inputs.All(input => input.Value is not null) || !row.Fits(node, isa)) continue;
            fitting++;
            Closeness.Check(one.Expected(), KernelCase.Run(row, one, isa, fitting % 2 == 1), Tolerance, $"{one} with {name}, {isa}");
        }
        Assert.True(fitting > 0, $"no case fits {name}");
    }
}
