import { assert, describe, it } from "@effect/vitest"
import { CollectorPlan, EventSchema, Manifest } from "conveyor"
import { Duration, Effect, Redacted, Result } from "effect"
import { Connectors } from "effect-conveyor-connectors"
import { stringify } from "yaml"
import { collectorKeys, deliveryKeys } from "../src/internal/collectorSchema.ts"
import { decodeCollectors, problemsOf } from "./fixtures.ts"

const full = {
  collectors: {
    shop: {
      listen: "0.0.0.0:9000",
      token: "${TOKEN}",
      schema: "event.json",
      maxBody: "64 KiB",
      autoscale: false,
      minConsumers: 2,
      maxConsumers: 20,
      wipMargin: 0.2,
      monitorInterval: "20ms",
      reportInterval: "1min",
      avgLoadInterval: "30s",
      metricsCollectorWindowSize: "30s",
      eventServiceDataWindowSize: 100,
      metricsWarmupInterval: "1s",
      queueType: "lifo",
      capacity: 100,
      overflow: "dropOldest",
      keyed: { by: "/customer/id", concurrency: 2 },
      consumerShutdownTimeout: "3s",
      consumers: {
        console: null,
        csv: {
          path: "x.csv",
          attempts: 3,
          retry: { minBackoff: "2s", maxBackoff: "1min" },
          batch: { size: 7, wait: "1s" }
        }
      }
    }
  }
}

const withKeys = (keys: string) =>
  `collectors:\n  shop:\n    consumers: { console: {} }\n${keys.split("\n").map((key) => `    ${key}\n`).join("")}`

describe("Manifest with collectors", () => {
  it.effect("reads every key", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(Object.keys(full.collectors.shop).sort(), [...collectorKeys].sort())
      const [plan] = yield* decodeCollectors(stringify(full), { environment: { TOKEN: "s3cret" } })
      const { keyed, ...queue } = plan!.queue
      assert.deepStrictEqual(plan!.listen, { host: "0.0.0.0", port: 9000 })
      assert.strictEqual(Redacted.value(plan!.token!), "s3cret")
      assert.strictEqual(plan!.schema, "event.json")
      assert.strictEqual(plan!.maxBody, 65_536)
      assert.deepStrictEqual(queue, {
        autoscale: false,
        minConsumers: 2,
        maxConsumers: 20,
        wipMargin: 0.2,
        monitorInterval: Duration.millis(20),
        reportInterval: Duration.minutes(1),
        avgLoadInterval: Duration.seconds(30),
        metricsCollectorWindowSize: Duration.seconds(30),
        eventServiceDataWindowSize: 100,
        metricsWarmupInterval: Duration.seconds(1),
        queueType: "lifo",
        capacity: 100,
        overflow: "dropOldest",
        consumerShutdownTimeout: Duration.seconds(3)
      })
      assert.strictEqual(keyed!.concurrency, 2)
      assert.strictEqual(keyed!.by({ customer: { id: "c1" } }), "c1")
      assert.deepStrictEqual(plan!.consumers.map(({ name }) => name), ["console", "csv"])
      assert.deepStrictEqual(plan!.consumers[1]!.lane, {
        attempts: 3,
        backoff: { min: Duration.seconds(2), max: Duration.minutes(1) },
        batch: { size: 7, wait: Duration.seconds(1) }
      })
      assert.notInclude(JSON.stringify(plan!.shown), "s3cret")
      assert.deepStrictEqual(plan!.secrets, ["s3cret"])
    }))

  it.effect("needs no more than a consumer", () =>
    Effect.gen(function*() {
      const [plan] = yield* decodeCollectors("collectors: { a: { consumers: { csv: { path: x.csv } } } }")
      assert.deepStrictEqual(plan!.listen, { host: "127.0.0.1", port: 8080 })
      assert.strictEqual(plan!.maxBody, CollectorPlan.defaults.maxBody)
      assert.isUndefined(plan!.token)
      assert.strictEqual(plan!.check, EventSchema.everything)
      assert.deepStrictEqual(plan!.consumers[0]!.lane.batch, Connectors.consumers["csv"]!.batch)
    }))

  it.effect("names fields by pointer or by dots; events without them share a key", () =>
    Effect.gen(function*() {
      const by = (path: string) =>
        Effect.map(decodeCollectors(withKeys(`keyed: { by: ${path} }`)), ([plan]) => plan!.queue.keyed!.by)
      const event = { customer: { "a/b": 1, id: 2 }, "x.y": 3, list: [4] }
      assert.strictEqual((yield* by("/customer/a~1b"))(event), 1)
      assert.strictEqual((yield* by("customer.id"))(event), 2)
      assert.strictEqual((yield* by("/x.y"))(event), 3)
      assert.strictEqual((yield* by("list.0"))(event), 4)
      for (const [path, other] of [["a.b", { a: 1 }], ["a.b", null], ["toString", {}], ["a", "text"]] as const) {
        assert.isUndefined((yield* by(path))(other))
      }
    }))

  it.effect("tells everything that is wrong, with its place", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* problemsOf(
          `collectors:
  shop:
    listen: 8080
    maxBody: 0 B
    minConsumrs: 2
    wipMargin: 2
    metricsCollectorWindowSize: 1s
    queueType: priority
    token: "a b"
    keyed: { concurrency: 1 }
    consumers:
      csv: { path: x.csv, capacity: 5 }
      console: { batch: { size: 5 } }
  open:
    listen: 0.0.0.0:80
    minConsumers: 5
    maxConsumers: 4
    consumers: { console: {} }
  bare: {}
`
        ),
        [
          "c.yaml:3:13: collectors.shop.listen: expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, found 8080",
          "c.yaml:4:14: collectors.shop.maxBody: expected a size such as \"1 MB\" or \"64 KiB\", found \"0 B\"",
          "c.yaml:5:5: collectors.shop: unknown key `minConsumrs`, did you mean `minConsumers`?",
          "c.yaml:6:16: collectors.shop.wipMargin: expected a share from 0 to 1, found 2",
          "c.yaml:7:33: collectors.shop.metricsCollectorWindowSize: expected at least 5 seconds, found \"1s\"",
          "c.yaml:8:16: collectors.shop.queueType: expected \"fifo\" or \"lifo\", found \"priority\"",
          "c.yaml:9:12: collectors.shop.token: expected a text that is not empty, without spaces, found <redacted>",
          "c.yaml:10:5: collectors.shop.keyed.by: is missing",
          "c.yaml:12:27: collectors.shop.consumers.csv.capacity: belongs to the collector, whose queue all its consumers share; move it there, or remove it",
          "c.yaml:13:18: collectors.shop.consumers.console.batch: does not go with `console`, which takes one payload at a time; remove it",
          "c.yaml:15:13: collectors.open.listen: 0.0.0.0:80 can be reached from other machines, so it needs a token; or listen on 127.0.0.1",
          "c.yaml:17:19: collectors.open.maxConsumers: expected at least minConsumers (5), found 4",
          "c.yaml:19:3: collectors.bare.consumers: names no consumer; add one, such as `console: {}`"
        ]
      )
    }))

  it.effect("wants conveyors or collectors, and tables of them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* problemsOf("x-note: 1"), [
        "c.yaml:1:1: names nothing to run; add `conveyors`, for `conveyor run`, or `collectors`, for `conveyor collect`"
      ])
      assert.deepStrictEqual(yield* problemsOf("collectors: {}"), [
        "c.yaml:1:13: collectors: expected a table of collectors by name"
      ])
      assert.deepStrictEqual(yield* problemsOf("collectors: { \"a b\": { consumers: { console: {} } } }"), [
        "c.yaml:1:15: collectors: \"a b\" cannot name a collector; use up to 64 letters, digits, `_`, `-` and `.`"
      ])
    }))

  it.effect("refuses a name that another file has", () =>
    Effect.gen(function*() {
      const load = (file: string) =>
        Effect.result(
          Manifest.decode({ file, format: "yaml", text: withKeys("maxBody: 1 MB"), environment: {} })
        )
      const both = Manifest.combine([yield* load("a.yaml"), yield* load("b.yaml")])
      assert.isTrue(Result.isFailure(both))
      assert.include(
        Result.isFailure(both) ? both.failure.message : "",
        "b.yaml:1:1: collectors.shop: the name `shop` is taken by a collector in a.yaml"
      )
    }))

  it("leaves a consumer the keys of delivery alone", () => {
    assert.deepStrictEqual([...deliveryKeys].sort(), ["attempts", "batch", "retry"])
  })
})
