using Penjing.Cli;
using Penjing.Engine.X64;

AssembledKernels.Use();

return await Tool.Run(args,
[
    TrainCommand.Create(),
    CompressCommand.Create(),
    RecipesCommand.Create(),
    PruneCommand.Create(),
    SparsifyCommand.Create(),
    ShareCommand.Create(),
    QuantizeCommand.Create(),
    SensitivityCommand.Create(),
    InspectCommand.Create(),
    EvaluateCommand.Create(),
    RunCommand.Create(),
    SegmentCommand.Create(),
    BenchCommand.Create(),
    ProfileCommand.Create(),
    KernelsCommand.Create(),
    CompareCommand.Create(),
    ConvertCommand.Create(),
    ModelsCommand.Create(),
    NewCommand.Create(),
    DemoCommand.Create(),
]);
