using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using TorchSharp;

namespace Penjing.Training.Tests;

/// <summary>No number reaches torch but by <see cref="TorchArithmetic"/>, which keeps its scalar alive while torch reads it.</summary>
public sealed class ArithmeticTests
{
    /// <summary>Functions of TorchSharp that make scalars of their own and don't keep them.</summary>
    private static readonly string[] Careless = ["leaky_relu", "elu", "celu", "softplus", "hardtanh", "threshold", "softshrink", "hardshrink", "rrelu", "relu6", "selu", "square", "ToDouble", "ToSingle", "ToInt32", "ToInt64"];

    [Fact]
    public void Scalars_are_made_in_one_place()
    {
        MethodBase[] called = [.. Called(typeof(Trainer).Assembly).Where(method => method.DeclaringType?.Assembly == typeof(torch).Assembly)];
        Assert.Contains(called, method => method.Name == nameof(ScalarExtensionMethods.ToScalar));
        string[] wrong = [.. called.Where(IsCareless).Select(method => $"{method.DeclaringType}.{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.Name))})")];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Numbers_act_as_they_are_told()
    {
        TorchRuntime.Start();
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor x = torch.tensor([-2f, 0, 3]), integers = torch.tensor([-2L, 0, 3]);
        Assert.Equal([-1.5f, 0.5f, 3.5f], x.Plus(0.5).data<float>());
        Assert.Equal([-4f, 0, 6], x.Plus(x).data<float>());
        Assert.Equal([5L, 7, 10], integers.Plus(7).data<long>());
        Assert.Equal([3f, 1, -2], x.From(1).data<float>());
        Assert.Equal([-1f, 0, 1.5f], x.Over(2).data<float>());
        Assert.Equal([4f, 0, 9], x.Power(2).data<float>());
        Assert.Equal([0f, 0, 3], x.AtLeast(0).data<float>());
        Assert.Equal([-2f, 0, 1], x.AtMost(1).data<float>());
        Assert.Equal([-1f, 0, 1], x.Within(-1, 1).data<float>());
        Assert.Equal([true, false, false], x.IsBelow(0).data<bool>());
        Assert.Equal([false, false, true], x.IsAbove(0).data<bool>());
        Assert.Equal([false, true, false], integers.Is(0).data<bool>());
        Assert.Equal([-0.5f, 0, 3], x.Leaky(0.25).data<float>());
        Assert.Equal(MathF.Exp(-2) - 1, x.Elu(1).data<float>()[0], 1e-6f);
        Assert.Equal(2 * (MathF.Exp(-1) - 1), x.Celu(2).data<float>()[0], 1e-6f);
        Assert.Equal(MathF.Log(1 + MathF.Exp(3)), x.Softplus().data<float>()[2], 1e-6f);
        Assert.Equal([-8f, 0, 12], x.clone().Scale(2).Accumulate(x, 2).data<float>());
        Assert.Equal([-1f, 0, 1], x.clone().Bound(-1, 1).data<float>());
    }

    private static bool IsCareless(MethodBase method)
    {
        bool pairs = method.GetParameters().All(parameter => parameter.ParameterType == typeof(torch.Tensor));
        return method.DeclaringType == typeof(Scalar) ? method.Name == "op_Implicit"
            : method.DeclaringType == typeof(torch.Tensor) ? (method.Name.StartsWith("op_", StringComparison.Ordinal) && !pairs) || (pairs && method.Name is "op_Addition" or "add" or "add_") || IsListed(method)
            : IsListed(method) || (method.DeclaringType!.FullName ?? "").Contains("optim", StringComparison.Ordinal);
    }

    private static bool IsListed(MethodBase method) => Careless.Contains(method.Name.TrimEnd('_')) && !method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Scalar));

    /// <summary>The methods of other assemblies that an assembly calls, but for those of generic types.</summary>
    private static IEnumerable<MethodBase> Called(Assembly assembly)
    {
        using FileStream file = File.OpenRead(assembly.Location);
        using PEReader reader = new(file);
        MetadataReader metadata = reader.GetMetadataReader();
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
            if (metadata.GetMemberReference(handle) is { Parent.Kind: HandleKind.TypeReference } reference && reference.GetKind() is MemberReferenceKind.Method)
                yield return assembly.ManifestModule.ResolveMethod(MetadataTokens.GetToken(handle))!;
    }
}
