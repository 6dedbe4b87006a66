import { assert, describe, it } from "@effect/vitest"
import { ExitCode } from "conveyor"
import type { Run } from "../../src/internal/crawl/run.ts"
import { empty } from "../../src/internal/crawl/tally.ts"
import { verdict } from "../../src/internal/crawl/verdict.ts"

const finished: Omit<Run, "left" | "millis"> = {
  ending: "finished",
  stoppedBy: undefined,
  tally: { ...empty, pages: 2, byStatus: new Map([[2, 1], [5, 1]]) },
  links: undefined
}

const codeFor = (run: Partial<typeof finished>, resume?: string): number => {
  const failure = verdict({ ...finished, ...run }, resume)
  return failure === undefined ? 0 : ExitCode.of(failure)
}

const broken = (verdict: "broken" | "unclear") => ({
  targets: 1,
  unchecked: 0,
  broken: [{ url: "https://example.org/", verdict, status: 404, detail: "", places: [] }]
})

describe("verdict", () => {
  it("is none on a crawl that has finished, also where pages could not be had", () => {
    assert.strictEqual(codeFor({}), 0)
    assert.strictEqual(codeFor({}, "conveyor crawl"), 0)
    assert.strictEqual(codeFor({ stoppedBy: "SIGINT" }), 0)
    assert.strictEqual(codeFor({ tally: empty }), 0)
    assert.strictEqual(codeFor({ tally: { ...empty, pages: 1, byStatus: new Map([[3, 1]]) } }), 0)
  })

  it("is 1 where not one page could be had", () => {
    assert.strictEqual(codeFor({ tally: { ...empty, pages: 1, byStatus: new Map([[4, 1]]) } }), 1)
    const failure = verdict({ ...finished, tally: { ...empty, pages: 2, byReason: new Map([["UnknownHost", 2]]) } }, "")
    assert.include(failure!.message, "(UnknownHost)")
  })

  it("is 1 where links are broken, and not where that is unclear", () => {
    assert.strictEqual(codeFor({ links: broken("broken") }), 1)
    assert.strictEqual(codeFor({ links: broken("unclear") }), 0)
  })

  it("goes, on a crawl that was stopped, by whether it can go on, and by the signal where it cannot", () => {
    for (const ending of ["stopped", "interrupted"] as const) {
      for (const stoppedBy of ["SIGINT", "SIGTERM", "SIGHUP", undefined] as const) {
        assert.strictEqual(codeFor({ ending, stoppedBy }, "conveyor crawl --resume"), 75)
        assert.strictEqual(codeFor({ ending, stoppedBy }), stoppedBy === "SIGINT" ? 130 : 0)
      }
    }
    assert.include(verdict({ ...finished, ending: "stopped" }, "conveyor --resume")!.message, "\n  conveyor --resume")
  })
})
