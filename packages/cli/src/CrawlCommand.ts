/**
 * `conveyor crawl`: crawls sites, and writes down their pages.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { flags } from "./internal/crawl/flags.ts"

/**
 * The command.
 *
 * **Details**
 *
 * Standard output carries pages as NDJSON, where they go nowhere else and it is no terminal; the report of `--check-links`; with `-o ndjson` what
 * the crawl tells; with `-o json` one document about how it ended. With `--state` an output is a projection of the state: whatever ends the process, every
 * page stands in it once when the crawl has been gone on with to its end.
 *
 * @category commands
 * @stability unstable
 * @since 0.1.0
 */
export const command = Command.make("crawl", flags, (input) =>
  Effect.flatMap(
    // Loaded by this command alone: fetching and parsing take longer to import than other commands take to run.
    Effect.promise(() => import("./internal/crawl/crawl.ts")),
    ({ crawl }) => crawl(input)
  )).pipe(
    Command.withDescription("Crawl sites, and write down their pages"),
    Command.withExamples([
      {
        command: "conveyor crawl https://example.org --output pages.ndjson",
        description: "Write a record of each page"
      },
      {
        command: "conveyor crawl https://example.org --state crawl.db --output pages.csv --resume",
        description: "Go on with a crawl that was stopped, or killed"
      },
      {
        command:
          "conveyor crawl https://example.org/shop/ --scope prefix --select price=.price --select 'image=img.main@src'",
        description: "Take values out of the pages of a folder"
      },
      { command: "conveyor crawl https://example.org --check-links", description: "Report links that lead nowhere" }
    ])
  )
