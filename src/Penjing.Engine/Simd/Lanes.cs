using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Whether code works on whole vectors or on the first lanes of one, as a type parameter.</summary>
internal unsafe interface ILanes
{
    /// <summary>The lanes at <paramref name="source"/>.</summary>
    static abstract V Load<S, V>(float* source, int count) where S : struct, ISimd<V> where V : unmanaged;

    /// <summary>Writes the lanes.</summary>
    static abstract void Store<S, V>(float* target, V value, int count) where S : struct, ISimd<V> where V : unmanaged;
}

/// <summary>All lanes.</summary>
internal readonly unsafe struct AllLanes : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<S, V>(float* source, int count) where S : struct, ISimd<V> where V : unmanaged => S.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<S, V>(float* target, V value, int count) where S : struct, ISimd<V> where V : unmanaged => S.Store(target, value);
}

/// <summary>The first <c>count</c> lanes.</summary>
internal readonly unsafe struct FirstLanes : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<S, V>(float* source, int count) where S : struct, ISimd<V> where V : unmanaged => S.LoadPart(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<S, V>(float* target, V value, int count) where S : struct, ISimd<V> where V : unmanaged => S.StorePart(target, value, count);
}
