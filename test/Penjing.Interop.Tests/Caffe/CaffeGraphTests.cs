using Penjing.Interop.Caffe;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Layers become the operations that Caffe's documentation says; what isn't understood is an error with the line and the layer.</summary>
public sealed class CaffeGraphTests
{
    private const string Input = "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: [1, 4, 9, 9] } } }\n";

    [Theory]
    [InlineData("Pooling", "pooling_param { kernel_size: 2 stride: 2 }", "1×4×5×5")]
    [InlineData("Pooling", "pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR }", "1×4×4×4")]
    [InlineData("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }", "1×4×5×5")]
    [InlineData("Pooling", "pooling_param { pool: AVE global_pooling: true }", "1×4×1×1")]
    [InlineData("Convolution", "convolution_param { num_output: 6 kernel_h: 3 kernel_w: 1 pad_h: 1 pad_w: 0 group: 2 dilation: 2 }", "1×6×7×9")]
    [InlineData("Deconvolution", "convolution_param { num_output: 6 kernel_size: 4 stride: 2 pad: 1 }", "1×6×18×18")]
    [InlineData("InnerProduct", "inner_product_param { num_output: 7 bias_term: false }", "1×7")]
    [InlineData("Softmax", "", "1×4×9×9")]
    [InlineData("Flatten", "", "1×324")]
    [InlineData("Reshape", "reshape_param { shape { dim: 0 dim: -1 } }", "1×324")]
    [InlineData("Power", "power_param { power: 2 scale: 0.5 shift: -1 }", "1×4×9×9")]
    [InlineData("LRN", "lrn_param { local_size: 3 alpha: 1e-4 }", "1×4×9×9")]
    [InlineData("PReLU", "", "1×4×9×9")]
    [InlineData("BatchNorm", "", "1×4×9×9")]
    [InlineData("Scale", "scale_param { bias_term: true }", "1×4×9×9")]
    public void A_layer_yields_Caffe_s_shape(string type, string param, string shape) =>
        Assert.Equal(shape, Build($"{Input}layer {{ name: 'y' type: '{type}' bottom: 'x' top: 'y' {param} }}").Outputs.Single().Shape.ToString());

    [Fact]
    public void The_divisor_of_a_mean_counts_padding_but_nothing_beyond_it()
    {
        Graph graph = Build($"{Input}layer {{ name: 'y' type: 'Pooling' bottom: 'x' top: 'y' pooling_param {{ pool: AVE kernel_size: 4 stride: 4 pad: 1 }} }}");
        Tensor ones = Tensor.Build<float>([1, 4, 9, 9], values => values.Fill(1));
        float[] means = Reference.Run(graph, ones)[0].Floats[..9].ToArray();
        Assert.Equal([9f / 16, 12f / 16, 6f / 12, 12f / 16, 1, 8f / 12, 6f / 12, 8f / 12, 4f / 9], means);
    }

    [Fact]
    public void A_scale_behind_a_batch_norm_becomes_its_own()
    {
        Graph graph = Build($"{Input}layer {{ name: 'n' type: 'BatchNorm' bottom: 'x' top: 'n' }}\nlayer {{ name: 's' type: 'Scale' bottom: 'n' top: 'n' scale_param {{ bias_term: true }} }}");
        Assert.Equal(["x", "s.weight", "s.bias", "n.mean", "n.variance", "s"], graph.Nodes.Select(node => node.Name));
    }

    /// <summary>Each Scale counts: only the first becomes the BatchNorm's own.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_second_scale_multiplies_what_the_first_gave(bool biased)
    {
        string param = $"scale_param {{ bias_term: {(biased ? "true" : "false")} }}";
        Graph graph = Build($$"""
            {{Input}}
            layer { name: 'n' type: 'BatchNorm' bottom: 'x' top: 'n' batch_norm_param { eps: 0 } }
            layer { name: 's' type: 'Scale' bottom: 'n' top: 'n' {{param}} }
            layer { name: 't' type: 'Scale' bottom: 'n' top: 'n' {{param}} }
            """, new Numbers());
        Tensor fives = Tensor.Build<float>([1, 4, 9, 9], values => values.Fill(5));
        float normal = (5 - 1 / 4f) / MathF.Sqrt(1 / 4f), once = 4 * normal + (biased ? 7 : 0), twice = 5 * once + (biased ? 9 : 0);
        Assert.All(Reference.Run(graph, fives)[0].Floats.ToArray(), value => Assert.Equal(twice, value, 1e-3f));
        Assert.Equal(1, graph.Nodes.Count(node => node.Op is Mul));
    }

    [Fact]
    public void Layers_of_training_are_left_out_and_values_in_place_are_followed()
    {
        Graph graph = Build($$"""
            {{Input}}
            layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: 2 kernel_size: 1 } }
            layer { name: "r" type: "ReLU" bottom: "a" top: "a" relu_param { negative_slope: .1 } }
            layer { name: "t" type: "Dropout" bottom: "a" top: "a" include { phase: TRAIN } }
            layer { name: "b" type: "Eltwise" bottom: "a" bottom: "a" top: "b" eltwise_param { coeff: 1 coeff: -2 } }
            layer { name: "c" type: "Concat" bottom: "a" bottom: "b" top: "c" }
            layer { name: "s" type: "Slice" bottom: "c" top: "s1" top: "s2" slice_param { slice_point: 1 } }
            """);
        Assert.Equal(["s", "s_2"], graph.Outputs.Select(node => node.Name));
        Assert.Equal("1×3×9×9", graph.Outputs[1].Shape.ToString());
        Assert.DoesNotContain(graph.Nodes, node => node.Op is Dropout);
        Assert.Contains(graph.Nodes, node => node.Op is LeakyRelu { Alpha: 0.1f });
    }

    [Theory]
    [InlineData("layer { name: 'y' type: 'Crop' bottom: 'x' top: 'y' }", "line 2: the layer 'y' (Crop) is not supported")]
    [InlineData("layer { name: 'y' type: 'ReLU' bottom: 'z' top: 'y' }", "line 2: the layer 'y' (ReLU) reads 'z', which no layer before it yields")]
    [InlineData("layer { name: 'y' type: 'Convolution' bottom: 'x' top: 'y' }", "kernel_size")]
    [InlineData("layer { name: 'y' type: 'Convolution' bottom: 'x' top: 'y' convolution_param { kernel_size: 11 num_output: 1 } }",
        "doesn't fit into 9×9 with padding 0")]
    [InlineData("layer { name: 'y' type: 'Convolution' bottom: 'x' top: 'y' convolution_param { kernel_size: 12 pad_h: 1 pad_w: 0 num_output: 1 } }",
        "padding 1,0,1,0")]
    [InlineData("layer { name: 'y' type: 'Convolution' bottom: 'x' top: 'y' convolution_param { kernel_size: big } }", "an integer, not 'big'")]
    [InlineData("layer { name: 'y' type: 'Data' top: 'y' data_param { source: 'a' } }", "deploy prototxt")]
    [InlineData("layer { name: 'y' ", "inside the message that began in line 2")]
    [InlineData("layer { name: 'y }", "a string has no end")]
    [InlineData("layer : 3", "a layer wants braces")]
    [InlineData("}", "a field's name was expected")]
    [InlineData("name", "lacks a ':'")]
    public void What_is_wrong_is_said(string text, string answer) =>
        Assert.Contains(answer, Assert.Throws<ModelFormatException>(() => Build(Input + text)).Message);

    [Fact]
    public void Messages_nested_without_end_are_refused() =>
        Assert.Contains("nested", Assert.Throws<ModelFormatException>(() => CaffeNetwork.Parse(string.Concat(Enumerable.Repeat("a {", 1_000_000)))).Message);

    [Theory]
    [InlineData("caffe-small/landmark106.prototxt", "1×212")]
    [InlineData("caffe-small/cifar10_m4_deploy.prototxt", "1×10")]
    public void Real_networks_are_understood(string file, string shape)
    {
        string? folder = Repository.Shared(Path.GetDirectoryName(file)!);
        if (folder is null) Assert.Skip($"shared/data/{file} is not there");
        Graph graph = CaffeGraph.Build(CaffeNetwork.Read(Path.Combine(folder, Path.GetFileName(file))), new Ones());
        Assert.Equal(shape, graph.Outputs.Single().Shape.ToString());
    }

    private static Graph Build(string text, ICaffeBlobs? blobs = null) => CaffeGraph.Build(CaffeNetwork.Parse(text), blobs ?? new Ones());

    private sealed class Ones : ICaffeBlobs
    {
        public Tensor Blob(CaffeLayer layer, int number, Shape shape) => Tensor.Build<float>(shape, values => values.Fill(1));
    }

    /// <summary>A BatchNorm's mean and variance 1 over the factor 4; scales 4 and 5, biases 7 and 9.</summary>
    private sealed class Numbers : ICaffeBlobs
    {
        public Tensor Blob(CaffeLayer layer, int number, Shape shape) => Tensor.Build<float>(shape, values => values.Fill((layer.Name, number) switch
        {
            ("n", 2) => 4,
            ("s", 0) => 4,
            ("s", 1) => 7,
            ("t", 0) => 5,
            ("t", 1) => 9,
            _ => 1,
        }));
    }
}
