namespace Penjing.Training;

/// <summary>The learning rate of each step: a line up to its peak, then half a cosine down (Loshchilov and Hutter 2017).</summary>
/// <param name="Steps">All steps.</param>
/// <param name="WarmUp">The steps of warm-up; the last of them has the peak.</param>
/// <param name="Peak">The highest rate.</param>
/// <param name="Final">What the rate tends to.</param>
internal readonly record struct Schedule(int Steps, int WarmUp, double Peak, double Final)
{
    /// <summary>The schedule of a training.</summary>
    public static Schedule Of(TrainingOptions options, int stepsPerEpoch)
    {
        int steps = options.Steps ?? Math.Max(1, (int)Math.Round(options.Epochs * stepsPerEpoch));
        return new(steps, Math.Min(steps / 2, (int)Math.Round(options.WarmUp * stepsPerEpoch)), options.LearningRate, options.FinalLearningRate);
    }

    /// <summary>The rate of a step, counted from 0.</summary>
    public double this[int step] => step < WarmUp
        ? Peak * (step + 1) / WarmUp
        : Final + (Peak - Final) * (1 + Math.Cos(Math.PI * (step - WarmUp) / (Steps - WarmUp))) / 2;
}
