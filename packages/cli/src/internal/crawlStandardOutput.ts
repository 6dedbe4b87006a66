import type { PageOutput } from "./crawlPageOutput.ts"
import { ndjson } from "./crawlRecordFormat.ts"
import * as StandardStreams from "./standardStreams.ts"

/** Pages on standard output, as NDJSON. What was printed before cannot be known, so that all is printed again. */
export const standardOutput: PageOutput = {
  written: undefined,
  write: (pages) => StandardStreams.print(pages.map(ndjson.encode).join(""))
}
