using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Losses, with which networks of a training come.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Losses =>
    [
        ("NegativeLogLikelihoodLoss", node =>
        {
            node.Takes(2, 3);
            return Likelihood(node, node[0]);
        }),
        ("SoftmaxCrossEntropyLoss", node =>
        {
            node.Takes(2, 3);
            Node logarithms = node.Wants(1) ? node.Make(1, new LogSoftmax(1), node[0]) : node.Part("log-probabilities", new LogSoftmax(1), node[0]);
            node.Yield(1, logarithms);
            return Likelihood(node, logarithms);
        }),
    ];

    /// <summary>The negative logarithms at the target classes, weighted by class, those to be ignored left out, and summed or averaged where asked.</summary>
    private static Node Likelihood(OnnxNode node, Node logarithms)
    {
        string reduction = node.Choice<string>("reduction", "mean", ("none", "none"), ("sum", "sum"), ("mean", "mean"));
        Node target = node[1].Info.Type is ElementType.Int64 ? node[1] : node.Part("target", new Cast(ElementType.Int64), node[1]);
        long ignored = node.Int("ignore_index", long.MinValue);
        Node? left = null, weight = node.Optional(2);
        if (ignored != long.MinValue)
        {
            left = node.Part("ignored", new Equal(), target, node.Weight("ignore_index", Tensor.Of<long>([], ignored)));
            target = node.Part("classes", new Where(), left, node.Weight("no-class", Tensor.Of<long>([], 0)), target);
        }
        Node picked = node.Part("picked", new Squeeze([1]),
            node.Part("column", new GatherElements(1), logarithms, node.Part("rows", new Unsqueeze([1]), target)));
        Node losses = node.Part("losses", new Unary(UnaryFunction.Neg), picked);
        Node? weights = weight is null ? null : node.Part("weights", new Take(), weight, target);
        if (left is not null)
            weights = node.Part("left-out", new Where(), left, node.Number("none", logarithms, 0), weights ?? node.Number("one", logarithms, 1));
        if (weights is null)
            return node.Make(reduction switch { "none" => new Identity(), "sum" => new ReduceSum([], false), _ => new ReduceMean([], false) }, losses);
        if (reduction == "none") return node.Make(new Mul(), losses, weights);
        Node weighted = node.Part("weighted", new Mul(), losses, weights);
        return reduction == "sum"
            ? node.Make(new ReduceSum([], false), weighted)
            : node.Make(new Div(), node.Part("sum", new ReduceSum([], false), weighted), node.Part("weight", new ReduceSum([], false), weights));
    }
}
