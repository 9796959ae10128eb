namespace Penjing;

/// <summary>How a weight's elements are stored. All are lossless: every bit comes back, that of −0 and of each NaN too.</summary>
public enum TensorEncoding
{
    /// <summary>As they lie in memory.</summary>
    Plain = 0,
    /// <summary>Float32 as Float16, where each value is exactly one.</summary>
    Half = 1,
    /// <summary>One value that all elements have.</summary>
    Constant = 2,
    /// <summary>The distinct values, at most 4096, and packed indices into them.</summary>
    Shared = 3,
    /// <summary>The distinct values, at most 4096, and indices under a Huffman code.</summary>
    SharedHuffman = 4,
    /// <summary>Byte by byte of significance, each under a Huffman code of its own where that pays: a float's exponents are far from evenly spread.</summary>
    Planes = 5,
    /// <summary>The distances between elements that have any bit set, packed or under a Huffman code, and these elements as <see cref="Plain"/>.</summary>
    Sparse = 8,
    /// <summary>As <see cref="Sparse"/>, with the elements as <see cref="Half"/>.</summary>
    SparseHalf = 9,
    /// <summary>As <see cref="Sparse"/>, with the elements as <see cref="Constant"/>.</summary>
    SparseConstant = 10,
    /// <summary>As <see cref="Sparse"/>, with the elements as <see cref="Shared"/>.</summary>
    SparseShared = 11,
    /// <summary>As <see cref="Sparse"/>, with the elements as <see cref="SharedHuffman"/>.</summary>
    SparseSharedHuffman = 12,
    /// <summary>As <see cref="Sparse"/>, with the elements as <see cref="Planes"/>.</summary>
    SparsePlanes = 13,
    /// <summary>
    /// The distinct values, or distinct highest bits, at most 4096, and where each stands, under an adaptive range coder that knows the channels' and the
    /// neighbours' sizes; zeros are one of the values. The smallest of all for pruned and shared weights, and the slowest to read.
    /// </summary>
    Modelled = 16,
}
