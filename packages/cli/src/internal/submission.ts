import type { Delivery } from "effect-conveyor/Consumer"
import * as Tick from "effect-conveyor/Tick"
import type * as Exit from "effect/Exit"

/** What became of an event at one consumer. */
export type Settlement = Exit.Exit<void, unknown>

/** What the submissions of a collector have in common. */
export interface Origin {
  /** Tells this run of the process from others, so that no receipt of an earlier one names an event of this one. */
  readonly run: string
  readonly consumers: number
  /** What an event's key is; all have one where there are no keys. */
  readonly keyOf: (event: unknown) => unknown
  /** Events that wait in the queue, and of each key. */
  waiting: number
  readonly waitingOf: Map<unknown, number>
}

/**
 * An event on its way to the consumers: what the queue of a collector holds.
 *
 * Consumers get the event with its receipt in front, which also tells two equal events of one millisecond apart: a consumer
 * that knows a repeated delivery must not take the second event for one.
 */
export class Submission {
  readonly receipt: string
  private readonly origin: Origin
  private readonly number: number
  private readonly receivedAt: number
  private content: unknown
  private state: "new" | "waiting" | "begun" = "new"
  private unsettled: number

  constructor(origin: Origin, number: number, event: unknown, receivedAt: number) {
    this.receipt = `${origin.run}-${number}`
    this.origin = origin
    this.number = number
    this.receivedAt = receivedAt
    this.content = event
    this.unsettled = origin.consumers
  }

  get event(): unknown {
    return this.content
  }

  delivery(attempt: number, now: number): Delivery<unknown> {
    const { number, receivedAt } = this
    return {
      payload: withReceipt(this.receipt, this.event),
      tick: Tick.make({ index: number - 1, dueAt: receivedAt, startedAt: now, missed: 0 }),
      attempt
    }
  }

  /** It stands in the queue, unless a consumer has been quicker than whoever sent it. */
  wait(): void {
    if (this.state !== "new") return
    this.state = "waiting"
    this.count(1)
  }

  /** It does not stand in the queue any more. */
  begin(): void {
    if (this.state === "waiting") this.count(-1)
    this.state = "begun"
  }

  private count(by: 1 | -1): void {
    const { keyOf, waitingOf } = this.origin
    const key = keyOf(this.event)
    const waiting = (waitingOf.get(key) ?? 0) + by
    this.origin.waiting += by
    if (waiting === 0) waitingOf.delete(key)
    else waitingOf.set(key, waiting)
  }

  /** One more consumer is through with it. After the last, receipts are remembered and events are not. */
  settle(): void {
    if (--this.unsettled === 0) this.content = undefined
  }
}

const withReceipt = (receipt: string, event: unknown): object => {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return { receipt, value: event }
  if (!Object.hasOwn(event, "receipt")) return { receipt, ...event }
  // As `dueAt` does where a payload has one of its own.
  const { receipt: own, ...rest } = event as { readonly receipt: unknown }
  let n = 2
  while (Object.hasOwn(rest, `receipt_${n}`)) n++
  return { receipt, [`receipt_${n}`]: own, ...rest }
}
