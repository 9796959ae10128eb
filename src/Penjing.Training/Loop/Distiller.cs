using System.Collections.Immutable;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>A teacher at work: what its answers add to a student's loss. Several threads may ask it at once.</summary>
internal sealed class Distiller : IDisposable
{
    private readonly Distillation options;
    private readonly TrainableGraph teacher;
    private readonly (float[] Factors, float[] Terms)? conversion;

    /// <summary>A teacher for a student.</summary>
    /// <exception cref="PenjingException">They don't fit together; the message says why.</exception>
    public Distiller(Distillation options, Graph student, Preprocessing preprocessing)
    {
        this.options = options;
        Graph graph = options.Teacher.Graph;
        if (graph.Inputs.Length != 1 || !SameButBatch(graph.Inputs[0].Shape, student.Inputs[0].Shape))
            throw new PenjingException($"the teacher takes {string.Join(" and ", graph.Inputs.Select(input => input.Shape))}, but the student {student.Inputs[0].Shape}: both must see the same pictures");
        if (options.Teacher.Preprocessing is { } own && own.Channels != preprocessing.Channels)
            throw new PenjingException($"the teacher takes a picture's channels as {own.Channels}, but the student as {preprocessing.Channels}: give a teacher that takes them as the student does");
        conversion = Conversion(preprocessing, options.Teacher.Preprocessing);
        (Shape told, Shape asked) = (graph.Outputs[0].Shape, student.Outputs[0].Shape);
        if (Values(told) != Values(asked)) throw new PenjingException($"the teacher answers {told}, but the student {asked}: both must tell the same classes apart");
        foreach (FeaturePair pair in options.Features)
        {
            Shape mine = Named(student, pair.Student, "student").Shape, its = Named(graph, pair.Teacher, "teacher").Shape;
            if (!SameButBatch(mine, its))
                throw new PenjingException($"the student's '{pair.Student}' is {mine}, but the teacher's '{pair.Teacher}' {its}: features are compared element by element, so name nodes of one shape (one whose channels were not pruned, such as those in Keep)");
        }
        teacher = new(graph, null, [.. options.Features.Select(pair => Named(graph, pair.Teacher, "teacher"))]);
    }

    /// <summary>The nodes of a student whose values <see cref="Loss"/> asks for.</summary>
    public static ImmutableArray<Node> Features(Distillation? options, Graph student) =>
        options is null ? [] : [.. options.Features.Select(pair => Named(student, pair.Student, "student"))];

    /// <summary>The student's loss: that of the labels, weighed against the teacher's answers.</summary>
    /// <param name="input">What the student saw.</param>
    /// <param name="logits">The student's logits, batch × classes, for each pixel where each has an answer.</param>
    /// <param name="features">The values of the student's <see cref="Features"/>.</param>
    /// <param name="hard">The mean loss by the labels.</param>
    /// <param name="mixed">Whether the teacher computes in mixed precision.</param>
    public TorchTensor Loss(TorchTensor input, TorchTensor logits, TorchTensor[] features, TorchTensor hard, bool mixed)
    {
        TorchTensor taught;
        TorchTensor[] shown;
        using (torch.no_grad()) (taught, shown) = teacher.Master.Answer(Converted(input), Pass.Inference, mixed: mixed);
        double t = options.Temperature;
        TorchTensor wanted = taught.Over(t).log_softmax(1), soft = (wanted.exp() * (wanted - logits.Over(t).log_softmax(1))).sum().Times((double)logits.shape[1] / logits.NumberOfElements);
        TorchTensor loss = hard.Times(1 - options.Soft).Plus(soft.Times(options.Soft * t * t));
        for (int i = 0; i < features.Length; i++) loss = loss.Plus((features[i] - shown[i]).Power(2).mean().Times(options.Features[i].Weight));
        return loss;
    }

    /// <inheritdoc/>
    public void Dispose() => teacher.Dispose();

    /// <summary>What each channel of the student's input is multiplied by, and what is then added, to be the teacher's; null where it is the teacher's.</summary>
    private static (float[], float[])? Conversion(Preprocessing student, Preprocessing? teacher)
    {
        if (teacher is null || (teacher.Mean.SequenceEqual(student.Mean) && teacher.Deviation.SequenceEqual(student.Deviation))) return null;
        var channels = Enumerable.Range(0, student.Mean.Length);
        return ([.. channels.Select(c => student.Deviation[c] / teacher.Deviation[c])], [.. channels.Select(c => (student.Mean[c] - teacher.Mean[c]) / teacher.Deviation[c])]);
    }

    /// <summary>The student's input as the teacher takes it.</summary>
    private TorchTensor Converted(TorchTensor input) => conversion is { } by
        ? (input * torch.tensor(by.Factors).view(1, -1, 1, 1)).Plus(torch.tensor(by.Terms).view(1, -1, 1, 1))
        : input;

    private static bool SameButBatch(Shape one, Shape other) => one.Rank == other.Rank && one.Skip(1).SequenceEqual(other.Skip(1));

    private static int Values(Shape answer) => answer.Elements / Math.Max(1, answer[0]);

    private static Node Named(Graph graph, string name, string who) =>
        graph.Nodes.FirstOrDefault(node => node.Name == name) ?? throw new PenjingException($"the {who} has no node '{name}' whose features could be compared");
}
