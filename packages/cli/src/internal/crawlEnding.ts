import * as Effect from "effect/Effect"
import { redactText } from "../Redaction.ts"
import { paint } from "./color.ts"
import { codeOf, type CrawlFailure } from "./crawlFailure.ts"
import { secrets } from "./logging.ts"
import * as StandardStreams from "./standardStreams.ts"

/** Says why a crawl did not end as it should, and ends the process with the code of that. */
export const endWith = ({ message, reason }: CrawlFailure): Effect.Effect<never> =>
  Effect.andThen(
    StandardStreams.printError(
      `${reason === "Stopped" ? message : paint("red", redactText(message, secrets))}\n`
    ),
    Effect.sync(() => process.exit(codeOf[reason]))
  )
