import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CollectorQueue, QueueMetrics } from "effect-collector"
import { FlowMetrics } from "effect-work-queue"
import { TestClock } from "effect/testing"

describe("QueueMetrics", () => {
  it.effect("puts what a flow measures under the names of event_collector", () =>
    Effect.gen(function*() {
      const flow = yield* FlowMetrics.make()
      FlowMetrics.resizedUnsafe(flow, 0, 2)
      for (const _ of [1, 2, 3]) FlowMetrics.arrivedUnsafe(flow, 0)
      yield* TestClock.adjust("1 second")
      FlowMetrics.beganUnsafe(flow, 1000, 0)
      FlowMetrics.beganUnsafe(flow, 1000, 0)
      yield* TestClock.adjust("3 seconds")
      FlowMetrics.settledUnsafe(flow, 4000, 1000, "failed")
      const stats = yield* FlowMetrics.stats(flow)
      const metrics = QueueMetrics.fromFlow(stats, { timestamp: 77, avgLoad: 5 })
      assert.deepStrictEqual(metrics, {
        timestamp: 77,
        qsize: 1,
        busy: 1,
        consumers: 2,
        load: 1,
        avgLoad: 5,
        serviceTime: 3000,
        waitTime: 1000,
        arrivalRate: 0.75,
        departureRate: 0.25,
        wip: 3,
        eventCount: 3,
        serviceTimes: stats.serviceTime,
        waitTimes: stats.waitTime,
        oldestAge: stats.oldestAge,
        utilization: 0.75,
        drainEstimate: 8000,
        littleResidual: -0.75,
        outcomes: { succeeded: 0, failed: 1, interrupted: 0, dropped: 0 }
      })
      assert.strictEqual(QueueMetrics.fromFlow({ ...stats, size: 0 }, { timestamp: 0, avgLoad: 0 }).load, 0)
    }))

  it.effect("say how long the oldest has waited, and how long the backlog will take", () =>
    Effect.gen(function*() {
      const queue = yield* CollectorQueue.make("backlog", {
        autoscale: false,
        maxConsumers: 1,
        logging: false,
        metricsWarmupInterval: 0,
        collectors: [() => Effect.sleep("1 second")]
      })
      yield* queue.publisher.sendAll([1, 2, 3, 4, 5, 6])
      yield* TestClock.adjust("3500 millis")
      const metrics = yield* queue.metrics
      assert.strictEqual(metrics.oldestAge, 3500)
      assert.approximately(metrics.drainEstimate, 3 / (3 / 3.5) * 1000, 1e-6)
      assert.strictEqual(metrics.load, 3)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* queue.metrics).oldestAge, 0)
    }))
})
