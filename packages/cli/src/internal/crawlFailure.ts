import * as Data from "effect/Data"
import { codes } from "../ExitCode.ts"

/** What the process ends with, by reason. */
export const codeOf = {
  /** A file is not what it should be. */
  BadData: codes.badData,
  /** The state or the output cannot be used now. */
  Unavailable: codes.unavailable,
  /** Nothing of the start pages could be had. */
  NothingFetched: codes.failed,
  BrokenLinks: codes.failed,
  /** Stopped, with a state to go on from: sysexits' EX_TEMPFAIL. */
  Stopped: 75,
  /** Stopped by SIGINT, with nothing to go on from. */
  Interrupted: codes.forcedByInterrupt
} as const

/** Why a crawl did not end as it should; `problem` says what to do. */
export class CrawlFailure extends Data.TaggedError("CrawlFailure")<{
  readonly reason: keyof typeof codeOf
  readonly problem: string
}> {
  override get message(): string {
    return this.problem
  }
}

export const unavailable = (problem: string): CrawlFailure => new CrawlFailure({ reason: "Unavailable", problem })

export const badData = (problem: string): CrawlFailure => new CrawlFailure({ reason: "BadData", problem })
