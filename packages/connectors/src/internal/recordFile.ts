import * as Consumer from "effect-conveyor/Consumer"
import * as ByteSize from "effect/ByteSize"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Path from "node:path"
import { FileError } from "../FileError.ts"

/** Where, from the start of a file, the last complete record ends. */
export type FindEnd = (file: FileSystem.File, size: bigint) => Effect.Effect<bigint, PlatformError.PlatformError>

export interface Options {
  readonly path: string
  readonly rotate: Rotation | undefined
  readonly flush: "each" | "close"
  readonly findEnd: FindEnd
}

interface Rotation {
  readonly size?: ByteSize.Input | undefined
  readonly every?: "day" | undefined
}

/** The file as it is now; a new object whenever another file took its place, or this one was emptied. */
export interface Current {
  readonly file: FileSystem.File
  readonly dev: bigint
  readonly ino: Option.Option<bigint>
  readonly scope: Scope.Closeable
  /** Up to where the file is known to be good. */
  size: bigint
  /** When its last record was due, or as far as known, written. */
  lastAt: number
  /** A failed append may have left bytes past `size`. */
  torn: boolean
}

interface RecordFile {
  /** Gives the file to append to for a tick due at that time, made or rotated if need be. */
  readonly prepare: (dueAt: number) => Effect.Effect<Current, FileError>
  /** Sets the file aside and gives a new one. */
  readonly rotate: (current: Current) => Effect.Effect<Current, FileError>
  /** Appends text whole or not at all. */
  readonly append: (current: Current, text: string, dueAt: number) => Effect.Effect<void, FileError>
}

/**
 * Opens a file of records for appending, making the directories above it.
 *
 * An append that fails midway is undone by cutting the file back, now or before the next append, so that what is acknowledged is
 * exactly what the file holds. What follows the last complete record when a file is opened is a record that a crash cut off:
 * it was never acknowledged, and goes.
 */
export const open = Effect.fnUntraced(function*(options: Options) {
  const fs = yield* FileSystem.FileSystem
  const { path } = options
  const outer = yield* Effect.scope
  const failWith = (operation: string) => (cause: PlatformError.PlatformError) =>
    new FileError({ operation, path, cause })

  const openCurrent = Effect.fnUntraced(
    function*(scope: Scope.Closeable) {
      yield* fs.makeDirectory(Path.dirname(path), { recursive: true })
      const file = yield* Scope.provide(fs.open(path, { flag: "a+" }), scope)
      const info = yield* file.stat
      if (info.type !== "File") {
        return yield* PlatformError.badArgument({
          module: "FileSystem",
          method: "open",
          description: `it is a ${info.type}, not a regular file`
        })
      }
      const size = ByteSize.toBigInt(info.size)
      const end = size === 0n ? 0n : yield* options.findEnd(file, size)
      if (end < size) {
        yield* file.truncate(Number(end))
        yield* Effect.logWarning(`removed an unfinished record of ${size - end} bytes from the end of ${path}`)
      }
      yield* Scope.addFinalizer(scope, Effect.ignore(file.sync))
      const lastAt = Option.match(info.mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
      const current: Current = { file, dev: info.dev, ino: info.ino, scope, size: end, lastAt, torn: false }
      return current
    },
    // A file that failed to open fully must not stay open until the consumer ends.
    (effect, scope) => Effect.onExit(effect, (exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)
  )

  const openNext = Effect.uninterruptible(
    Effect.flatMap(Scope.fork(outer), openCurrent).pipe(Effect.mapError(failWith("open")))
  )

  const replace = (old: Current) =>
    Effect.uninterruptible(
      Effect.map(Effect.andThen(Scope.close(old.scope, Exit.void), openNext), (next) => current = next)
    )

  let current = yield* openNext.pipe(Effect.mapError((error) => isHopeless(error) ? rejected(error) : error))

  const rotate = (old: Current): Effect.Effect<Current, FileError> =>
    Effect.gen(function*() {
      yield* fs.rename(path, yield* freeName(fs, path, old.lastAt)).pipe(Effect.mapError(failWith("rotate")))
      return yield* replace(old)
    }).pipe(Effect.uninterruptible)

  const prepare = Effect.fnUntraced(function*(dueAt: number) {
    const info = yield* fs.stat(path).pipe(
      Effect.asSome,
      Effect.catchIf(isNotFound, () => Effect.succeedNone),
      Effect.mapError(failWith("append to"))
    )
    const size = Option.map(info, (info) => ByteSize.toBigInt(info.size))
    if (Option.isNone(info) || Option.isNone(size) || !isSame(info.value, current)) return yield* replace(current)
    // Shorter than we left it: someone emptied or cut it, and where its last record ends has to be found again.
    if (size.value < current.size) return yield* replace(current)
    if (current.torn) yield* mend(current).pipe(Effect.mapError(failWith("append to")))
    // Longer: someone else appends too, and theirs is not ours to cut off.
    else current.size = size.value
    return isRotationDue(options.rotate, current, dueAt) ? yield* rotate(current) : current
  })

  const append = (current: Current, text: string, dueAt: number) =>
    Effect.gen(function*() {
      const bytes = new TextEncoder().encode(text)
      current.torn = true
      yield* current.file.writeAll(bytes).pipe(
        Effect.andThen(options.flush === "each" ? current.file.sync : Effect.void),
        // Failing to mend now leaves it to the next `prepare`; the append's own error is what the caller needs.
        Effect.onError(() => Effect.ignore(mend(current)))
      )
      current.torn = false
      current.size += BigInt(bytes.length)
      current.lastAt = dueAt
    }).pipe(Effect.mapError(failWith("append to")), Effect.uninterruptible)

  const file: RecordFile = { prepare, rotate, append }
  return file
})

const mend = (current: Current) =>
  Effect.map(current.file.truncate(Number(current.size)), () => {
    current.torn = false
  })

const isSame = (info: FileSystem.File.Info, current: Current): boolean =>
  info.dev === current.dev && Option.getOrUndefined(info.ino) === Option.getOrUndefined(current.ino)

const isNotFound = (error: PlatformError.PlatformError) => error.reason._tag === "NotFound"

const isRotationDue = (rotate: Rotation | undefined, current: Current, dueAt: number): boolean =>
  rotate !== undefined && current.size > 0n && (
    (rotate.size !== undefined && current.size >= ByteSize.fromInputUnsafe(rotate.size)) ||
    (rotate.every === "day" && day(dueAt) > day(current.lastAt))
  )

const day = (millis: number): number => Math.floor(millis / 86_400_000)

/** `data.csv` becomes `data-2026-11-20T235955000Z.csv`, the time of its last record: names sort by time. */
const freeName = Effect.fnUntraced(function*(fs: FileSystem.FileSystem, path: string, lastAt: number) {
  const { dir, ext, name } = Path.parse(path)
  const stem = `${name}-${DateTime.formatIso(DateTime.makeUnsafe(lastAt)).replaceAll(/[:.]/g, "")}`
  for (let n = 1;; n++) {
    const free = Path.join(dir, `${stem}${n === 1 ? "" : `_${n}`}${ext}`)
    if (!(yield* fs.exists(free).pipe(Effect.orElseSucceed(() => false)))) return free
  }
})

/** Trying again cannot help until someone changes the path or its permissions. */
const isHopeless = (error: FileError): boolean =>
  error.cause.reason._tag === "BadArgument" || hopeless.has(error.code ?? "")

const hopeless: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EISDIR",
  "ENOENT",
  "ENOTDIR",
  "EEXIST",
  "ELOOP",
  "EROFS",
  "ENAMETOOLONG",
  "EINVAL"
])

const rejected = (error: FileError) => new Consumer.Rejected({ reason: error.message, cause: error })
