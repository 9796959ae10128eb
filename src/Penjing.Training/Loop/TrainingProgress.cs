using System.Collections.Immutable;

namespace Penjing.Training;

/// <summary>Where a training stands after a step.</summary>
/// <param name="Epoch">The current epoch, from 1.</param>
/// <param name="Epochs">All epochs; the last may be a part of one.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">All steps.</param>
/// <param name="Loss">The mean loss of this epoch so far.</param>
/// <param name="TrainAccuracy">The fraction of this epoch's answers so far, of pictures or pixels, that were right, as they were seen: augmented, and by the network as it then was.</param>
/// <param name="TestScore">How right the answers to the test pictures were at last, where measured.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="ImagesPerSecond">Pictures trained on per second, over the last steps.</param>
/// <param name="Remaining">The time that the remaining steps and measurements will take at this pace.</param>
public readonly record struct TrainingProgress(
    int Epoch, int Epochs, int Step, int Steps, double Loss, double TrainAccuracy, Score? TestScore, double LearningRate, double ImagesPerSecond, TimeSpan Remaining);

/// <summary>What an epoch came to.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Loss">Its mean loss.</param>
/// <param name="TrainAccuracy">The fraction of answers, of pictures or pixels, that were right, as they were seen.</param>
/// <param name="TestScore">How right the answers to the test pictures are after it, where measured.</param>
public readonly record struct EpochResult(int Epoch, double Loss, double TrainAccuracy, Score? TestScore);

/// <summary>What a training came to.</summary>
/// <param name="Model">The network with its trained weights, and the preprocessing and labels it was trained with.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">All steps.</param>
/// <param name="Epochs">The epochs, the last perhaps a part of one.</param>
/// <param name="ImagesPerSecond">Pictures trained on per second, without measurements and checkpoints; of this run only.</param>
public sealed record TrainingResult(Model Model, int Step, int Steps, ImmutableArray<EpochResult> Epochs, double ImagesPerSecond)
{
    /// <summary>Whether every step is done; false where the training was cancelled.</summary>
    public bool Completed => Step == Steps;

    /// <summary>The last measurement on the test pictures, where there was one.</summary>
    public Score? TestScore => Epochs.LastOrDefault(epoch => epoch.TestScore is not null).TestScore;
}
