/**
 * What is told about a collector when it ends, and the verdict on it.
 *
 * @since 0.1.0
 */
import type { ShutDownReport } from "effect-collector/MessageBus"
import type { CollectorPlan } from "./CollectorPlan.ts"
import { RunFailed } from "./CommandFailed.ts"
import { paint } from "./internal/color.ts"

/**
 * How a collector ended.
 *
 * **Details** `accepted` counts events; `consumers` tells of each what became of them. `Unsettled` did not end within its
 * `consumerShutdownTimeout` and a grace of three seconds, and is left to itself.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Outcome =
  | {
    readonly _tag: "Ended"
    readonly plan: CollectorPlan
    readonly accepted: number
    readonly consumers: ReadonlyArray<ConsumerCounts>
    readonly report: ShutDownReport
  }
  | { readonly _tag: "Unsettled"; readonly plan: CollectorPlan }

/**
 * What became of the events at one consumer.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface ConsumerCounts {
  readonly name: string
  readonly delivered: number
  readonly failed: number
}

/**
 * Renders how a collector ended: its events, and what became of them at each consumer.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const render = (outcome: Outcome): string => {
  const name = paint("bold", outcome.plan.name)
  if (outcome._tag === "Unsettled") return `${name}: did not end in time`
  const { accepted, consumers, plan } = outcome
  const dropped = droppedOf(outcome)
  const width = Math.max(0, ...consumers.map(({ name }) => name.length))
  const lines = consumers.map((counts) => {
    const path = plan.consumers.find((consumer) => consumer.name === counts.name)?.path
    const { delivered, failed } = counts
    const left = `${accepted - dropped - delivered - failed} left`
    return `  ${counts.name.padEnd(width)}  ${delivered} delivered, ${failed} failed, ${left}${
      path === undefined ? "" : `  → ${path}`
    }`
  })
  const head = `${accepted} event${accepted === 1 ? "" : "s"} accepted${dropped > 0 ? `, ${dropped} dropped` : ""}`
  return [`${name}: ${head}`, ...lines].join("\n")
}

/**
 * Gives an ended collector as data.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const toJson = (outcome: Outcome): object => {
  const { file, name } = outcome.plan
  if (outcome._tag === "Unsettled") return { file, collector: name, outcome: "unsettled" }
  const { accepted } = outcome
  const dropped = droppedOf(outcome)
  return {
    file,
    collector: name,
    outcome: "ended",
    accepted,
    dropped,
    consumers: outcome.consumers.map((counts) => ({
      ...counts,
      left: accepted - dropped - counts.delivered - counts.failed
    }))
  }
}

/**
 * Gives the error with which the command ends, if any: `RunFailed` when a collector did not end in time. As with conveyors, what was left
 * after the timeout is told and is no failure.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const verdict = (outcomes: ReadonlyArray<Outcome>): RunFailed | undefined => {
  const unsettled = outcomes.filter(({ _tag }) => _tag === "Unsettled").map(({ plan }) => plan.name)
  return unsettled.length > 0 ? new RunFailed({ conveyors: unsettled }) : undefined
}

/** What an overflow of `dropOldest` took out of the queue again. */
const droppedOf = ({ accepted, report }: Extract<Outcome, { readonly _tag: "Ended" }>): number =>
  accepted - report.settled - report.interrupted - report.left - report.abandoned
