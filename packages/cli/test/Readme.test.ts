import { assert, describe, it } from "@effect/vitest"
import { ExitCode } from "conveyor"
import { Duration, Effect } from "effect"
import { CollectorQueue } from "effect-collector"
import { Conveyor, Lane, Supervisor } from "effect-conveyor"
import { readdirSync, readFileSync } from "node:fs"
import { parse } from "yaml"
import { collectorKeys, deliveryKeys } from "../src/internal/collectorSchema.ts"
import { conveyorKeys, laneKeys } from "../src/internal/conveyorSchema.ts"
import { maxLevels } from "../src/internal/eventText.ts"
import { maxReceipts } from "../src/internal/postLines.ts"
import { remembered } from "../src/internal/receiptBook.ts"
import { decode, decodeCollectors } from "./fixtures.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
const [file, collectors] = Array.from(readme.matchAll(/```yaml\n([\s\S]*?)```/g), ([, text]) => text!) as [
  string,
  string
]

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

  it.effect("shows a file of collectors that is valid and has every key, with the defaults that hold", () =>
    Effect.gen(function*() {
      const [plan] = yield* decodeCollectors(collectors)
      const { shop } = parse(collectors).collectors
      const commented = [...collectors.matchAll(/# (\w+): [^ ]/g)].map(([, key]) => key!)
      assert.deepStrictEqual([...Object.keys(shop), ...commented].sort(), [...collectorKeys].sort())
      const { path: _, table: __, type: ___, ...delivery } = shop.consumers.archive
      assert.deepStrictEqual(Object.keys(delivery).sort(), [...deliveryKeys].sort())

      const [bare] = yield* decodeCollectors(
        "collectors: { shop: { consumers: { sqlite: { path: a.db, table: t } } } }"
      )
      assert.deepStrictEqual(plan!.listen, bare!.listen)
      assert.strictEqual(plan!.maxBody, bare!.maxBody)
      assert.strictEqual(plan!.consumers[1]!.lane.batch!.size, bare!.consumers[0]!.lane.batch!.size)
      for (const [key, value] of Object.entries(plan!.queue)) {
        const fallback = CollectorQueue.defaults[key as keyof typeof CollectorQueue.defaults]
        if (Duration.isDuration(value)) {
          assert.deepStrictEqual(value, Duration.fromInputUnsafe(fallback as Duration.Input), key)
        } else assert.strictEqual(value, fallback, key)
      }
      assert.deepStrictEqual(
        [delivery.attempts, delivery.retry],
        [Lane.defaults.attempts, { minBackoff: "1s", maxBackoff: "1min" }]
      )
    }))

  it("lists every status that is answered, and no other", () => {
    const listed = [...readme.matchAll(/^\| (\d{3}) {4}\|/gm)].map(([, status]) => Number(status))
    const sources = readdirSync(new URL("../src/internal", import.meta.url))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(new URL(`../src/internal/${name}`, import.meta.url), "utf8")).join("")
    const answered = [...sources.matchAll(/\bstatus: (?:wait \? (\d{3}) : )?(\d{3})\b/g)].flatMap(([, ...codes]) =>
      codes.filter((code) => code !== undefined).map(Number)
    )
    assert.deepStrictEqual(listed, [...new Set(answered)].sort())
  })

  it("states the bounds that hold", () => {
    assert.include(readme, `The latest ${remembered.toLocaleString("en").replace(",", " ")} settled receipts`)
    assert.include(readme, `Up to ${maxReceipts} receipts`)
    assert.include(readme, `up\nto ${maxLevels} levels`)
  })

  it("lists every exit code", () => {
    for (const code of Object.values(ExitCode.codes)) {
      assert.match(readme, new RegExp(`^\\| .*\\b${code}\\b.* \\|`, "m"))
    }
  })
})
