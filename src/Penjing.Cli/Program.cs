using Penjing.Cli;

return await Tool.Run(args,
[
    InspectCommand.Create(),
    EvaluateCommand.Create(),
    RunCommand.Create(),
    BenchCommand.Create(),
    ProfileCommand.Create(),
    ExportCommand.Create(),
]);
