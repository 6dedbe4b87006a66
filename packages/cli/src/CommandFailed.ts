/**
 * What commands may fail with, apart from wrong files.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The arguments do not go together.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/**
 * A TypeScript or JavaScript file could not be imported, or exports no Layer.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class ModuleInvalid extends Schema.TaggedError<ModuleInvalid>()("ModuleInvalid", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.reason}`
  }
}

/**
 * A new project would overwrite files.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class FilesExist extends Schema.TaggedError<FilesExist>()("FilesExist", {
  files: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `these files exist and nothing was touched; name another directory, or remove them:\n${
      this.files.map((file) => `  ${file}`).join("\n")
    }`
  }
}

/**
 * A new project could not be written.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class DirectoryUnwritable extends Schema.TaggedError<DirectoryUnwritable>()("DirectoryUnwritable", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot write to ${this.directory}: ${this.reason}`
  }
}

/**
 * A conveyor did not start, gave up, or, run once, failed.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class RunFailed
  extends Schema.TaggedError<RunFailed>()("RunFailed", { conveyors: Schema.Array(Schema.String) })
{
  override get message(): string {
    return `failed: ${this.conveyors.join(", ")}`
  }
}

/**
 * Run once, a consumer refused what it was given.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class PayloadsRejected extends Schema.TaggedError<PayloadsRejected>()("PayloadsRejected", {
  conveyors: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `payloads were refused: ${this.conveyors.join(", ")}`
  }
}

/**
 * Nothing could start, or what was run once could not be delivered, because something it needs is not there.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class DependencyUnavailable extends Schema.TaggedError<DependencyUnavailable>()("DependencyUnavailable", {
  conveyors: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `something that these need is unavailable: ${this.conveyors.join(", ")}`
  }
}

/**
 * A collector cannot listen where it should.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class AddressUnavailable extends Schema.TaggedError<AddressUnavailable>()("AddressUnavailable", {
  address: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${this.address}: ${this.reason}`
  }
}

/**
 * A collector that other machines can reach has no token.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class TokenMissing extends Schema.TaggedError<TokenMissing>()("TokenMissing", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/**
 * A host of workers has no secret and no certificates where it needs them, or some that cannot be used.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class CredentialsInvalid
  extends Schema.TaggedError<CredentialsInvalid>()("CredentialsInvalid", { problem: Schema.String })
{
  override get message(): string {
    return this.problem
  }
}

/**
 * Why a crawl did not end as it should; `problem` says what to do. `Stopped` has a state to go on from.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class CrawlFailed extends Schema.TaggedError<CrawlFailed>()("CrawlFailed", {
  reason: Schema.Literals(["BadData", "Unavailable", "NothingFetched", "BrokenLinks", "Stopped", "Interrupted"]),
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}

/**
 * What commands may fail with, apart from wrong files.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export type CommandFailed =
  | UsageError
  | ModuleInvalid
  | FilesExist
  | DirectoryUnwritable
  | RunFailed
  | PayloadsRejected
  | DependencyUnavailable
  | AddressUnavailable
  | TokenMissing
  | CredentialsInvalid
  | CrawlFailed
