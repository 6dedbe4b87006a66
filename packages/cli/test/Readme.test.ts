import { assert, describe, it } from "@effect/vitest"
import { ExitCode } from "conveyor"
import { Effect } from "effect"
import { Conveyor, Lane, Supervisor } from "effect-conveyor"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import { conveyorKeys, laneKeys } from "../src/internal/conveyorSchema.ts"
import { decode } from "./fixtures.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
const file = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!

describe("README", () => {
  it.effect("shows a file that is valid and has every key", () =>
    Effect.gen(function*() {
      yield* decode(file)
      const { host } = parse(file).conveyors
      const commented = [...file.matchAll(/# (\w+):/g)].map(([, key]) => key!)
      assert.deepStrictEqual([...Object.keys(host), ...commented].sort(), [...conveyorKeys].sort())
      const { path: _, type: __, ...lane } = host.consumers.history
      assert.deepStrictEqual(Object.keys(lane).sort(), [...laneKeys].sort())
    }))

  it.effect("shows the defaults that hold", () =>
    Effect.gen(function*() {
      const [plan] = yield* decode(file)
      const [bare] = yield* decode(
        "conveyors: { host: { every: 30s, producer: { type: host }, consumers: { console: {}, history: { type: csv, path: data/host.csv } } } }"
      )
      assert.deepStrictEqual(plan!.cadence, bare!.cadence)
      assert.deepStrictEqual(plan!.missedTicks, bare!.missedTicks)
      assert.deepStrictEqual(plan!.drainTimeout, bare!.drainTimeout)
      assert.deepStrictEqual(plan!.consumers[1]!.lane.batch?.size, bare!.consumers[1]!.lane.batch?.size)
      const { history } = parse(file).conveyors.host.consumers
      assert.deepStrictEqual(
        [history.capacity, history.overflow, history.attempts, history.concurrency],
        [Lane.defaults.capacity, Lane.defaults.overflow, Lane.defaults.attempts, Lane.defaults.concurrency]
      )
      const { restart } = parse(file).conveyors.host
      assert.deepStrictEqual(
        [restart.after, restart.maxRestarts],
        [Supervisor.defaults.after, Supervisor.defaults.maxRestarts]
      )
      assert.strictEqual(Conveyor.defaults.drainTimeout, "10 seconds")
    }))

  it("lists every exit code", () => {
    for (const code of Object.values(ExitCode.codes)) {
      assert.match(readme, new RegExp(`^\\| .*\\b${code}\\b.* \\|`, "m"))
    }
  })
})
