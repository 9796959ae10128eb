namespace Penjing.Engine;

/// <summary>A number as a type parameter, so that code is compiled for it.</summary>
internal interface INumber
{
    /// <summary>The number.</summary>
    static abstract int Value { get; }
}

/// <summary>The number 1.</summary>
internal readonly struct N1 : INumber { public static int Value => 1; }

/// <summary>The number 2.</summary>
internal readonly struct N2 : INumber { public static int Value => 2; }

/// <summary>The number 3.</summary>
internal readonly struct N3 : INumber { public static int Value => 3; }

/// <summary>The number 4.</summary>
internal readonly struct N4 : INumber { public static int Value => 4; }

/// <summary>The number 5.</summary>
internal readonly struct N5 : INumber { public static int Value => 5; }

/// <summary>The number 6.</summary>
internal readonly struct N6 : INumber { public static int Value => 6; }

/// <summary>The number 7.</summary>
internal readonly struct N7 : INumber { public static int Value => 7; }

/// <summary>The number 8.</summary>
internal readonly struct N8 : INumber { public static int Value => 8; }

/// <summary>The number 9.</summary>
internal readonly struct N9 : INumber { public static int Value => 9; }

/// <summary>The number 10.</summary>
internal readonly struct N10 : INumber { public static int Value => 10; }

/// <summary>The number 11.</summary>
internal readonly struct N11 : INumber { public static int Value => 11; }

/// <summary>The number 12.</summary>
internal readonly struct N12 : INumber { public static int Value => 12; }

/// <summary>The number 13.</summary>
internal readonly struct N13 : INumber { public static int Value => 13; }

/// <summary>The number 14.</summary>
internal readonly struct N14 : INumber { public static int Value => 14; }
