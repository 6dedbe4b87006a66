import type { CrawlStoreError } from "effect-crawler/CrawlStoreError"
import type * as SqlError from "effect/sql/SqlError"
import { badData, type CrawlFailure, unavailable } from "./crawlFailure.ts"

/** Says what is wrong with a state that was open. */
export const storeFailure = (error: CrawlStoreError | SqlError.SqlError): CrawlFailure => {
  const problem = `--state: ${error.message}`
  return error._tag === "CrawlStoreError" && error.reason === "Incompatible" ? badData(problem) : unavailable(problem)
}
