namespace Penjing.Interop.TensorFlowLite;

/// <content>Functions of single elements and of pairs of them.</content>
internal static partial class LiteOps
{
    private static (string, Func<LiteNode, Node>)[] Elements =>
    [
        ("ADD", node => Pair(node, new Add(), true)),
        ("SUB", node => Pair(node, new Sub(), true)),
        ("MUL", node => Pair(node, new Mul(), true)),
        ("DIV", node => Pair(node, new Div(), true)),
        ("POW", node => Pair(node, new Pow())),
        ("MAXIMUM", node => Pair(node, new Max())),
        ("MINIMUM", node => Pair(node, new Min())),
        ("LESS", node => Pair(node, new Less())),
        ("LESS_EQUAL", node => Pair(node, new LessOrEqual())),
        ("GREATER", node => Pair(node, new Greater())),
        ("GREATER_EQUAL", node => Pair(node, new GreaterOrEqual())),
        ("EQUAL", node => Pair(node, new Equal())),
        ("PRELU", node => Pair(node, new PRelu())),
        ("SQUARED_DIFFERENCE", SquaredDifference),
        ("RELU", node => One(node, new Relu())),
        ("RELU_N1_TO_1", node => One(node, new Clip(-1, 1))),
        ("RELU6", node => One(node, new Clip(0, 6))),
        ("LEAKY_RELU", node => One(node, new LeakyRelu(node.Float("alpha")))),
        ("LOGISTIC", node => One(node, new Sigmoid())),
        ("TANH", node => One(node, new Tanh())),
        ("HARD_SWISH", node => One(node, new HardSwish())),
        ("ELU", node => One(node, new Elu())),
        ("EXP", node => One(node, new Unary(UnaryFunction.Exp))),
        ("LOG", node => One(node, new Unary(UnaryFunction.Log))),
        ("SIN", node => One(node, new Unary(UnaryFunction.Sin))),
        ("COS", node => One(node, new Unary(UnaryFunction.Cos))),
        ("SQRT", node => One(node, new Unary(UnaryFunction.Sqrt))),
        ("ABS", node => One(node, new Unary(UnaryFunction.Abs))),
        ("NEG", node => One(node, new Unary(UnaryFunction.Neg))),
        ("FLOOR", node => One(node, new Unary(UnaryFunction.Floor))),
        ("CEIL", node => One(node, new Unary(UnaryFunction.Ceil))),
        ("ROUND", node => One(node, new Unary(UnaryFunction.Round))),
        ("RSQRT", node => node.Make(new Unary(UnaryFunction.Reciprocal), node.Part("root", new Unary(UnaryFunction.Sqrt), node[0]))),
        ("SQUARE", node => node.Make(new Mul(), node[0], node[0])),
        ("CAST", node => One(node, new Cast(node.OutputType))),
        ("QUANTIZE", node => One(node, new Identity())),
        ("DEQUANTIZE", node => One(node, node[0].Info.Type is ElementType.Float16 ? new Cast(ElementType.Float32) : new Identity())),
    ];

    private static Node One(LiteNode node, Op op)
    {
        node.Takes(1, 1);
        return node.Make(op, node[0]);
    }

    private static Node Pair(LiteNode node, Op op, bool activated = false)
    {
        node.Takes(2, 2);
        (Node left, Node right) = Broadcast(node);
        return activated ? node.Activated(op, left, right) : node.Make(op, left, right);
    }

    private static (Node Left, Node Right) Broadcast(LiteNode node)
    {
        int rank = Math.Max(node[0].Shape.Rank, node[1].Shape.Rank);
        return (node.Raised(node[0], rank, "left"), node.Raised(node[1], rank, "right"));
    }

    private static Node SquaredDifference(LiteNode node)
    {
        node.Takes(2, 2);
        (Node left, Node right) = Broadcast(node);
        Node difference = node.Part("difference", new Sub(), left, right);
        return node.Make(new Mul(), difference, difference);
    }
}
