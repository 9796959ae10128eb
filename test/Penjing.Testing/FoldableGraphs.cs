namespace Penjing.Testing;

/// <summary>Small seeded random networks with much for passes to fold: normalization, activations, pads, identities, constants per channel, among convolutions and residual sums.</summary>
public static class FoldableGraphs
{
    /// <summary>A network of one picture input "x"; the outputs are a row of class scores and, for some seeds, a value in the middle.</summary>
    public static Graph Network(int seed, int steps = 14)
    {
        var random = new Random(seed);
        int count = 0;
        string Name(string kind) => $"{kind}{count++}";
        Node Weight(string of, string role, Shape shape, double mean = 0, double deviation = 1) =>
            Node.Weight($"{of}.{role}", RandomTensors.Normal(shape, seed * 1000 + count++, deviation, mean));

        Node Convolution(Node x, int outputs, int kernel, int groups, int stride)
        {
            string name = Name("conv");
            Node w = Weight(name, "weight", [outputs, x.Shape[1] / groups, kernel, kernel], 0, Math.Sqrt(1.0 / (x.Shape[1] / groups * kernel * kernel)));
            var op = new Conv(Size.Square(stride), Padding.All(random.Next(kernel / 2 + 1)), Size.One, groups);
            return random.Next(2) == 0 ? new(name, op, x, w) : new(name, op, x, w, Weight(name, "bias", [outputs]));
        }

        Node Normalized(Node x)
        {
            string name = Name("norm");
            Shape c = [x.Shape[1]];
            return new(name, new BatchNormalization(), x, Weight(name, "scale", c, 1, 0.3), Weight(name, "shift", c), Weight(name, "mean", c),
                Node.Weight($"{name}.variance", RandomTensors.Uniform(c, count++, 0.3, 2)));
        }

        Node Constant(Node x)
        {
            Binary op = random.Next(4) switch { 0 => new Add(), 1 => new Sub(), 2 => new Mul(), _ => new Div() };
            string name = Name("scale");
            Shape shape = random.Next(3) switch { 0 => [1, x.Shape[1], 1, 1], 1 => [x.Shape[1], 1, 1], _ => [] };
            Node c = Node.Weight($"{name}.constant", RandomTensors.Uniform(shape, count++, 0.5, 1.5));
            if (shape.Rank == 3) c = new($"{name}.reshaped", new Unsqueeze([0]), c);
            return op is not Div && random.Next(2) == 0 ? new(name, op, c, x) : new(name, op, x, c);
        }

        Node x = new("x", new Input(ElementType.Float32, [random.Next(1, 3), random.Next(1, 5), random.Next(9, 16), random.Next(9, 16)]));
        var live = new List<Node> { Convolution(x, random.Next(2, 7) * 2, 3, 1, 1) };
        for (int i = 0; i < steps; i++)
        {
            Node last = random.Next(5) == 0 ? live[random.Next(live.Count)] : live[^1];
            int channels = last.Shape[1];
            bool small = last.Shape[2] < 4 || last.Shape[3] < 4;
            Node[] alike = [.. live.Where(node => node.Shape == last.Shape)];
            Node[] joinable = [.. live.Where(node => node.Shape.With(1, 0) == last.Shape.With(1, 0))];
            live.Add(random.Next(small ? 9 : 14) switch
            {
                0 => Normalized(last),
                1 or 2 => new(Name("act"), OpCases.Activations[random.Next(OpCases.Activations.Length)], last),
                3 => new(Name("sum"), new Add(), last, alike[random.Next(alike.Length)]),
                4 => channels > 40 ? Normalized(last) : new(Name("join"), new Concat(1), last, joinable[random.Next(joinable.Length)]),
                5 => Constant(last),
                6 => new(Name("same"), random.Next(2) == 0 ? new Identity() : new Dropout(), last),
                7 => channels % 2 == 0 ? new(Name("shuffle"), Gather.Shuffle(channels, 2), last) : Constant(last),
                8 => Convolution(last, random.Next(2, 7) * 2, 1, channels % 2 == 0 ? random.Next(1, 3) : 1, 1),
                9 => Convolution(last, channels, 3, channels, random.Next(1, 3)),
                10 => Convolution(last, random.Next(2, 7) * 2, 3, channels % 2 == 0 ? random.Next(1, 3) : 1, 1),
                11 => new(Name("pad"), new Pad(random.Next(2, 4), random.Next(0, 2), random.Next(0, 2)), last),
                12 => new(Name("max"), new MaxPool(Size.Square(2), Size.Square(random.Next(1, 3)), Padding.All(random.Next(2))), last),
                _ => new(Name("mean"), new AveragePool(Size.Square(3), Size.Square(random.Next(1, 3)), Padding.All(random.Next(2)), false, random.Next(2) == 0), last),
            });
        }
        Node flat = new(Name("flat"), new Flatten(), new Node(Name("pool"), new GlobalAveragePool(), live[^1]));
        string head = Name("head");
        Node w = Weight(head, "weight", [flat.Shape[1], 7]);
        Node scores = random.Next(3) switch
        {
            0 => new(head, new Gemm(), flat, w, Weight(head, "bias", [7])),
            1 => new($"{head}.sum", new Add(), new Node(head, new MatMul(), flat, w), Weight(head, "bias", [7])),
            _ => Normalized(new(head, new Gemm(Alpha: 0.5f), flat, w)),
        };
        if (random.Next(2) == 0) scores = new(Name("act"), new Relu(), scores);
        return random.Next(3) == 0 ? new([scores, live[random.Next(live.Count)]], [x]) : new([scores], [x]);
    }
}
