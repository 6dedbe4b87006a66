import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import type { CrawlFailed, UsageError } from "../../CommandFailed.ts"
import type { Destination } from "./destination.ts"
import * as FileOutput from "./fileOutput.ts"
import type { PageOutput } from "./pageOutput.ts"
import { csv, ndjson } from "./recordFormat.ts"
import { standardOutput } from "./standardOutput.ts"

/** Opens what pages are written to; nothing where nobody wants them. */
export const openOutput = (
  destination: Destination,
  selectors: ReadonlyArray<string>,
  resumes: boolean
): Effect.Effect<PageOutput | undefined, CrawlFailed | UsageError, FileSystem.FileSystem | Scope.Scope> => {
  switch (destination._tag) {
    case "None":
      return Effect.undefined
    case "StandardOutput":
      return Effect.succeed(standardOutput)
    case "File":
      switch (destination.format) {
        case "ndjson":
          return FileOutput.open(destination.path, ndjson, resumes)
        case "csv":
          return FileOutput.open(destination.path, csv(selectors), resumes)
        case "sqlite":
          // Loaded when it is used: other outputs need no database.
          return Effect.flatMap(
            Effect.promise(() => import("./sqliteOutput.ts")),
            ({ open }) => open(destination.path, selectors)
          )
      }
  }
}
