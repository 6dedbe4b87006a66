/**
 * What became of a run, and the usual properties of it.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import * as Trace from "./Trace.ts"

/**
 * How a run ended: the main fiber did, or the simulation ended it.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Ending = "completed" | "deadlock" | "livelock" | "crash"

/**
 * A fiber that was still alive when the main fiber had ended and everything ready had run.
 *
 * **Details**
 *
 * `fiber` is its number in the trace. `wakesAt` is the virtual time, in milliseconds since the run began, of the timer it
 * sleeps on; without one it waits for something that never came. `span` and `stack` are those it was in, when it was in
 * any (`Effect.fn`, `Effect.withSpan`).
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Leftover {
  readonly fiber: number
  readonly span: string | undefined
  readonly wakesAt: number | undefined
  readonly stack: () => string | undefined
}

/**
 * What became of a run.
 *
 * **Details**
 *
 * `exit` is the main fiber's. A run that the simulation ended dies with `Deadlock`, `Livelock` or `Crash`, and `ending` says
 * which. `leftover` are the other fibers still alive; they were interrupted once they were noted (a crash leaves none: it
 * ends everything at once). `steps` counts tasks run, `elapsed` is virtual time, `crashedAt` names the point of a crash, `strategy` is
 * how the seed explored.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Outcome<out A, out E = never> {
  readonly seed: number
  readonly ending: Ending
  readonly exit: Exit.Exit<A, E>
  readonly crashedAt: string | undefined
  readonly leftover: ReadonlyArray<Leftover>
  readonly steps: number
  readonly elapsed: Duration.Duration
  readonly strategy: string
  readonly trace: Trace.Trace
}

/**
 * The property that `Simulation.check` asks for when it is given none: the exit is a success and no fiber is left over.
 *
 * @category properties
 * @stability stable
 * @since 0.1.0
 */
export const succeeds = (outcome: Outcome<unknown, unknown>): boolean =>
  outcome.exit._tag === "Success" && outcome.leftover.length === 0

/**
 * Writes an outcome for a person to read: how it ended, what was left over, and the end of its trace (`last` events, by
 * default 200).
 *
 * @category formatting
 * @stability stable
 * @since 0.1.0
 */
export const format = (
  outcome: Outcome<unknown, unknown>,
  options?: { readonly last?: number | undefined }
): string =>
  [
    `seed ${outcome.seed}: ${outcome.ending}, ${outcome.steps} steps, ${outcome.elapsed}, strategy ${outcome.strategy}, trace ${outcome.trace.digest}`,
    `exit: ${formatExit(outcome.exit)}`,
    ...(outcome.leftover.length === 0 ? [] : [`leftover: ${outcome.leftover.map(formatLeftover).join(", ")}`]),
    "trace:",
    Trace.format(outcome.trace, { last: options?.last ?? 200 })
  ].join("\n")

/**
 * Writes one leftover fiber: its number, its span, and what it waits for.
 *
 * @category formatting
 * @stability stable
 * @since 0.1.0
 */
export const formatLeftover = (leftover: Leftover): string =>
  `#${leftover.fiber}${leftover.span === undefined ? "" : ` in ${leftover.span}`}` +
  (leftover.wakesAt === undefined ? " (waiting)" : ` (asleep until ${leftover.wakesAt} ms)`)

const formatExit = (exit: Exit.Exit<unknown, unknown>): string =>
  exit._tag === "Success" ? `success ${formatValue(exit.value)}` : `failure ${Cause.pretty(exit.cause)}`

const formatValue = (value: unknown): string => {
  const text = String(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
