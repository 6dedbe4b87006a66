import type { CrawlStoreError } from "effect-crawler/CrawlStoreError"
import type * as SqlError from "effect/sql/SqlError"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { badData, unavailable } from "./failure.ts"

/** Says what is wrong with a state that was open. */
export const storeFailure = (error: CrawlStoreError | SqlError.SqlError): CrawlFailed => {
  const problem = `--state: ${error.message}`
  return error._tag === "CrawlStoreError" && error.reason === "Incompatible" ? badData(problem) : unavailable(problem)
}
