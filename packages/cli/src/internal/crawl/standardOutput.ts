import * as StandardStreams from "../standardStreams.ts"
import type { PageOutput } from "./pageOutput.ts"
import { ndjson } from "./recordFormat.ts"

/** Pages on standard output, as NDJSON. What was printed before cannot be known, so that all is printed again. */
export const standardOutput: PageOutput = {
  written: undefined,
  write: (pages) => StandardStreams.print(pages.map(ndjson.encode).join(""))
}
