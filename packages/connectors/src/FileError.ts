/**
 * What may go wrong with a file.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as PlatformError from "effect/PlatformError"

/**
 * An operation on a file failed.
 *
 * **Details** `operation` is a verb: `open`, `append to`, `rotate`, `read`. `code` is the system's, such as `ENOSPC`, when it gave one.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class FileError extends Data.TaggedError("FileError")<{
  readonly operation: string
  readonly path: string
  readonly cause: PlatformError.PlatformError
}> {
  get code(): string | undefined {
    return codeOf(this.cause)
  }
  override get message(): string {
    return `cannot ${this.operation} ${this.path}: ${describe(this.cause)}`
  }
}

const codeOf = (error: PlatformError.PlatformError): string | undefined => {
  const cause = error.reason.cause
  return typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined
}

const describe = (error: PlatformError.PlatformError): string => {
  const code = codeOf(error)
  return (code === undefined ? undefined : texts[code]) ?? code ?? error.message
}

const texts: { readonly [code: string]: string } = {
  EACCES: "permission denied; make it accessible to this user, or name another path",
  EPERM: "the system does not permit it; make it accessible to this user, or name another path",
  EISDIR: "it is a directory; name a file",
  ENOENT: "it does not exist",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EEXIST: "a part of its path is a file, not a directory",
  ENOTDIR: "a part of its path is a file, not a directory",
  ELOOP: "its symbolic links go round in a circle",
  EROFS: "the file system is read-only; name another path",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "this process has too many files open",
  EIO: "the device failed (EIO)"
}
