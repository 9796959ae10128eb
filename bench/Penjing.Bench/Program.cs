using Penjing;
using Penjing.Bench;

// The table of commands; each answers one question and keeps its answer under bench/results.
try
{
    return args switch
    {
        ["peers", .. string[] rest] => Peers.Run(new(rest)),
        ["steps", .. string[] rest] => Steps.Run(new(rest)),
        ["loads", .. string[] rest] => Loads.Run(new(rest)),
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

          peers    how long does a run take, against ONNX Runtime in the same process, run by run in turns?
          steps    where does the time of a network go?
          loads    how fast is a file read?
          codes    what does each way of coding pruned, shared weights take?

          --networks a,b   only these (steps: mobilenet-v1-1.0-224; the others: all)
          --threads 1,2    (peers: 1 and all processors; steps: 1)
          --seconds S      how long each measurement lasts (10)
          --data PATH      the folder of real models (codes: ../shared/data)
          --results PATH   where the answers are kept (bench/results)
        """);
    return 2;
}
