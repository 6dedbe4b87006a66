import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Scope from "effect/Scope"
import { FileError } from "../FileError.ts"
import { lastLine } from "./recordEnd.ts"

const newline = 0x0a
const quote = 0x22

/** Where reading stands. It outlives the open file, so that a producer that is built anew goes on where it was. */
export interface Position {
  /** The file read; undefined before the first look. */
  file: string | undefined
  offset: number
  /** Inside a record that was too long, whose end is awaited. */
  skipping: boolean
}

const noFile = ""

export const initialPosition = (): Position => ({ file: undefined, offset: 0, skipping: false })

export interface Options {
  readonly path: string
  readonly from: "start" | "end"
  readonly maxBytes: number
  /** Whether a newline inside double quotes belongs to a record. */
  readonly quoting: boolean
}

/** Whole records, in order; none has been passed over until `advance` says so. */
export interface Block {
  readonly file: FileSystem.File
  /** Whether the first record is the first of the file. */
  readonly isFirst: boolean
  readonly records: ReadonlyArray<string>
  /** A single record that is longer than a whole tick may read. */
  readonly tooLong: boolean
  readonly advance: (records: number) => void
}

/**
 * Follows a file by name. A file that is moved away is read to its end before the one in its place is begun; one that shrinks is
 * read again from its start; the last record waits for its line end.
 */
export const open = Effect.fnUntraced(function*(fs: FileSystem.FileSystem, options: Options, position: Position) {
  const { path } = options
  const outer = yield* Effect.scope
  const buffer = new Uint8Array(options.maxBytes)
  let opened: { readonly file: FileSystem.File; readonly id: string; readonly scope: Scope.Closeable } | undefined

  const close = Effect.suspend(() => {
    const scope = opened?.scope
    opened = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  const openPath = Effect.uninterruptible(Effect.gen(function*() {
    const scope = yield* Scope.fork(outer)
    return yield* Effect.gen(function*() {
      const file = yield* Scope.provide(fs.open(path, { flag: "r" }), scope)
      const info = yield* file.stat
      const id = identify(info)
      if (position.file !== id) {
        const isFirstLook = position.file === undefined
        position.offset = isFirstLook && options.from === "end"
          ? Number(yield* lastLine(file, ByteSize.toBigInt(info.size)))
          : 0
        position.skipping = false
        position.file = id
      }
      opened = { file, id, scope }
      return opened
    }).pipe(Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void))
  }))

  const next: Effect.Effect<Block, PlatformError.PlatformError> = Effect.gen(function*() {
    const { file, id } = opened ?? (yield* openPath)
    const named = yield* fs.stat(path).pipe(
      Effect.map(identify),
      Effect.catchIf((error) => error.reason._tag === "NotFound", () => Effect.succeed(noFile))
    )
    const size = Number(ByteSize.toBigInt((yield* file.stat).size))
    if (size < position.offset) {
      position.offset = 0
      position.skipping = false
    }
    const read = yield* fill(file, buffer, position.offset)
    const bytes = buffer.subarray(0, read)
    const isLast = named !== id && position.offset + read >= size
    if (isLast && read === 0) {
      yield* close
      // The system may give the number of a removed file to the next one.
      position.file = noFile
      return yield* next
    }
    const ends = recordEnds(bytes, options.quoting)
    // Nobody will complete the last line of a file that was moved away.
    if (isLast && ends.at(-1) !== read) ends.push(read)
    return makeBlock(file, bytes, ends, position, options.maxBytes)
  })

  // The first look is taken now: what is appended between now and the first tick is news.
  yield* Effect.catchIf(openPath, (error) => error.reason._tag === "NotFound", () =>
    Effect.sync(() => {
      position.file ??= noFile
    })).pipe(Effect.mapError((cause) => new FileError({ operation: "open", path, cause })))

  return next.pipe(Effect.mapError((cause) => new FileError({ operation: "read", path, cause })))
})

const makeBlock = (
  file: FileSystem.File,
  bytes: Uint8Array,
  ends: ReadonlyArray<number>,
  position: Position,
  maxBytes: number
): Block => {
  const { offset, skipping } = position
  if (ends.length === 0) {
    const isFull = bytes.length === maxBytes
    if (isFull) {
      position.offset += bytes.length
      position.skipping = true
    }
    return { file, isFirst: false, records: [], tooLong: isFull && !skipping, advance: () => {} }
  }
  const starts = [0, ...ends.slice(0, -1)]
  const first = skipping ? 1 : 0
  return {
    file,
    isFirst: offset === 0,
    records: starts.slice(first).map((start, i) => decoder.decode(bytes.subarray(start, ends[first + i]))),
    tooLong: false,
    advance: (records) => {
      position.offset = offset + (ends[first + records - 1] ?? 0)
      position.skipping = skipping && first + records === 0
    }
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const fill = Effect.fnUntraced(function*(file: FileSystem.File, buffer: Uint8Array, offset: number) {
  let length = 0
  while (length < buffer.length) {
    const read = yield* file.read(buffer.subarray(length), { position: BigInt(offset + length) })
    if (read === 0) break
    length += read
  }
  return length
})

const recordEnds = (bytes: Uint8Array, quoting: boolean): Array<number> => {
  const ends: Array<number> = []
  let quoted = false
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === newline && !quoted) ends.push(i + 1)
    else if (quoting && bytes[i] === quote) quoted = !quoted
  }
  return ends
}

const identify = (info: FileSystem.File.Info): string => `${info.dev}:${Option.getOrElse(info.ino, () => 0n)}`
