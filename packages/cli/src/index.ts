/** What commands may fail with. */
export * as CommandFailed from "./CommandFailed.ts"
/** A conveyor as a file describes it. */
export * as ConveyorPlan from "./ConveyorPlan.ts"
/** What the command tells its parent process. */
export * as ExitCode from "./ExitCode.ts"
/** The conveyors and Layers that one process runs. */
export * as Fleet from "./Fleet.ts"
/** `${VAR}` in the text of a file. */
export * as Interpolation from "./Interpolation.ts"
/** Files that describe conveyors, decoded. */
export * as Manifest from "./Manifest.ts"
/** What is wrong with files. */
export * as ManifestError from "./ManifestError.ts"
/** Text as a tree in which everything knows its place. */
export * as ManifestFile from "./ManifestFile.ts"
/** Keeps secrets out of what is printed. */
export * as Redaction from "./Redaction.ts"
/** What is told about a run when it ends. */
export * as RunSummary from "./RunSummary.ts"
