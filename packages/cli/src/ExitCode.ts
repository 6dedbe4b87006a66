/**
 * What the command tells its parent process, after sysexits(3).
 *
 * @since 0.1.0
 */
import type * as CliError from "effect/cli/CliError"
import type { CommandFailed, CrawlFailed } from "./CommandFailed.ts"
import type { ManifestError } from "./ManifestError.ts"

/**
 * Everything a command may fail with.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type CommandError = CliError.CliError | ManifestError | CommandFailed

/**
 * The codes by name.
 *
 * **Details** 75 is what was stopped, and can go on. 130 and 143 are what a second SIGINT or SIGTERM forces.
 *
 * @category constants
 * @stability unstable
 * @since 0.1.0
 */
export const codes = {
  ok: 0,
  failed: 1,
  usage: 64,
  badData: 65,
  unavailable: 69,
  stopped: 75,
  configuration: 78,
  forcedByInterrupt: 130,
  forcedByTermination: 143
} as const

// Total over the errors: a new one does not compile until it has a code.
const byTag = {
  DuplicateOption: codes.usage,
  InvalidValue: codes.usage,
  MissingArgument: codes.usage,
  MissingOption: codes.usage,
  ShowHelp: codes.usage,
  UnexpectedArgument: codes.usage,
  UnknownSubcommand: codes.usage,
  UnrecognizedOption: codes.usage,
  UserError: codes.usage,
  ValidationError: codes.usage,
  UsageError: codes.usage,
  ManifestInvalid: codes.configuration,
  ManifestUnreadable: codes.configuration,
  ManifestNotText: codes.badData,
  ModuleInvalid: codes.configuration,
  FilesExist: codes.failed,
  DirectoryUnwritable: codes.unavailable,
  RunFailed: codes.failed,
  PayloadsRejected: codes.badData,
  DependencyUnavailable: codes.unavailable,
  AddressUnavailable: codes.unavailable,
  TokenMissing: codes.configuration,
  CredentialsInvalid: codes.configuration
} as const satisfies { readonly [Tag in Exclude<CommandError["_tag"], "CrawlFailed">]: number }

const byReason = {
  BadData: codes.badData,
  Unavailable: codes.unavailable,
  NothingFetched: codes.failed,
  BrokenLinks: codes.failed,
  Stopped: codes.stopped,
  // By SIGINT, with nothing to go on from.
  Interrupted: codes.forcedByInterrupt
} as const satisfies { readonly [Reason in CrawlFailed["reason"]]: number }

/**
 * Gives the exit code of an error.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const of = (error: CommandError): number =>
  error._tag === "CrawlFailed" ? byReason[error.reason] : byTag[error._tag]
