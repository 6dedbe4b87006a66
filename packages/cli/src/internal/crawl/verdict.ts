import { CrawlFailed } from "../../CommandFailed.ts"
import type { Run } from "./run.ts"

/**
 * What the command fails with, if it does.
 *
 * A crawl that was stopped and can go on is no success, whatever stopped it: who started it is to start it again. One that cannot go on was ended
 * by SIGINT as that signal ends others, and in order by any other.
 */
export const verdict = (
  { ending, links, stoppedBy, tally: { byReason, byStatus, pages } }: Omit<Run, "left" | "millis">,
  resumeCommand: string | undefined
): CrawlFailed | undefined => {
  if (ending !== "finished") {
    if (resumeCommand !== undefined) {
      return new CrawlFailed({ reason: "Stopped", problem: `to go on:\n  ${resumeCommand}` })
    }
    return stoppedBy === "SIGINT"
      ? new CrawlFailed({ reason: "Interrupted", problem: "it cannot go on: with --state FILE it could" })
      : undefined
  }
  const broken = links?.broken.filter(({ verdict }) => verdict === "broken").length ?? 0
  if (broken > 0) {
    return new CrawlFailed({
      reason: "BrokenLinks",
      problem: `${broken} ${broken === 1 ? "link is" : "links are"} broken`
    })
  }
  const isAnswered = [2, 3].some((digit) => byStatus.has(digit))
  return pages === 0 || isAnswered ? undefined : new CrawlFailed({
    reason: "NothingFetched",
    problem: `not one page could be had (${
      [...Array.from(byStatus.keys(), (digit) => `${digit}xx`), ...byReason.keys()].join(", ")
    }); see that the start pages are there`
  })
}
