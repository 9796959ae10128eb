using System.Runtime.InteropServices;
using Penjing.Engine;
using Penjing.Interop.Caffe;
using Penjing.Interop.Onnx;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>The two files of Deep Compression become the network that they describe, to the bit; what doesn't belong together is refused with a remedy.</summary>
public sealed class DeepCompressionReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("penjing").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Made_up_networks_come_in_to_the_bit()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            MadeUpNet made = MadeUpNet.Of(seed, train: seed % 2 == 1);
            Model model = Read(made.Net, made.Prototxt);
            Assert.Equal(made.Weights.Keys.Order(), model.Graph.Weights.Select(node => node.Name).Order());
            foreach (Node node in model.Graph.Weights) Assert.True(Same(node, made.Weights[node.Name]), $"seed {seed}, {node.Name}");
            Assert.Equal("made", model.Name);
            Assert.IsType<Softmax>(Assert.Single(model.Graph.Outputs).Op);
            Assert.Equal(seed % 2 == 1 ? [1, 2, 3] : [104, 117, 123], model.Preprocessing!.Mean);
        }
    }

    [Fact]
    public void Every_truncation_and_a_byte_too_many_name_file_and_offset()
    {
        MadeUpNet made = MadeUpNet.Of(7);
        for (int length = 0; length < made.Net.Length; length += 1 + length / 50) Refused(made.Net[..length], made.Prototxt, "byte");
        Refused([.. made.Net, 0], made.Prototxt, "1 bytes follow the last layer");
    }

    [Fact]
    public void The_prototxt_of_another_network_is_refused()
    {
        MadeUpNet made = MadeUpNet.Of(3);
        for (int seed = 20; seed < 40; seed++) Refused(made.Net, MadeUpNet.Of(seed).Prototxt, "the prototxt is not this network's");
        Refused(made.Net, made.Prototxt.Replace("\"fc\"", "\"last\""), "layers named with conv, fc or ip");
    }

    [Theory]
    [InlineData("BatchNorm")]
    [InlineData("Scale")]
    [InlineData("PReLU")]
    public void Layers_whose_weights_the_format_lacks_are_refused_whatever_their_names(string type)
    {
        MadeUpNet made = MadeUpNet.Of(3);
        string bottom = CaffeNetwork.Parse(made.Prototxt).Layers.First(layer => layer.Type == "Convolution").Tops[0];
        Refused(made.Net, $"{made.Prototxt}\nlayer {{ name: \"conv1_bn\" type: \"{type}\" bottom: \"{bottom}\" top: \"bn\" }}",
            $"the layer 'conv1_bn' ({type}) has weights, which the format holds only of Convolution, Deconvolution and InnerProduct layers");
    }

    [Fact]
    public void Mutations_of_either_file_are_refused_or_a_network()
    {
        var random = new Random(1);
        for (int round = 0; round < 1000; round++)
        {
            MadeUpNet made = MadeUpNet.Of(random.Next(20), random.Next(2) == 0);
            byte[] net = [.. made.Net], text = System.Text.Encoding.UTF8.GetBytes(made.Prototxt);
            byte[] hurt = random.Next(2) == 0 ? net : text;
            for (int times = 1 + random.Next(3); times > 0; times--) hurt[random.Next(random.Next(2) == 0 ? 40 : hurt.Length)] = (byte)random.Next(256);
            try
            {
                Read(net, System.Text.Encoding.UTF8.GetString(text));
            }
            catch (PenjingException error)
            {
                Assert.Contains(folder, error.Message);
            }
        }
    }

    [Theory]
    [InlineData("SqueezeNet_deploy.prototxt")]
    [InlineData("SqueezeNet_trainval.prototxt")]
    public void The_author_s_SqueezeNet_has_the_weights_of_an_independent_decoding(string prototxt)
    {
        Model model = DeepCompressionReader.Read(SqueezeNet("compressed_SqueezeNet.net"), SqueezeNet(prototxt));
        GraphProto other = ModelProto.Parser.ParseFrom(File.ReadAllBytes(SqueezeNet("squeezenet_v1.0.onnx"))).Graph;
        Dictionary<string, TensorProto> tensors = other.Initializer.ToDictionary(tensor => tensor.Name);
        NodeProto[] convolutions = [.. other.Node.Where(node => node.OpType == "Conv")];
        Node[] own = [.. model.Graph.Nodes.Where(node => node.Op is Conv)];
        Assert.Equal(26, own.Length);
        foreach (Node node in own)
        {
            NodeProto same = Assert.Single(convolutions, conv => tensors[conv.Input[1]].RawData.Span.SequenceEqual(node.Inputs[1].Value!.Bytes.Span));
            Assert.True(tensors[same.Input[2]].RawData.Span.SequenceEqual(node.Inputs[2].Value!.Bytes.Span), node.Name);
            Assert.Equal(tensors[same.Input[1]].Dims, node.Inputs[1].Shape.Select(extent => (long)extent));
        }
        Assert.Equal("FireNet", model.Name);
        Assert.Equal(new Preprocessing(Channels.Bgr, [104, 117, 123], [1, 1, 1], Fit.Stretch), model.Preprocessing);
    }

    /// <summary>The author's file, stored in our own and run by the engine, against ONNX Runtime's answers to the same five pictures.</summary>
    [Fact]
    public void The_author_s_SqueezeNet_shrinks_to_the_bit_and_answers_as_it_should()
    {
        Model model = DeepCompressionReader.Read(SqueezeNet("compressed_SqueezeNet.net"), SqueezeNet("SqueezeNet_trainval.prototxt"));
        string path = Path.Combine(folder, "squeezenet.penjing");
        FileReport report = PenjingFile.Write(path, model);
        Assert.InRange(report.Bytes, 500_000, 521_000);
        Model back = PenjingFile.Read(path);
        Dictionary<string, Node> weights = model.Graph.Weights.ToDictionary(node => node.Name);
        Assert.All(back.Graph.Weights, node => Assert.True(node.Value!.BitsEqual(weights[node.Name].Value!), node.Name));
        using Session session = Session.Load(path);
        float[] inputs = Floats("inputs_227_f32_nchw_bgr.raw"), expected = Floats("expected_v1.0_prob_f32.raw"), answer = new float[1000];
        Assert.Equal([1, 3, 227, 227], session.Inputs[0].Info.Shape);
        for (int picture = 0; picture < 5; picture++)
        {
            session.Run(inputs.AsSpan(picture * 3 * 227 * 227, 3 * 227 * 227), answer, TestContext.Current.CancellationToken);
            float[] wanted = expected[(1000 * picture)..(1000 * (picture + 1))];
            Assert.True(answer.Zip(wanted, (one, other) => Math.Abs(one - other)).Max() <= 1e-5, $"picture {picture}");
            Assert.Equal(Best(wanted), Best(answer));
        }

        static int[] Best(float[] values) => [.. Enumerable.Range(0, values.Length).OrderByDescending(index => values[index]).Take(5)];

        static float[] Floats(string file) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(SqueezeNet(file))).ToArray();
    }

    private static string SqueezeNet(string file)
    {
        string? folder = Repository.Shared("squeezenet-v1.0-deepcompression");
        if (folder is null) Assert.Skip("shared/data/squeezenet-v1.0-deepcompression is not there");
        return Path.Combine(folder, file);
    }

    private static bool Same(Node node, float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).SequenceEqual(node.Value!.Bytes.Span);

    private void Refused(byte[] net, string prototxt, string answer) =>
        Assert.Contains(answer, Assert.ThrowsAny<PenjingException>(() => Read(net, prototxt)).Message);

    private Model Read(byte[] net, string prototxt)
    {
        string path = Path.Combine(folder, "made.net"), text = Path.Combine(folder, "made.prototxt");
        File.WriteAllBytes(path, net);
        File.WriteAllText(text, prototxt);
        return DeepCompressionReader.Read(path, text);
    }
}
