import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import { type ManifestError, ManifestInvalid, ManifestNotText, ManifestUnreadable } from "../ManifestError.ts"
import { maxBytes, tooLarge } from "../ManifestFile.ts"

/** Reads a file of text, or says what is wrong with it; `missing` is what to say and do where there is none. */
export const readText = Effect.fnUntraced(function*(
  file: string,
  missing: string
): Effect.fn.Return<string, ManifestError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.gen(function*() {
    const { size } = yield* fs.stat(file)
    // Not to be read at all: it may be a device without an end.
    return size > BigInt(maxBytes) ? undefined : yield* fs.readFile(file)
  }).pipe(Effect.mapError((error) => new ManifestUnreadable({ file, reason: reasonOf(error, missing) })))
  if (bytes === undefined || bytes.length > maxBytes) {
    return yield* new ManifestInvalid({ problems: [{ file, line: 1, column: 1, path: "", message: tooLarge }] })
  }
  return yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new ManifestNotText({ file })
  })
})

const reasonOf = (error: PlatformError.PlatformError, missing: string): string => {
  switch (error.reason._tag) {
    case "NotFound":
      return missing
    case "PermissionDenied":
      return "permission denied; make it readable for this user"
    default:
      return error.message
  }
}
