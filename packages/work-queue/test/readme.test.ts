import { assert, describe, it } from "@effect/vitest"
import { Crew, FlowMetrics, WorkQueue } from "effect-work-queue"
import { readFileSync } from "node:fs"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")

describe("README", () => {
  for (
    const [module, defaults] of Object.entries({ WorkQueue, Crew, FlowMetrics }).map(([name, { defaults }]) =>
      [name, defaults] as const
    )
  ) {
    it(`states the defaults of ${module}`, () => {
      const section = readme.split("\n### ").find((text) => text.startsWith(module))!
      for (const [option, value] of Object.entries(defaults)) {
        const row = section.split("\n").find((line) => line.startsWith(`| \`${option}\``))
        assert.include(row, `\`${JSON.stringify(value)}\``, option)
      }
    })
  }
})
