using System.Globalization;

namespace Penjing;

/// <summary>How right a network's answers are, in fractions from 0 to 1.</summary>
/// <param name="Accuracy">How many first answers are right: of all pictures, or, where each pixel is answered, of all pixels.</param>
/// <param name="MeanIoU">
/// Where each pixel is answered, the mean over the classes of intersection over union: of the pixels that are of a class or answered so, those that are both. Null where a picture has one answer.
/// </param>
public readonly record struct Score(double Accuracy, double? MeanIoU = null)
{
    /// <summary>The one figure that decides: mean intersection over union where there is one, else accuracy.</summary>
    public double Value => MeanIoU ?? Accuracy;

    /// <summary>What <see cref="Value"/> is, in words.</summary>
    public string Metric => MeanIoU is null ? "top-1" : "mean IoU";

    /// <summary>The accuracy where a picture has one answer.</summary>
    public double? Top1 => MeanIoU is null ? Accuracy : null;

    /// <summary>The accuracy where each pixel is answered.</summary>
    public double? PixelAccuracy => MeanIoU is null ? null : Accuracy;

    /// <summary>All figures by name, such as top-1 93.01 %, or mean IoU 38.12 %, pixel accuracy 91.20 %.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Metric} {100 * Value:F2} %{(PixelAccuracy is { } pixels ? $", pixel accuracy {(100 * pixels).ToString("F2", CultureInfo.InvariantCulture)} %" : "")}");
}
