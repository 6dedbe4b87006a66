/**
 * What flows through a queue, under the names of event_collector.
 *
 * The twelve that event_collector has are here with its meaning; the others say how sure one may be of them. They are those
 * of `FlowMetrics`: averages are integrals over the clock, and Little's law checks them.
 *
 * @since 0.1.0
 */
import type { FlowStats, Outcome, TimeStats } from "effect-work-queue/FlowMetrics"

/**
 * A snapshot of a queue's metrics. Times are in milliseconds, rates per second; averages and rates cover
 * `metricsCollectorWindowSize` and are 0 during the warm-up.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface QueueMetrics {
  /** When it was taken, in milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** Events that wait. */
  readonly qsize: number
  /** Consumers at work. */
  readonly busy: number
  /** Consumers there are. */
  readonly consumers: number
  /** Events in the system for each consumer: `(qsize + busy) / consumers`. */
  readonly load: number
  /** The average load over `avgLoadInterval`. */
  readonly avgLoad: number
  /** Mean time from an event's beginning to its end. */
  readonly serviceTime: number
  /** Mean time from an event's arrival to its beginning. */
  readonly waitTime: number
  /** Events accepted per second. */
  readonly arrivalRate: number
  /** Events that left per second. */
  readonly departureRate: number
  /** Average number of events in the system, waiting or being collected. */
  readonly wip: number
  /** Events accepted since the start. */
  readonly eventCount: number
  /** The distribution of service times, over the latest `eventServiceDataWindowSize`. */
  readonly serviceTimes: TimeStats
  /** The distribution of waiting times, over the latest `eventServiceDataWindowSize`. */
  readonly waitTimes: TimeStats
  /** How long the event waiting longest has waited. */
  readonly oldestAge: number
  /** Average share of the consumers that was busy, 0 to 1. */
  readonly utilization: number
  /** Milliseconds until all that is in the system has left, at the present departure rate; `Infinity` if nothing leaves. */
  readonly drainEstimate: number
  /** L − λW: near 0 if the metrics are sound and the flow is steady; growing with a growing backlog. */
  readonly littleResidual: number
  /** Events by how they left. Whether their collectors succeeded is in the results: a collector's failure counts as `failed`. */
  readonly outcomes: Readonly<Record<Outcome, number>>
}

/**
 * Puts what a flow measures under the names of event_collector.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const fromFlow = (
  flow: FlowStats,
  at: { readonly timestamp: number; readonly avgLoad: number }
): QueueMetrics => ({
  timestamp: at.timestamp,
  qsize: flow.depth,
  busy: flow.busy,
  consumers: flow.size,
  load: flow.size === 0 ? 0 : (flow.depth + flow.busy) / flow.size,
  avgLoad: at.avgLoad,
  serviceTime: flow.serviceTime.mean,
  waitTime: flow.waitTime.mean,
  arrivalRate: flow.arrivalRate,
  departureRate: flow.departureRate,
  wip: flow.wip,
  eventCount: flow.arrivals,
  serviceTimes: flow.serviceTime,
  waitTimes: flow.waitTime,
  oldestAge: flow.oldestAge,
  utilization: flow.utilization,
  drainEstimate: flow.drainEstimate,
  littleResidual: flow.littleResidual,
  outcomes: flow.outcomes
})
