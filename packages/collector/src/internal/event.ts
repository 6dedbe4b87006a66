import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Dropped, type DropReason, Unroutable } from "../CollectorError.ts"
import type { Receipt, Results } from "../Receipt.ts"

// An event is its own receipt and stands itself in the queue: one object for each, of seven fields, so that a million of
// them can wait. What became of it is kept in one field, as the cheapest value that says it.

/** What the events of a queue have in common. */
export interface Origin {
  readonly queue: string
  /** Runs the waiters of a settled event, in a step of their own. */
  readonly wake: (event: CollectedEvent) => void
}

/** Stands for the Exit of a collector that has been chosen and has not ended. */
const owed = Exit.succeed("owed")

type Exits = Array<Exit.Exit<unknown, unknown> | undefined>

export class CollectedEvent implements Receipt<any> {
  readonly id: number
  readonly payload: unknown
  readonly priority: number
  private readonly origin: Origin
  private state: "waiting" | "begun" | "settled" = "waiting"
  /** The Exit of the only collector, the Exits of several, or why there is none. */
  private outcome: Exit.Exit<unknown, unknown> | Exits | Dropped | undefined = undefined
  private waiters: (() => void) | Set<() => void> | undefined = undefined

  constructor(origin: Origin, id: number, payload: unknown, priority: number) {
    this.origin = origin
    this.id = id
    this.payload = payload
    this.priority = priority
  }

  get isSettled(): boolean {
    return this.state === "settled"
  }

  get hasBegun(): boolean {
    return this.state !== "waiting"
  }

  // --- what becomes of it

  begin(): void {
    this.state = "begun"
  }

  /** Notes that the collectors of these places, of so many, are to have it. */
  choose(places: ReadonlyArray<number>, collectors: number): void {
    const exits: Exits = new Array(collectors).fill(undefined)
    for (const place of places) exits[place] = owed
    this.outcome = exits
  }

  /** Notes how the collector of a place ended. */
  record(place: number, exit: Exit.Exit<unknown, unknown>): void {
    ;(this.outcome as Exits)[place] = exit
  }

  drop(reason: DropReason): void {
    this.settle(new Dropped({ queue: this.origin.queue, event: this.id, reason }))
  }

  /** Settles an event that only one collector could have. */
  settleOne(exit: Exit.Exit<unknown, unknown>): void {
    this.settle(exit)
  }

  /** Settles an event that several could have: `exit` stands for the Exits that are missing. */
  settleEach(collectors: number, exit: Exit.Exit<unknown, unknown>): void {
    // Without a choice the router has died, or was interrupted: nobody had the event, and everybody would have wanted to.
    const exits = this.outcome as Exits | undefined ?? new Array(collectors).fill(owed)
    this.settle(exits.map((each) => each === owed ? exit : each))
  }

  private settle(outcome: Exit.Exit<unknown, unknown> | Exits | Dropped): void {
    this.outcome = outcome
    this.state = "settled"
    if (this.waiters !== undefined) this.origin.wake(this)
  }

  // --- the receipt

  get results(): Effect.Effect<any, Dropped> {
    return this.await(this.resultsExit)
  }

  get first(): Effect.Effect<any, any> {
    return this.await(this.firstExit)
  }

  get all(): Effect.Effect<any, any> {
    return this.await(this.allExit)
  }

  private exits(): Results | Dropped {
    const outcome = this.outcome!
    return Array.isArray(outcome) || outcome instanceof Dropped ? outcome : [outcome]
  }

  private resultsExit(): Exit.Exit<Results, Dropped> {
    const exits = this.exits()
    return exits instanceof Dropped ? Exit.fail(exits) : Exit.succeed(exits)
  }

  private firstExit(): Exit.Exit<unknown, unknown> {
    const { outcome } = this
    if (outcome instanceof Dropped) return Exit.fail(outcome)
    return Array.isArray(outcome) ? outcome.find((exit) => exit !== undefined) ?? this.unroutable() : outcome!
  }

  private allExit(): Exit.Exit<ReadonlyArray<unknown>, unknown> {
    const exits = this.exits()
    if (exits instanceof Dropped) return Exit.fail(exits)
    const values: Array<unknown> = []
    let chosen = 0
    for (const exit of exits) {
      if (exit?._tag === "Failure") return Exit.failCause(exit.cause)
      if (exit !== undefined) chosen++
      values.push(exit?.value)
    }
    return chosen === 0 ? this.unroutable() : Exit.succeed(values)
  }

  private unroutable(): Exit.Exit<never, Unroutable> {
    return Exit.fail(new Unroutable({ queue: this.origin.queue, event: this.id }))
  }

  // --- waiting

  private await<A, E>(view: () => Exit.Exit<A, E>): Effect.Effect<A, E> {
    if (this.state === "settled") return view.call(this)
    return Effect.callback((resume) => {
      if (this.state === "settled") return resume(view.call(this))
      const waiter = () => resume(view.call(this))
      this.addWaiter(waiter)
      return Effect.sync(() => this.removeWaiter(waiter))
    })
  }

  private addWaiter(waiter: () => void): void {
    if (this.waiters === undefined) this.waiters = waiter
    else if (typeof this.waiters === "function") this.waiters = new Set([this.waiters, waiter])
    else this.waiters.add(waiter)
  }

  private removeWaiter(waiter: () => void): void {
    if (this.waiters === waiter) this.waiters = undefined
    else if (typeof this.waiters === "object") this.waiters.delete(waiter)
  }

  /** For the origin: lets everybody go who waits. */
  release(): void {
    const { waiters } = this
    this.waiters = undefined
    if (typeof waiters === "function") waiters()
    else if (waiters !== undefined) { for (const waiter of waiters) waiter() }
  }
}
