using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>Bytes to and from memory, as many as there are.</summary>
internal static unsafe class Bytes
{
    /// <summary>The first bytes, 1 to 16, the others 0; nothing beyond them is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(byte* source, int count) => count switch
    {
        16 => Vector128.Load(source),
        8 => Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).AsByte(),
        4 => Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(source)).AsByte(),
        _ => Part(source, count),
    };

    /// <summary>The first bytes, 1 to 16; nothing beyond them is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, Vector128<byte> value, int count)
    {
        if (count == 16) value.Store(target);
        else if (count == 8) Unsafe.WriteUnaligned(target, value.AsUInt64().ToScalar());
        else if (count == 4) Unsafe.WriteUnaligned(target, value.AsUInt32().ToScalar());
        else Part(target, value, count);
    }

    private static Vector128<byte> Part(byte* source, int count)
    {
        Vector128<byte> bytes = default;
        for (int i = 0; i < count; i++) bytes = bytes.WithElement(i, source[i]);
        return bytes;
    }

    private static void Part(byte* target, Vector128<byte> value, int count)
    {
        for (int i = 0; i < count; i++) target[i] = value.GetElement(i);
    }
}
