import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import type { UsageError } from "../CommandFailed.ts"
import type { Destination } from "./crawlDestination.ts"
import type { CrawlFailure } from "./crawlFailure.ts"
import * as FileOutput from "./crawlFileOutput.ts"
import type { PageOutput } from "./crawlPageOutput.ts"
import { csv, ndjson } from "./crawlRecordFormat.ts"
import { standardOutput } from "./crawlStandardOutput.ts"

/** Opens what pages are written to; nothing where nobody wants them. */
export const openOutput = (
  destination: Destination,
  selectors: ReadonlyArray<string>,
  resumes: boolean
): Effect.Effect<PageOutput | undefined, CrawlFailure | UsageError, FileSystem.FileSystem | Scope.Scope> => {
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
            Effect.promise(() => import("./crawlSqliteOutput.ts")),
            ({ open }) => open(destination.path, selectors)
          )
      }
  }
}
