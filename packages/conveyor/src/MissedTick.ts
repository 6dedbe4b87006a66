/**
 * Pure: what becomes of ticks that fall due while a run is still going.
 *
 * A policy and a plan. Whenever something happened (an instant came due, a run ended) the plan is asked what to do now; it answers with
 * how many due instants are skipped or coalesced and which one runs, and with the state to ask it with next. It holds no fiber and no timer.
 *
 * Every due instant gets exactly one outcome, because the state is a watermark: all instants up to `decided` have theirs, all later
 * ones have none yet. Waiting catch-ups are therefore not stored; they are the due instants above the watermark.
 *
 * @since 0.1.0
 */
import * as Cadence from "./Cadence.ts"

/**
 * Missed ticks are given up; the next run is at the next due instant.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Skip {
  readonly _tag: "Skip"
}

/**
 * One run stands for all missed ticks.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Coalesce {
  readonly _tag: "Coalesce"
}

/**
 * Missed ticks are run afterwards, one after the other.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface CatchUp {
  readonly _tag: "CatchUp"
  readonly max: number | "unbounded"
}

/**
 * Ticks run when they are due, several at once.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Overlap {
  readonly _tag: "Overlap"
  readonly max: number
}

/**
 * What becomes of ticks that fall due while a run is still going.
 *
 * **Details**
 *
 * With an interval of 1 second and one run, at 1 s, that takes 2.5 s while all others take none, runs begin at:
 *
 * | policy | begin (dueAt when it differs) | outcomes of 2 and 3 |
 * |---|---|---|
 * | `skip` | 1, 4, 5 | skipped, skipped |
 * | `coalesce` | 1, 3.5 (3), 4, 5 | coalesced, run |
 * | `catchUp(2)` | 1, 3.5 (2), 3.5 (3), 4, 5 | caught up, caught up |
 * | `catchUp(1)` | 1, 3.5 (3), 4, 5 | skipped, caught up |
 * | `overlap(2)` | 1, 2, 3, 4, 5 | run, run |
 *
 * A tick that is due at the very instant a run ends is on time under every policy.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Policy = Skip | Coalesce | CatchUp | Overlap

/**
 * What became of a due instant; each has exactly one.
 *
 * **Details** `run` began when due (or stands for coalesced ones) and succeeded, `caughtUp` began after a later one was due and succeeded,
 * `failed` is either of them that did not succeed; `skipped` and `coalesced` never began.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Outcome = "run" | "failed" | "skipped" | "coalesced" | "caughtUp"

/**
 * Gives missed ticks up. The next run says how many.
 *
 * @category policies
 * @stability stable
 * @since 0.1.0
 */
export const skip: Skip = { _tag: "Skip" }

/**
 * Runs once, at once, for all missed ticks: due at the latest of them; the others are coalesced into it and counted by it.
 *
 * @category policies
 * @stability stable
 * @since 0.1.0
 */
export const coalesce: Coalesce = { _tag: "Coalesce" }

/**
 * Runs missed ticks at once, one after the other, oldest first, of which at most `max` wait; beyond that the oldest is skipped.
 *
 * **Details** An integer ≥ 1, or `"unbounded"`: waiting ticks take no memory. A producer that is always slower than its interval never
 * catches up under `"unbounded"`, and its ticks grow later and later.
 *
 * **Errors** Throws when `max` is not an integer ≥ 1.
 *
 * @category policies
 * @stability stable
 * @since 0.1.0
 */
export const catchUp = (max: number | "unbounded"): CatchUp => {
  check(max === "unbounded" || isCount(max), "catchUp", `an integer ≥ 1 or "unbounded"`, max)
  return { _tag: "CatchUp", max }
}

/**
 * Runs every tick when it is due, at most `max` at once; when all places are taken the tick is skipped.
 *
 * **Details** An integer ≥ 1. There is no `"unbounded"`: each run is alive, and a producer that hangs would pile them up.
 *
 * **Errors** Throws when `max` is not an integer ≥ 1.
 *
 * @category policies
 * @stability stable
 * @since 0.1.0
 */
export const overlap = (max: number): Overlap => {
  check(isCount(max), "overlap", "an integer ≥ 1", max)
  return { _tag: "Overlap", max }
}

/**
 * What the plan knows between two questions.
 *
 * **Details**
 *
 * - `decided`: every due instant up to and including this one has its outcome or is running.
 * - `running`: runs in flight.
 * - `freeSince`: since when one more run could have begun; instants due before it were missed.
 * - `missed`: due instants without a run of their own since the previous run.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface State {
  readonly decided: number
  readonly running: number
  readonly freeSince: number
  readonly missed: number
}

/**
 * A run that begins now.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface PlannedRun {
  readonly dueAt: number
  /** Due instants without a run of their own since the previous run; under `coalesce` those it stands for. */
  readonly missed: number
  /** Whether it makes up for a missed tick, so that it ends as `caughtUp`. */
  readonly isCatchUp: boolean
}

/**
 * What to do now.
 *
 * **Details** `run`, when there is one, is already counted as running in `state`. `again` says that the plan has more to decide and is
 * to be asked again at once, for it decides at most one run, and a bounded number of instants, at a time.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Decision {
  readonly state: State
  readonly skipped: number
  readonly coalesced: number
  readonly run: PlannedRun | undefined
  readonly again: boolean
}

/**
 * Gives the state of a conveyor whose first tick is due at `firstDueAt`.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const start = (firstDueAt: number): State => ({
  decided: firstDueAt - 1,
  running: 0,
  freeSince: -Infinity,
  missed: 0
})

/**
 * Takes note that a run ended at `now`; the plan is to be asked again afterwards.
 *
 * @category transitions
 * @stability stable
 * @since 0.1.0
 */
export const ended = (policy: Policy, state: State, now: number): State => ({
  ...state,
  running: state.running - 1,
  freeSince: state.running >= placesOf(policy) ? now : state.freeSince
})

/**
 * Decides what is due at `now` and not yet decided.
 *
 * **Details**
 *
 * To be asked when an instant comes due and when a run ended. How often it is asked in between does not change any outcome. When it is asked
 * late and nothing was running (a suspended machine, a clock set forward) the latest instant counts as on time and those before it as
 * missed. When the clock was set back nothing is due until it has passed `decided` again.
 *
 * @category transitions
 * @stability stable
 * @since 0.1.0
 */
export const plan = (
  policy: Policy,
  state: State,
  timetable: { readonly cadence: Cadence.Timetable; readonly startedAt: number; readonly now: number }
): Decision => {
  const due = Cadence.countDue(timetable.cadence, {
    startedAt: timetable.startedAt,
    after: state.decided,
    until: timetable.now,
    limit: limitOf(policy)
  })
  return due === undefined ? nothing(state) : planDue(policy, state, due, timetable.now)
}

// -----------------------------------------------------------------------------

const nothing = (state: State): Decision => ({ state, skipped: 0, coalesced: 0, run: undefined, again: false })

const planDue = (policy: Policy, state: State, due: Cadence.Due, now: number): Decision => {
  const idle = state.running < placesOf(policy)
  const dropped = idle ? droppedWhenIdle(policy, state, due) : droppedWhenBusy(policy, due, now)
  // While there are more to count, the one to run may be among them, unless nothing is dropped at all.
  const begins = idle && dropped < due.count && (!due.hasMore || dropped === 0)
  if (dropped === 0 && !begins) {
    return nothing(state)
  }
  const dueAt = begins ? due.at(dropped) : due.at(dropped - 1)
  const missed = state.missed + dropped
  const running = begins ? state.running + 1 : state.running
  const coalesces = policy._tag === "Coalesce"
  return {
    state: { decided: dueAt, running, freeSince: state.freeSince, missed: begins ? 0 : missed },
    skipped: coalesces ? 0 : dropped,
    coalesced: coalesces ? dropped : 0,
    run: begins
      ? { dueAt, missed, isCatchUp: policy._tag === "CatchUp" && (dueAt < state.freeSince || dueAt < due.last) }
      : undefined,
    again: due.hasMore || (begins && running < placesOf(policy) && dropped + 1 < due.count)
  }
}

/** How many of the due instants, from the oldest on, will never run; the one after them begins. */
const droppedWhenIdle = (policy: Policy, state: State, due: Cadence.Due): number => {
  const isLastOnTime = due.last >= state.freeSince
  switch (policy._tag) {
    case "Skip":
      return isLastOnTime ? due.count - 1 : due.count
    case "Coalesce":
      return due.count - 1
    case "CatchUp":
      return Math.max(0, (isLastOnTime ? due.count - 1 : due.count) - kept(policy))
    case "Overlap": {
      let dropped = Math.max(0, due.count - (policy.max - state.running))
      while (dropped < due.count && due.at(dropped) < state.freeSince) {
        dropped++
      }
      return dropped
    }
  }
}

/** The same while every place is taken. An instant due at this very moment stays open: the run may end at this moment too. */
const droppedWhenBusy = (policy: Policy, due: Cadence.Due, now: number): number => {
  const late = due.hasMore || due.last < now ? due.count : due.count - 1
  switch (policy._tag) {
    case "Skip":
    case "Overlap":
      return late
    case "Coalesce":
      return due.count - 1
    case "CatchUp":
      return Math.max(0, late - kept(policy))
  }
}

// To keep the newest `max` one must see more than `max`; to keep all, or none but the last, any bound will do.
const limitOf = (policy: Policy): number =>
  (policy._tag === "CatchUp" || policy._tag === "Overlap") && policy.max !== "unbounded"
    ? Math.max(256, policy.max + 2)
    : 256

const placesOf = (policy: Policy): number => policy._tag === "Overlap" ? policy.max : 1

const kept = (policy: CatchUp | Overlap): number => policy.max === "unbounded" ? Infinity : policy.max

const isCount = (max: number | "unbounded"): boolean => Number.isInteger(max) && Number(max) >= 1

const check = (holds: boolean, constructor: string, expected: string, got: number | string): void => {
  if (!holds) {
    throw new Error(`MissedTick.${constructor}: max must be ${expected}, got ${got}`)
  }
}
