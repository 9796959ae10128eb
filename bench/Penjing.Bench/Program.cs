using Penjing;
using Penjing.Bench;

// The table of commands; each answers one question and keeps its answer under bench/results.
try
{
    return args switch
    {
        ["peers", .. string[] rest] => Peers.Run(new(rest)),
        ["threads", .. string[] rest] => Threads.Run(new(rest)),
        ["start", .. string[] rest] => Start.Run(new(rest)),
        ["steps", .. string[] rest] => Steps.Run(new(rest)),
        ["kernels", .. string[] rest] => Kernels.Run(new(rest)),
        ["convolutions", .. string[] rest] => Convolutions.Run(new(rest)),
        ["sparse", .. string[] rest] => Sparse.Run(new(rest)),
        ["choice", .. string[] rest] => Choice.Run(new(rest)),
        ["pruned", .. string[] rest] => Pruned.Run(new(rest)),
        ["sparsified", .. string[] rest] => Sparsified.Run(new(rest)),
        ["quantized", .. string[] rest] => Quantized.Run(new(rest)),
        ["files", .. string[] rest] => Files.Run(new(rest)),
        ["precision", .. string[] rest] => Precision.Run(new(rest)),
        ["loads", .. string[] rest] => Loads.Run(new(rest)),
        ["memory", .. string[] rest] => Memory.Run(new(rest)),
        ["claims", .. string[] rest] => Claims.Run(new(rest)),
        ["codes", .. string[] rest] => Codes.Run(new(rest)),
        _ => Usage(),
    };
}
catch (PenjingException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Penjing.Bench -- COMMAND [options]

          peers    how long does a run take, against ONNX Runtime and OpenCV DNN in the same process, in turns?
          threads  what does it cost to share a run out among threads, and what is won?
          start    how long does it take from the start of a process to the first answer?
          steps    where does the time of a network go?
          kernels  which kernels fit a layer, and how long does each take?
          convolutions  what does each way to compute a convolution take, in time and in memory?
          sparse   from how many zeros on do sparse kernels pay, and how much?
          choice   how far are the cost model's choices of kernels from those measured on this machine?
          pruned   is a pruned network faster by as much as it has fewer multiply-accumulates?
          sparsified  how much faster is a network with zeros, and what do patterns of zeros gain?
          quantized  how long does a run in 8-bit integers take, against ONNX Runtime on the same integers and against floats?
          files    how long do networks in files take, each against ONNX Runtime on its own export, and against the first?
          precision  how near do the answers of 8-bit integers come to those of floats, by each way to find ranges and each refinement?
          loads    how fast is a file read?
          memory   how much memory does a process need that loads a network and runs it once?
          claims   what does compression keep of accuracy, and what does it gain? (trains for hours; a command that was killed goes on)
          codes    what do Huffman's code, the range coder, deflate, Brotli and zstd take of the same weights, and how fast are they?

          --networks a,b   only these, or these claims (steps: mobilenet-v1-1.0-224; files: paths; the others: all of theirs)
          --seeds 1,2      claims: with these seeds
          --shape S        layers, as in 64x56x56-128-k3-s2-g1: channels, height and width, output channels, kernel, stride, groups; -z90: 90 % zeros
          --threads 1,2    (peers: 1 and all processors; steps: 1)
          --vectors V      peers with narrower vectors: Vector256, Vector128
          --bits B         steps, start: in 8-bit integers, weights of so many bits
          --assembled no   without code that is assembled at run time
          --seconds S      how long each measurement lasts (10)
          --data PATH      the folder of real models (codes: ../shared/data)
          --results PATH   where the answers are kept (bench/results)
        """);
    return 2;
}
