using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Penjing.Interop.Tests;

/// <summary>A made-up network in the two files of Deep Compression, and the weights that are in them, by an encoder that shares nothing with the reader.</summary>
internal sealed record MadeUpNet(string Prototxt, byte[] Net, IReadOnlyDictionary<string, float[]> Weights)
{
    /// <summary>A network of some convolutions, perhaps in groups, and a product at the end; of every density, with long runs of zeros.</summary>
    public static MadeUpNet Of(int seed, bool train = false)
    {
        var random = new Random(seed);
        int channels = 3, side = 8 + random.Next(9);
        var text = new StringBuilder(train
            ? $$"""
                name: "made" # up
                layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 99 } }
                layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST } transform_param { crop_size: {{side}} mean_value: 1 mean_value: 2 mean_value: 3 } }
                """
            : $"name: 'made'\ninput: \"data\"\ninput_dim: 1 input_dim: 3 input_dim: {side} input_dim: {side}\n");
        var layers = new List<(bool Conv, float[] Weights, float[] Bias)>();
        var weights = new Dictionary<string, float[]>();
        string value = "data";
        for (int number = 1; number <= 2 + random.Next(3); number++)
        {
            int groups = random.Next(3) == 0 ? channels : 1, outputs = groups * (1 + random.Next(groups > 1 ? 2 : 13)), kernel = 1 + 2 * random.Next(2);
            string name = $"conv{number}";
            text.Append(CultureInfo.InvariantCulture, $$"""

                layer { name: "{{name}}" type: "Convolution" bottom: "{{value}}" top: "{{name}}"
                        convolution_param { num_output: {{outputs}} kernel_size: {{kernel}} pad: {{kernel / 2}} group: {{groups}} weight_filler { type: "xavier" } } }
                layer { name: "relu{{number}}" type: "ReLU" bottom: "{{name}}" top: "{{name}}" }
                """);
            Add(name, true, outputs * (channels / groups) * kernel * kernel, outputs);
            (value, channels) = (name, outputs);
        }
        text.Append($$"""

            layer { name: "pool" type: "Pooling" bottom: "{{value}}" top: "pool" pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
            layer { name: "drop" type: "Dropout" bottom: "pool" top: "pool" dropout_param { dropout_ratio: 0.4 } }
            layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 5 } }
            """);
        int half = (side - 3 + 1) / 2 + 1;
        Add("fc", false, 5 * channels * half * half, 5);
        text.Append(train
            ? """

                layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" include { # phase: TRAIN
                } }
                layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" }
                """
            : "\nlayer { name: \"prob\" type: \"Softmax\" bottom: \"fc\" top: \"prob\" }\n");
        return new(text.ToString(), Encode(layers), weights);

        void Add(string name, bool conv, int count, int biases)
        {
            double density = random.Next(4) switch { 0 => 0.01, 1 => 1, _ => random.NextDouble() };
            float[] book = [0, .. Enumerable.Range(1, conv ? 255 : 15).Select(_ => (float)(random.NextDouble() - 0.5))];
            float[] values = [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < density ? book[random.Next(book.Length)] : 0)];
            float[] bias = [.. Enumerable.Range(0, biases).Select(_ => (float)random.NextDouble())];
            layers.Add((conv, values, bias));
            weights[$"{name}.weight"] = values;
            weights[$"{name}.bias"] = bias;
        }
    }

    private static byte[] Encode(List<(bool Conv, float[] Weights, float[] Bias)> layers)
    {
        var head = new List<byte>();
        var body = new List<byte>();
        foreach ((bool conv, float[] weights, float[] bias) in layers)
        {
            float[] book = [0, .. weights.Where(weight => weight != 0).Distinct()];
            var entries = new List<(int Gap, int Code)>();
            int zeros = 0;
            foreach (float weight in weights)
            {
                if (weight == 0 && zeros < 15) zeros++;
                else
                {
                    entries.Add((zeros, Array.IndexOf(book, weight)));
                    zeros = 0;
                }
            }
            head.AddRange(Bytes(entries.Count));
            Array.Resize(ref book, conv ? 256 : 16);
            foreach (float value in book.Concat(bias)) body.AddRange(Bytes(BitConverter.SingleToInt32Bits(value)));
            body.AddRange(conv ? entries.Select(entry => (byte)entry.Code) : Nibbles([.. entries.Select(entry => entry.Code)]));
            body.AddRange(Nibbles([.. entries.Select(entry => entry.Gap)]));
        }
        return [.. head, .. body];

        static byte[] Bytes(int value)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            return bytes;
        }

        static IEnumerable<byte> Nibbles(int[] values) => values.Chunk(2).Select(pair => (byte)(pair[0] | (pair.Length > 1 ? pair[1] << 4 : 0)));
    }
}
