using Penjing.Cli;

return await Tool.Run(args,
[
    InspectCommand.Create(),
    BenchCommand.Create(),
    ProfileCommand.Create(),
]);
