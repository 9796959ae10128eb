namespace Penjing.Training;

/// <summary>What counts a class's pixels together, in place of each by itself, so that rare classes weigh as much as frequent ones.</summary>
public enum RegionLoss
{
    /// <summary>Nothing beside the cross-entropy.</summary>
    None,
    /// <summary>The Lovász extension of intersection over union, on average over the classes that are there (Berman, Rannen Triki and Blaschko 2018).</summary>
    Lovasz,
    /// <summary>One minus the Dice coefficient of truths and probabilities, on average over the classes that are there (Milletari, Navab and Ahmadi 2016).</summary>
    Dice,
}
