using System.Reflection;
using System.Text.Json;

namespace Penjing.Tests;

/// <summary>Every operation's line says the same as its constructor: names, order, and what may be left out.</summary>
public sealed class FormTests
{
    private static readonly Type[] Operations =
        [.. typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && type != typeof(Constant))];

    [Fact]
    public void An_operation_is_its_name_and_its_attributes_but_the_usual_ones()
    {
        var random = new Random(1);
        foreach (Type operation in Operations)
            for (int round = 0; round < 20; round++)
            {
                (Op op, string[] members) = Any(operation, random);
                byte[] json = new StoredModel([new("node", op)], [], []).ToJson();
                using JsonDocument document = JsonDocument.Parse(json);
                JsonElement stored = document.RootElement.GetProperty("nodes")[0].GetProperty("op");
                Assert.Equal(["op", .. members], stored.EnumerateObject().Select(member => member.Name));
                Assert.Equal(operation.Name, stored.GetProperty("op").GetString());
                Assert.Equal(op, Assert.Single(StoredModel.FromJson(json).Nodes).Op);
            }
    }

    [Theory]
    [InlineData("""{"op":"Concat"}""", "nodes[1].op has no 'axis'")]
    [InlineData("""{"op":"Concat","axis":null}""", "nodes[1].op has no 'axis'")]
    [InlineData("""{"op":"Concat","axis":"1"}""", "nodes[1].op has a 'axis' that is not an integer")]
    [InlineData("""{"op":"Concat","axis":1.5}""", "nodes[1].op has a 'axis' that is not an integer")]
    [InlineData("""{"op":"Concat","axis":1,"Axis":1}""", "nodes[1].op has the unknown property 'Axis'")]
    [InlineData("""{"op":"Cast","to":"float32"}""", "nodes[1].op has a 'to' that is not a name of ElementType")]
    [InlineData("""{"op":"Cast","to":"1"}""", "nodes[1].op has a 'to' that is not a name of ElementType")]
    [InlineData("""{"op":"Add","then":{"op":"Clip","min":0}}""", "nodes[1].op.then has no 'max'")]
    [InlineData("""{"op":"Add","then":{"op":"Add"}}""", "nodes[1].op.then is no activation")]
    [InlineData("""{"op":"Constant"}""", "nodes[1].op is a 'Constant', which is no operation that files have")]
    [InlineData("""{"axis":1}""", "nodes[1].op has no 'op'")]
    [InlineData("[]", "nodes[1].op is no JSON object")]
    public void What_makes_no_sense_is_named(string op, string answer)
    {
        string json = """{"nodes":[{"name":"x","op":{"op":"Relu"}},{"name":"y","op":OP}],"inputs":[],"outputs":[]}"""
            .Replace("OP", op, StringComparison.Ordinal);
        Assert.Equal(answer, Assert.Throws<ModelFormatException>(() => StoredModel.FromJson(System.Text.Encoding.UTF8.GetBytes(json))).Message);
    }

    [Fact]
    public void An_operation_that_files_do_not_know_is_not_written() =>
        Assert.Contains("Strange", Assert.Throws<ModelFormatException>(() => new StoredModel([new("node", new Strange())], [], []).ToJson()).Message);

    /// <summary>An operation, some attributes at their defaults and others at random, and the names of those that have no default or differ from it.</summary>
    private static (Op Op, string[] Members) Any(Type operation, Random random)
    {
        ConstructorInfo constructor = operation.GetConstructors().MaxBy(constructor => constructor.GetParameters().Length)!;
        var members = new List<string>();
        object?[] values = [.. constructor.GetParameters().Select(Value)];
        return ((Op)constructor.Invoke(values), [.. members]);

        object? Value(ParameterInfo parameter)
        {
            object? usual = parameter.DefaultValue ?? (parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null);
            object? value = parameter.HasDefaultValue && random.Next(2) == 0 ? usual : Any(parameter.ParameterType);
            if (!parameter.HasDefaultValue || !Equals(value, usual)) members.Add(JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!));
            return value;
        }

        object Any(Type type)
        {
            if (type.IsEnum) return Enum.GetValues(type) is var all ? all.GetValue(random.Next(all.Length))! : 0;
            if (type == typeof(int)) return random.Next(-2, 3);
            if (type == typeof(long)) return random.NextInt64(-2, 1L << 40);
            if (type == typeof(float)) return random.GetItems([0, 1, -0.1f, float.NaN, float.NegativeInfinity, float.PositiveInfinity, float.Epsilon], 1)[0];
            if (type == typeof(bool)) return random.Next(2) == 0;
            if (type == typeof(string)) return "ij,jk->ik";
            if (type == typeof(Size)) return random.Next(2) == 0 ? Size.Square(random.Next(3)) : new Size(3, 4);
            if (type == typeof(Padding)) return random.Next(2) == 0 ? Padding.All(random.Next(-1, 3)) : new Padding(0, 1, 2, 0);
            if (type == typeof(Ints)) return new Ints([.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(-1, 3))]);
            if (type == typeof(Shape)) return new Shape([.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(5))]);
            if (type == typeof(Activation)) return random.Next(2) == 0 ? new Clip(0, 6) : new HardSigmoid(0.5f);
            if (type == typeof(Region)) return new Region(0, 0.5f, 1, 0.25f);
            if (type == typeof(Quantization)) return random.Next(2) == 0 ? new Quantization(0.5f, 3) : new Quantization([1, 0.5f], [0, -1], random.Next(2));
            throw new InvalidOperationException($"{operation.Name} has an attribute of the type {type.Name}, of which there is no case");
        }
    }

    private sealed record Strange : Op
    {
        public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => inputs[0];
    }
}
