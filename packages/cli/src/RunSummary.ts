/**
 * What is told about a run when it ends, and the verdict on it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import { DependencyUnavailable, PayloadsRejected, RunFailed } from "./CommandFailed.ts"
import type { Outcome } from "./Fleet.ts"
import { paint } from "./internal/color.ts"

/**
 * Renders how a conveyor ended: its ticks, each consumer's payloads, and where they were written.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const render = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "ModuleEnded":
      return `${paint("bold", outcome.module.file)}: ${outcome.exit._tag === "Success" ? "ended" : "failed"}`
    case "NotStarted":
      return `${paint("bold", outcome.plan.name)}: not started`
    case "Unsettled":
      return `${paint("bold", outcome.plan.name)}: did not end in time`
    case "Ended": {
      const { plan, report: { abandoned, gaveUp, lanes, ticks } } = outcome
      const head = [
        count(ticks.run + ticks.caughtUp, "tick"),
        `${ticks.skipped + ticks.coalesced} missed`,
        ...(ticks.failed > 0 ? [`${ticks.failed} failed`] : []),
        ...(abandoned > 0 ? [`${abandoned} left hanging`] : []),
        ...(gaveUp ? ["gave up"] : [])
      ]
      const width = Math.max(0, ...lanes.map(({ name }) => name.length))
      const lines = lanes.map(({ deadLettered, delivered, dropped, left, name }) => {
        const path = plan.consumers.find((consumer) => consumer.name === name)?.path
        const counts = [
          `${delivered} delivered`,
          `${dropped} dropped`,
          ...(deadLettered > 0 ? [`${deadLettered} given up`] : []),
          `${left} left`
        ]
        return `  ${name.padEnd(width)}  ${counts.join(", ")}${path === undefined ? "" : `  → ${path}`}`
      })
      return [`${paint("bold", plan.name)}: ${head.join(", ")}`, ...lines].join("\n")
    }
  }
}

/**
 * Gives an ended conveyor as data.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const toJson = (outcome: Outcome): object => {
  switch (outcome._tag) {
    case "ModuleEnded":
      return { file: outcome.module.file, outcome: outcome.exit._tag === "Success" ? "ended" : "failed" }
    case "NotStarted":
      return { file: outcome.plan.file, conveyor: outcome.plan.name, outcome: "not started" }
    case "Unsettled":
      return { file: outcome.plan.file, conveyor: outcome.plan.name, outcome: "unsettled" }
    case "Ended": {
      const { name, ...report } = outcome.report
      return { file: outcome.plan.file, conveyor: name, outcome: report.gaveUp ? "gave up" : "ended", ...report }
    }
  }
}

/**
 * Gives the error with which a run ends, if any.
 *
 * **Details**
 *
 * `DependencyUnavailable` when nothing could start. `RunFailed` when one of several did not start, gave up, or did not end. Run once, moreover: `RunFailed` when the
 * one tick failed, `PayloadsRejected` when a consumer refused its payload, `DependencyUnavailable` when the producer could not be set up
 * or a payload not be delivered.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const verdict = (
  outcomes: ReadonlyArray<Outcome>,
  options: { readonly once: boolean; readonly stopped: boolean }
): RunFailed | PayloadsRejected | DependencyUnavailable | undefined => {
  const faults = outcomes.map((outcome) => ({ name: nameOf(outcome), fault: faultOf(outcome, options) }))
  const named = (fault: Fault) => faults.filter((one) => one.fault === fault).map(({ name }) => name)
  if (outcomes.length > 0 && faults.every(({ fault }) => fault === "unavailable")) {
    return new DependencyUnavailable({ conveyors: named("unavailable") })
  }
  const failed = [...named("failed"), ...named("unavailable")]
  if (failed.length > 0) return new RunFailed({ conveyors: failed })
  const rejected = named("rejected")
  return rejected.length > 0 ? new PayloadsRejected({ conveyors: rejected }) : undefined
}

type Fault = "failed" | "unavailable" | "rejected"

const nameOf = (outcome: Outcome): string => outcome._tag === "ModuleEnded" ? outcome.module.file : outcome.plan.name

const faultOf = (
  outcome: Outcome,
  { once, stopped }: { readonly once: boolean; readonly stopped: boolean }
): Fault | undefined => {
  switch (outcome._tag) {
    case "ModuleEnded":
      return outcome.exit._tag === "Failure" ? "failed" : undefined
    case "NotStarted":
      if (stopped && Cause.hasInterruptsOnly(outcome.cause)) return undefined
      return Cause.hasDies(outcome.cause) ? "failed" : "unavailable"
    case "Unsettled":
      return "failed"
    case "Ended": {
      const { gaveUp, lanes, ticks } = outcome.report
      if (!once) return gaveUp ? "failed" : undefined
      if (ticks.failed > 0) return "failed"
      if (gaveUp) return "unavailable"
      if (lanes.some(({ deadLettered }) => deadLettered > 0)) return "rejected"
      return lanes.some(({ left }) => left > 0) ? "unavailable" : undefined
    }
  }
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`
