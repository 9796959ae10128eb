using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Penjing;

/// <summary>The extents of a tensor, outermost first, equal by value; rank 0 is a scalar. Rank-4 values are N, C, H, W.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    private readonly Ints extents;

    /// <summary>A shape of these extents.</summary>
    /// <exception cref="ShapeException">An extent is negative, or the product of those that are not 0 exceeds an array's length.</exception>
    public Shape(Ints extents)
    {
        long count = 1;
        foreach (int extent in extents.AsSpan())
        {
            if (extent < 0) throw new ShapeException($"a shape can't have the negative extent {extent}: {extents}");
            count *= Math.Max(1, extent);
            if (count > Array.MaxLength) throw new ShapeException($"the extents {extents} multiply to more than {Array.MaxLength} elements");
        }
        this.extents = extents;
    }

    /// <summary>A shape of these extents.</summary>
    /// <exception cref="ShapeException">An extent is negative, or the product of those that are not 0 exceeds an array's length.</exception>
    public static Shape Create(ReadOnlySpan<int> extents) => new(Ints.Create(extents));

    /// <summary>How many axes there are.</summary>
    public int Rank => extents.Count;

    /// <summary>How many elements a tensor of this shape has.</summary>
    public int Elements
    {
        get
        {
            int count = 1;
            foreach (int extent in extents.AsSpan()) count *= extent;
            return count;
        }
    }

    /// <summary>The extent of an axis; a negative axis counts from the end.</summary>
    public int this[int axis] => extents[axis < 0 ? axis + Rank : axis];

    int IReadOnlyCollection<int>.Count => Rank;

    /// <summary>The extents as a list.</summary>
    public Ints Extents => extents;

    /// <summary>The extents as a span.</summary>
    public ReadOnlySpan<int> AsSpan() => extents.AsSpan();

    /// <summary>This shape with one extent replaced; a negative axis counts from the end.</summary>
    public Shape With(int axis, int extent) => new(new Ints(extents.Items.SetItem(axis < 0 ? axis + Rank : axis, extent)));

    /// <summary>The product of the extents of axes <paramref name="from"/> up to, not including, <paramref name="to"/>.</summary>
    public int Product(int from, int to)
    {
        int product = 1;
        for (int axis = from; axis < to; axis++) product *= extents[axis];
        return product;
    }

    /// <summary>The shape that both broadcast to, by ONNX's (NumPy's) rule, or null where they don't agree.</summary>
    public static Shape? Broadcast(Shape left, Shape right)
    {
        int rank = Math.Max(left.Rank, right.Rank);
        var extents = new int[rank];
        for (int back = 1; back <= rank; back++)
        {
            int a = back <= left.Rank ? left[-back] : 1, b = back <= right.Rank ? right[-back] : 1;
            if (a != b && a != 1 && b != 1) return null;
            extents[rank - back] = a == 1 ? b : a;
        }
        return Create(extents);
    }

    /// <summary>Equal when rank and extents are.</summary>
    public bool Equals(Shape other) => extents.Equals(other.extents);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => extents.GetHashCode();

    /// <summary>Equality by value.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Inequality by value.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The extents joined by ×, as in 1×3×224×224; "scalar" at rank 0.</summary>
    public override string ToString() => Rank == 0 ? "scalar" : string.Join('×', extents.Items);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => extents.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
