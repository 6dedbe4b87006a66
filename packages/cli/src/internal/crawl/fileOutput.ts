import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { dirname } from "node:path"
import { UsageError } from "../../CommandFailed.ts"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { badData, unavailable } from "./failure.ts"
import type { PageOutput } from "./pageOutput.ts"
import type { RecordFormat } from "./recordFormat.ts"
import { records } from "./recordStream.ts"

/**
 * Opens a file for pages. One that a crawl has written to is gone on with if that crawl is, and left alone if not; a record at its end that the
 * process could not finish is cut off.
 */
export const open = Effect.fnUntraced(function*(
  path: string,
  format: RecordFormat,
  resumes: boolean
): Effect.fn.Return<PageOutput, CrawlFailed | UsageError, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const failed = (error: PlatformError.PlatformError) => unavailable(`cannot write to ${path}: ${reasonOf(error)}`)

  const file = yield* Effect.andThen(
    fs.makeDirectory(dirname(path), { recursive: true }),
    fs.open(path, { flag: "a+" })
  ).pipe(Effect.mapError(failed))
  const before = yield* Effect.map(Effect.mapError(file.stat, failed), ({ size }) => ByteSize.toBigInt(size))
  if (before > 0n && !resumes) {
    return yield* new UsageError({
      problem:
        `--output: ${path} exists; name another file, remove it, or add --resume to go on with the crawl that wrote it`
    })
  }

  const foreign = (line: number) =>
    badData(`${path}:${line}: expected a page as ${format.name}, as this command writes it; name another --output`)
  const read = Stream.mapError(records(fs.stream(path), format.quotes), failed)
  const headers = format.header === "" ? 0 : 1
  const written = Stream.mapEffect(Stream.drop(Stream.zipWithIndex(read), headers), ([{ text }, index]) => {
    const url = format.urlOf(text)
    return url === undefined ? Effect.fail(foreign(index + 1)) : Effect.succeed(url)
  })

  let size = 0
  if (before > 0n) {
    yield* checkBeginning(fs, path, format).pipe(
      Effect.mapError(failed),
      Effect.filterOrFail((isOurs) => isOurs, () =>
        headers === 0 ? foreign(1) : badData(
          `${path}: expected the columns ${format.header.trim()}; give the same --select as before, or name another --output`
        ))
    )
    size = Option.match(yield* Stream.runLast(read), { onNone: () => 0, onSome: ({ end }) => end })
    if (BigInt(size) < before) {
      yield* Effect.mapError(file.truncate(size), failed)
      yield* Effect.logInfo(`removed an unfinished record of ${before - BigInt(size)} bytes from the end of ${path}`)
    }
  }

  const append = (text: string): Effect.Effect<void, CrawlFailed> => {
    const bytes = new TextEncoder().encode(text)
    return file.writeAll(bytes).pipe(
      // What is there must be whole, also for those who do not go on.
      Effect.onError(() => Effect.ignore(file.truncate(size))),
      Effect.mapError(failed),
      Effect.andThen(Effect.sync(() => {
        size += bytes.length
      })),
      Effect.uninterruptible
    )
  }
  if (size === 0 && headers > 0) yield* append(format.header)
  return { written: before > 0n ? written : undefined, write: (pages) => append(pages.map(format.encode).join("")) }
})

/** Whether the beginning of a file, as far as it goes, is what this format begins with: no other file is to be cut. */
const checkBeginning = (fs: FileSystem.FileSystem, path: string, { header }: RecordFormat) => {
  const expected = new TextEncoder().encode(header === "" ? "{\"url\":\"" : header)
  return fs.stream(path, { bytesToRead: expected.length }).pipe(
    Stream.runFold(() => new Uint8Array(0), (all, chunk) => Buffer.concat([all, chunk])),
    Effect.map((found) => found.every((byte, i) => byte === expected[i]))
  )
}

const reasonOf = (error: PlatformError.PlatformError): string => {
  const { cause } = error.reason
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
  return advices[code] ?? error.message
}

const advices: { readonly [code: string]: string } = {
  EACCES: "permission denied; make it writable for this user, or name another path",
  EISDIR: "it is a directory; name a file",
  ENOSPC: "the disk is full; make room, or name a path elsewhere",
  EROFS: "it may only be read; name another path"
}
