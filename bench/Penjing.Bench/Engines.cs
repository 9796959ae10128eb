using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using Penjing.Engine;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>An engine that has a network of one input and one output ready, and a picture to run it on.</summary>
internal abstract class Ready(string name) : IDisposable
{
    /// <summary>The engine and its version.</summary>
    public string Name => name;

    /// <summary>The answer of the last run.</summary>
    public abstract float[] Answer { get; }

    /// <summary>Runs the network once.</summary>
    public abstract void Run();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Penjing's own engine.</summary>
internal sealed class Ours : Ready
{
    private readonly float[] picture;

    /// <summary>A session on this many threads.</summary>
    public Ours(Model model, float[] picture, int threads) : base("Penjing")
    {
        this.picture = picture;
        Session = new(model, new(threads));
        Answer = new float[Session.Outputs[0].Info.Shape.Elements];
    }

    /// <summary>The session.</summary>
    public Session Session { get; }

    /// <inheritdoc/>
    public override float[] Answer { get; }

    /// <inheritdoc/>
    public override void Run() => Session.Run(picture, Answer);

    /// <inheritdoc/>
    public override void Dispose() => Session.Dispose();
}

/// <summary>ONNX Runtime with all its graph optimizations, its threads as it sets them, values in the caller's memory.</summary>
internal sealed class OnnxRuntime : Ready
{
    private readonly InferenceSession session;
    private readonly RunOptions run = new();
    private readonly OrtValue fed, answer;

    /// <summary>A session on this many threads.</summary>
    public OnnxRuntime(Model model, float[] picture, int threads) : base($"ONNX Runtime {OrtEnv.Instance().GetVersionString()}")
    {
        using Microsoft.ML.OnnxRuntime.SessionOptions options = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        session = new(OnnxWriter.ToBytes(model), options);
        Answer = new float[model.Graph.Outputs[0].Shape.Elements];
        fed = OrtValue.CreateTensorValueFromMemory(picture, [.. model.Graph.Inputs[0].Shape.Select(extent => (long)extent)]);
        answer = OrtValue.CreateTensorValueFromMemory(Answer, [.. model.Graph.Outputs[0].Shape.Select(extent => (long)extent)]);
    }

    /// <inheritdoc/>
    public override float[] Answer { get; }

    /// <inheritdoc/>
    public override void Run() => session.Run(run, session.InputNames, [fed], session.OutputNames, [answer]);

    /// <inheritdoc/>
    public override void Dispose()
    {
        answer.Dispose();
        fed.Dispose();
        run.Dispose();
        session.Dispose();
    }
}

/// <summary>OpenCV's DNN module on its own CPU backend.</summary>
internal sealed class OpenCv : Ready
{
    private readonly Net net;
    private readonly Mat blob;
    private Mat answer = new();

    private OpenCv(Net net, float[] picture, Shape shape) : base($"OpenCV {Cv2.GetVersionString()}")
    {
        this.net = net;
        net.SetPreferableBackend(Backend.OPENCV);
        net.SetPreferableTarget(Target.CPU);
        blob = new Mat([.. shape], MatType.CV_32F);
        Marshal.Copy(picture, 0, blob.Data, picture.Length);
    }

    /// <summary>The network on this many threads of this process's OpenCV; null, and the reason, where OpenCV can't read the network or doesn't load here.</summary>
    public static OpenCv? Of(Model model, float[] picture, int threads, out string? reason)
    {
        try
        {
            Cv2.SetNumThreads(threads);
            OpenCv ready = new(Net.ReadNetFromONNX(OnnxWriter.ToBytes(model)) ?? throw new OpenCVException("no network"), picture, model.Graph.Inputs[0].Shape);
            ready.Run();
            reason = null;
            return ready;
        }
        catch (Exception error) when (error is OpenCVException or TypeInitializationException or DllNotFoundException or OpenCvSharpException)
        {
            // The rest of a long message is where this machine looked.
            reason = (error.InnerException ?? error).Message.Split(". ", 2)[0];
            return null;
        }
    }

    /// <inheritdoc/>
    public override float[] Answer
    {
        get
        {
            var values = new float[answer.Total()];
            Marshal.Copy(answer.Data, values, 0, values.Length);
            return values;
        }
    }

    /// <inheritdoc/>
    public override void Run()
    {
        answer.Dispose();
        net.SetInput(blob);
        answer = net.Forward();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        answer.Dispose();
        blob.Dispose();
        net.Dispose();
    }
}
