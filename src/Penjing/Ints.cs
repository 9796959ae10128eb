using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Penjing;

/// <summary>An immutable list of integers, equal by value: axes, a permutation, indices.</summary>
[CollectionBuilder(typeof(Ints), nameof(Create))]
public readonly struct Ints : IEquatable<Ints>, IReadOnlyList<int>
{
    private readonly ImmutableArray<int> items;

    /// <summary>A list of these values.</summary>
    public Ints(ImmutableArray<int> items) => this.items = items;

    /// <summary>A list of these values.</summary>
    public static Ints Create(ReadOnlySpan<int> items) => new([.. items]);

    /// <summary>The values.</summary>
    public ImmutableArray<int> Items => items.IsDefault ? [] : items;

    /// <summary>How many values there are.</summary>
    public int Count => items.IsDefault ? 0 : items.Length;

    /// <summary>The value at <paramref name="index"/>.</summary>
    public int this[int index] => items[index];

    /// <summary>The values as a span.</summary>
    public ReadOnlySpan<int> AsSpan() => items.AsSpan();

    /// <summary>Equal when the same values stand in the same order.</summary>
    public bool Equals(Ints other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Ints other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (int item in AsSpan()) hash.Add(item);
        return hash.ToHashCode();
    }

    /// <summary>Equality by value.</summary>
    public static bool operator ==(Ints left, Ints right) => left.Equals(right);

    /// <summary>Inequality by value.</summary>
    public static bool operator !=(Ints left, Ints right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Items)}]";

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)Items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
