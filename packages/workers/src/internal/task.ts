import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { TaskError } from "../TaskError.ts"
import type { Alarm } from "./alarms.ts"
import type { Place, Queued } from "./fairOrder.ts"
import type { Trace } from "./messages.ts"
import type { PolicySettings } from "./settings.ts"
import type { Measured } from "./taskStats.ts"
import type { Worker } from "./worker.ts"

export type Outcome = Effect.Effect<unknown, unknown>

/** What a task is, apart from this one call of it. */
export interface TaskKind {
  readonly tag: string
  /** Milliseconds that the next one is expected to run, from those that ran; infinite if it cannot be foreseen. */
  expected: number
}

/** Takes the items of a stream as they come. */
export interface Sink {
  readonly items: (decoded: Effect.Effect<ReadonlyArray<unknown>>) => void
}

/** Is told, once, what a task comes to. */
export interface Waiter {
  readonly settle: (outcome: Outcome) => void
}

/** Why a task is interrupted. What its worker answers all the same is believed, unless it is the interruption. */
export interface Interruption {
  readonly error: TaskError
  /** Whether it may be begun again. */
  readonly again: boolean
}

type Given = Pick<
  Task,
  "id" | "kind" | "niceness" | "series" | "policy" | "payload" | "transfers" | "sink" | "trace" | "waiter"
>

/** One call of a task, from its submission until it is settled. While it is queued it is an entry of the order. */
export class Task implements Queued, Measured {
  lane: Queued["lane"] = undefined
  serial = 0
  arrival = 0
  older: Queued | undefined = undefined
  newer: Queued | undefined = undefined
  readonly id: number
  readonly kind: TaskKind
  readonly niceness: number
  readonly series: string | undefined
  readonly policy: PolicySettings
  readonly payload: unknown
  /** What the payload moves to the worker; nothing if the task may be needed again. */
  readonly transfers: ReadonlyArray<object>
  readonly sink: Sink | undefined
  readonly trace: Trace | undefined
  /** Who is told what it comes to; another, when that one has gone and somebody only wants to know that it is over. */
  waiter: Waiter
  state: "queued" | "assigned" | "settled" = "queued"
  worker: Worker | undefined = undefined
  tagMeter: Measured["tagMeter"] = undefined
  seriesMeter: Measured["seriesMeter"] = undefined
  since = 0
  /** Whether it is among those that its worker runs. */
  isRunning = false
  /** Milliseconds that it was expected to run when it was assigned. */
  expected = 0
  place: Place = "inOrder"
  /** Whether it waits for room in the order, and who wants to know when it does no longer. */
  isOutside = false
  onAdmitted: (() => void) | undefined = undefined
  /** How often it was assigned. */
  attempts = 0
  timeouts = 0
  /** Workers that died while they ran it. */
  deaths = 0
  emitted = false
  interruption: Interruption | undefined = undefined
  timeoutAlarm: Alarm | undefined = undefined
  deadlineAlarm: Alarm | undefined = undefined
  graceAlarm: Alarm | undefined = undefined

  constructor(given: Given) {
    this.id = given.id
    this.kind = given.kind
    this.niceness = given.niceness
    this.series = given.series
    this.policy = given.policy
    this.payload = given.payload
    this.transfers = given.transfers
    this.sink = given.sink
    this.trace = given.trace
    this.waiter = given.waiter
  }

  get tag(): string {
    return this.kind.tag
  }

  /** Whether it may be begun again after a worker was lost. What has emitted may not: its reader would read it twice. */
  get retryable(): boolean {
    return this.policy.retryable && !this.emitted
  }
}

/** The weight of the last task in what the next one is expected to take. */
const weight = 0.1

/** A task that took long makes the next one expected to, at once; quick ones make it so again little by little. */
export const learn = (kind: TaskKind, runMillis: number): void => {
  kind.expected = runMillis > kind.expected || kind.expected === Infinity
    ? runMillis
    : kind.expected + (runMillis - kind.expected) * weight
}

export const failed = (error: TaskError): Outcome => Exit.fail(error)
