import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constTrue } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as Pull from "effect/Pull"
import * as Scheduler from "effect/Scheduler"
import type { WorkQueueStats } from "../WorkQueue.ts"
import type { Backlog, Items } from "./backlog.ts"
import type { FlowCore, Outcome } from "./flowCore.ts"
import { KeyedBacklog } from "./keyedBacklog.ts"
import type { Line } from "./keyedBacklog.ts"
import { KeyedOffers } from "./keyedOffers.ts"
import { monotonicMillis } from "./monotonicMillis.ts"
import { OffersInTurn, PendingOffer } from "./offers.ts"
import type { Offers } from "./offers.ts"
import { oneStep } from "./oneStep.ts"
import { sharedDispatcher } from "./sharedDispatcher.ts"

// The state machine under WorkQueue. One rule keeps it free of re-entrancy: no fiber is ever resumed inside another
// fiber's step. Whatever becomes possible (an item for a taker, room for an offer, the end) is noted, and one scheduled
// task wakes everyone it concerns. A woken taker looks again, so a wake too many is harmless; and the task goes on
// waking while anything is left, so a taker that is interrupted between its wake and its look strands nobody.
//
// It is one file because it is one machine: every transition looks at the items, the takers, the offers and the end.
//
// Waiters stand in Sets: leaving one is O(1), where an array would make n cancellations O(n²).

export type State<E> =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Closing"; readonly exit: Exit.Exit<never, E | Cause.Done> }
  | { readonly _tag: "Done"; readonly exit: Exit.Exit<never, E | Cause.Done> }

export interface Waiter {
  /** How many items it needs; a queue that is closing gives it fewer. */
  readonly need: number
  readonly resume: () => void
}

export interface CoreOptions<A> {
  readonly backlog: (now: number) => Backlog<A>
  /** The same order within a key. */
  readonly items: <T>(now: number) => Items<T>
  readonly keyed:
    | {
      readonly by: (item: A) => unknown
      readonly concurrency: number
      readonly pauses: ((item: A) => boolean) | undefined
    }
    | undefined
  readonly priority: ((item: A) => number) | undefined
  readonly capacity: number
  readonly overflow: "suspend" | "dropNewest" | "dropOldest"
  readonly onDrop: ((item: A, reason: "dropNewest" | "dropOldest") => void) | undefined
}

const open: State<never> = { _tag: "Open" }
const doneCause = Cause.fail(Cause.Done())
const done = Exit.failCause(doneCause)

export class QueueCore<A, E> implements Pipeable.Pipeable {
  readonly "~effect-work-queue/WorkQueue" = "~effect-work-queue/WorkQueue"
  state: State<E> = open
  offered = 0
  taken = 0
  dropped = 0
  removed = 0
  /** Set by the first crew that works this queue off. */
  flow: FlowCore | undefined = undefined
  readonly backlog: Backlog<A>
  /** The backlog, if it has keys. */
  readonly keys: KeyedBacklog<A> | undefined
  readonly options: CoreOptions<A>
  readonly now: () => number
  readonly take: Effect.Effect<A, E | Cause.Done>
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly takers = new Set<Waiter>()
  private readonly offers: Offers<A>
  private readonly endWaiters = new Set<() => void>()
  private readonly emptyWaiters = new Set<() => void>()
  private admitted: Array<PendingOffer<A>> = []
  private wakeScheduled = false

  constructor(options: CoreOptions<A>, context: Context.Context<never>) {
    this.options = options
    this.dispatcher = sharedDispatcher(Context.get(context, Scheduler.Scheduler))
    this.now = monotonicMillis(Context.get(context, Clock.Clock))
    const { capacity, items, keyed, overflow } = options
    this.keys = keyed === undefined ? undefined : new KeyedBacklog<A>({
      items,
      concurrency: keyed.concurrency,
      pauses: keyed.pauses && neverThrows(keyed.pauses, context),
      ranked: overflow === "dropOldest" && capacity !== Infinity
    })
    this.backlog = this.keys ?? options.backlog(this.now())
    this.offers = this.keys === undefined
      ? new OffersInTurn(this.backlog, capacity)
      : new KeyedOffers(this.keys, capacity, this.now)
    const next: Effect.Effect<A, E | Cause.Done> = oneStep(() =>
      this.takeUnsafe() ?? Effect.andThen(this.awaitItems(1), next)
    )
    this.take = next
  }

  pipe() {
    return Pipeable.pipeArguments(this, arguments)
  }

  // --- offering

  offerUnsafe(item: A): boolean {
    if (this.state._tag !== "Open") return false
    const priority = this.priority(item)
    const key = this.options.keyed?.by(item)
    if (this.hasRoom(key)) {
      this.accept(item, priority, key)
      return true
    }
    if (this.options.overflow === "dropOldest") {
      const now = this.now()
      const oldest = this.backlog.displace(item, now, priority, key)
      this.dropped++
      if (this.flow !== undefined) this.flow.withdraw(now, this.backlog.lastArrivedAt, "dropped")
      this.arrived(now)
      this.options.onDrop?.(oldest, "dropOldest")
      return true
    }
    if (this.options.overflow === "dropNewest") {
      this.offered++
      this.dropped++
      if (this.flow !== undefined) this.flow.outcomes.dropped++
      this.options.onDrop?.(item, "dropNewest")
    }
    return false
  }

  offer(item: A): Effect.Effect<boolean> {
    return oneStep(() =>
      this.offerUnsafe(item)
        ? Exit.succeed(true)
        : this.state._tag === "Open" && this.options.overflow === "suspend"
        ? Effect.map(this.awaitRoom([item]), (refused) => refused.length === 0)
        : Exit.succeed(false)
    )
  }

  offerAll(items: Iterable<A>): Effect.Effect<Array<A>> {
    return oneStep(() => {
      const all = Array.from(items)
      const refused = this.offerAllUnsafe(all)
      return refused.length === 0 || this.state._tag !== "Open" || this.options.overflow !== "suspend"
        ? Exit.succeed(refused)
        : this.awaitRoom(refused)
    })
  }

  offerAllUnsafe(items: ReadonlyArray<A>): Array<A> {
    if (this.options.overflow !== "suspend") return items.filter((item) => !this.offerUnsafe(item))
    // Only the head of the list may go in: a later item must not overtake one that has to wait.
    let accepted = 0
    while (accepted < items.length && this.offerUnsafe(items[accepted]!)) accepted++
    return items.slice(accepted)
  }

  private awaitRoom(items: ReadonlyArray<A>): Effect.Effect<Array<A>> {
    return Effect.callback((resume) => {
      // The scheduler may yield between the look and this registration; the end or some room may have come meanwhile.
      if (this.state._tag !== "Open") return resume(Exit.succeed([...items]))
      // A user's function runs in the offering fiber, never in the taker that makes room.
      const priorities = items.map((item) => this.priority(item))
      const keys = items.map((item) => this.options.keyed?.by(item))
      const offer = new PendingOffer(items, priorities, keys, (refused) => resume(Exit.succeed(refused)))
      this.offers.add(offer)
      this.afterRoom()
      // A taker that waits for several items is content with fewer while an offer waits.
      this.wakeTakers()
      return Effect.sync(() => {
        if (this.offers.delete(offer)) this.afterRoom()
      })
    })
  }

  private priority(item: A): number {
    if (this.options.priority === undefined) return 0
    const priority = this.options.priority(item)
    if (Number.isNaN(priority)) throw new RangeError("WorkQueue.offer: priority must be a number, got NaN")
    return priority
  }

  /** With keys, the room is shared: a key has some while fewer of it wait than there are places left. */
  private hasRoom(key: unknown): boolean {
    const waiting = this.keys === undefined ? 0 : this.keys.waiting(key)
    return waiting < this.options.capacity - this.backlog.size
  }

  private accept(item: A, priority: number, key: unknown): void {
    const now = this.now()
    this.backlog.push(item, now, priority, key)
    this.arrived(now)
  }

  private arrived(now: number): void {
    this.offered++
    if (this.flow !== undefined) this.flow.arrive(now)
    this.wakeTakers()
  }

  private wakeTakers(): void {
    if (this.takers.size > 0) this.scheduleWake()
  }

  // --- taking

  takeUnsafe(): Exit.Exit<A, E | Cause.Done> | undefined {
    if (this.state._tag === "Done") return this.state.exit
    if (this.backlog.ready === 0) return undefined
    const item = this.takeNext()
    if (this.flow !== undefined) this.flow.withdraw(this.now(), this.backlog.lastArrivedAt, undefined)
    this.afterRoom()
    return Exit.succeed(item)
  }

  /** For a crew, which reports the item to its flow itself: only while something is ready. */
  takeNext(): A {
    this.taken++
    return this.backlog.take()
  }

  takeBetween(min: number, max: number): Effect.Effect<Array<A>, E | Cause.Done> {
    const next: Effect.Effect<Array<A>, E | Cause.Done> = oneStep(() => {
      if (this.state._tag === "Done") return this.state.exit
      if (min <= 0 || max <= 0) return Exit.succeed([])
      if (!this.isReady(min)) return Effect.andThen(this.awaitItems(min), next)
      return Exit.succeed(this.takeUpTo(max))
    })
    return next
  }

  takeUpTo(max: number): Array<A> {
    const items: Array<A> = []
    while (items.length < max && this.backlog.ready > 0) {
      items.push(this.takeNext())
      if (this.flow !== undefined) this.flow.withdraw(this.now(), this.backlog.lastArrivedAt, undefined)
    }
    this.afterRoom()
    return items
  }

  /** Succeeds when `need` items may be there; the caller looks again, since someone else may have been quicker. */
  awaitItems(need: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const waiter = { need, resume: () => resume(Exit.void) }
      if (!this.addTaker(waiter)) return resume(Exit.void)
      return Effect.sync(() => this.removeTaker(waiter))
    })
  }

  /** False if there is no need to wait. The look and the registration are one step: nothing can arrive between them. */
  addTaker(waiter: Waiter): boolean {
    if (this.state._tag === "Done" || this.isReady(waiter.need)) return false
    this.takers.add(waiter)
    return true
  }

  removeTaker(waiter: Waiter): void {
    this.takers.delete(waiter)
  }

  /** Whether `need` items may be taken; or fewer, if no more can come. */
  isReady(need: number): boolean {
    const { ready, size } = this.backlog
    if (ready === 0) return false
    return ready >= need || this.state._tag !== "Open" || size >= this.options.capacity || this.offers.size > 0
  }

  release(lines: ReadonlyArray<Line<A>>): void {
    if (lines.length === 0) return
    for (const line of lines) this.keys!.release(line)
    this.wakeTakers()
  }

  /** For takers that are no crew, which know the item and not its line. */
  releaseItem(item: A): boolean {
    const line = this.keys?.lines.get(this.options.keyed!.by(item))
    if (line === undefined || line.held === 0) return false
    this.release([line])
    return true
  }

  pause(key: unknown): boolean {
    return this.keys !== undefined && this.keys.pause(this.keys.line(key, this.now()))
  }

  resume(key: unknown): boolean {
    const line = this.keys?.lines.get(key)
    if (line === undefined || !this.keys!.resume(line)) return false
    this.wakeTakers()
    return true
  }

  peek(): Effect.Effect<A, E | Cause.Done> {
    return Effect.suspend(() =>
      this.state._tag === "Done"
        ? this.state.exit
        : this.backlog.ready > 0
        ? Exit.succeed(this.backlog.peek())
        : Effect.andThen(this.awaitItems(1), this.peek())
    )
  }

  remove(predicate: (item: A) => boolean, outcome?: Outcome): Array<A> {
    const now = this.now()
    const items = this.backlog.remove(predicate, (arrivedAt) => this.flow?.withdraw(now, arrivedAt, outcome))
    this.removed += items.length
    this.afterRoom()
    return items
  }

  clear(outcome?: Outcome): Array<A> {
    return this.remove(constTrue, outcome)
  }

  // --- ending

  failCauseUnsafe(cause: Cause.Cause<E | Cause.Done>): boolean {
    if (this.state._tag !== "Open") return false
    this.state = { _tag: "Closing", exit: Exit.failCause(cause) }
    this.afterRoom()
    // A taker that waits for several items is content with the remainder now.
    this.scheduleWake()
    return true
  }

  endUnsafe(): boolean {
    return this.failCauseUnsafe(doneCause)
  }

  /** Ends without draining: offers that wait for room are refused, and what had been accepted is handed back. */
  shutdownUnsafe(outcome?: Outcome): Array<A> {
    if (this.state._tag === "Done") return []
    for (const offer of this.offers.toArray()) {
      this.offers.delete(offer)
      this.admitted.push(offer)
    }
    if (this.state._tag === "Open") this.state = { _tag: "Closing", exit: done }
    this.scheduleWake()
    return this.clear(outcome)
  }

  awaitEnd(): Effect.Effect<void, E> {
    return Effect.callback<void, E>((resume) => {
      const settle = () => resume(endOf((this.state as Extract<State<E>, { _tag: "Done" }>).exit))
      if (this.state._tag === "Done") return settle()
      this.endWaiters.add(settle)
      return Effect.sync(() => {
        this.endWaiters.delete(settle)
      })
    })
  }

  onDone(listener: () => void): void {
    if (this.state._tag === "Done") this.scheduleWake()
    this.endWaiters.add(listener)
  }

  measure(flow: FlowCore): void {
    if (this.flow === flow) return
    this.flow = flow
    flow.backlogs.push(() => this.backlog.size === 0 ? undefined : this.backlog.oldestArrivedAt())
    for (let i = 0; i < this.backlog.size; i++) flow.arrive(flow.now())
  }

  stats(): WorkQueueStats {
    const { backlog, dropped, keys, now, offered, options, removed, state, taken } = this
    return {
      state: state._tag,
      depth: backlog.size,
      ready: backlog.ready,
      held: keys === undefined ? 0 : keys.held,
      keys: keys === undefined ? 0 : keys.lines.size,
      paused: keys === undefined ? 0 : keys.paused,
      capacity: options.capacity === Infinity ? "unbounded" : options.capacity,
      oldestAge: backlog.size === 0 ? 0 : now() - backlog.oldestArrivedAt(),
      offered,
      taken,
      dropped,
      removed
    }
  }

  /** Calls back, in a scheduled task, once nothing waits here. The returned function withdraws the request. */
  onEmpty(listener: () => void): () => void {
    this.emptyWaiters.add(listener)
    if (this.backlog.size === 0) this.scheduleWake()
    return () => this.emptyWaiters.delete(listener)
  }

  // --- moving on

  /** Runs after anything that may have freed room: lets waiting offers in, and notices the end. */
  afterRoom(): void {
    if (this.offers.size > 0) this.admit()
    if (this.backlog.size > 0) return
    if (this.emptyWaiters.size > 0) this.scheduleWake()
    if (this.state._tag === "Closing" && this.offers.size === 0) {
      this.state = { _tag: "Done", exit: this.state.exit }
      this.scheduleWake()
    }
  }

  private admit(): void {
    for (let offer = this.offers.next(); offer !== undefined; offer = this.offers.next()) {
      const at = offer.next++
      this.accept(offer.items[at]!, offer.priorities[at]!, offer.keys[at])
      if (offer.next < offer.items.length) {
        this.offers.advance(offer)
        continue
      }
      this.offers.delete(offer)
      this.admitted.push(offer)
      this.scheduleWake()
    }
  }

  private scheduleWake(): void {
    if (this.wakeScheduled) return
    this.wakeScheduled = true
    this.dispatcher.scheduleTask(() => {
      this.wakeScheduled = false
      this.wake()
    }, 0)
  }

  private wake(): void {
    if (this.admitted.length > 0) {
      const admitted = this.admitted
      this.admitted = []
      for (const offer of admitted) offer.resume(offer.items.slice(offer.next))
    }
    for (const taker of this.takers) {
      if (this.state._tag !== "Done") {
        if (this.backlog.ready === 0) break
        if (!this.isReady(taker.need)) continue
      }
      this.takers.delete(taker)
      taker.resume()
    }
    if (this.backlog.size === 0) release(this.emptyWaiters)
    if (this.state._tag === "Done") release(this.endWaiters)
  }
}

/** Asked in the middle of a take, where an item would be lost with a fiber that dies; so nobody dies of it. */
const neverThrows = <A>(pauses: (item: A) => boolean, context: Context.Context<never>) => (item: A): boolean => {
  try {
    return pauses(item)
  } catch (defect) {
    Effect.runForkWith(context)(
      Effect.ignoreCause(Effect.die(defect), { log: "Unhandled", message: "WorkQueue: keyed.pauses threw" })
    )
    return false
  }
}

const release = (waiters: Set<() => void>): void => {
  for (const waiter of waiters) {
    waiters.delete(waiter)
    waiter()
  }
}

const endOf = <E>(exit: Exit.Exit<never, E | Cause.Done>): Exit.Exit<void, E> =>
  exit._tag === "Failure" && Pull.isDoneCause(exit.cause) ? Exit.void : exit as Exit.Exit<never, E>
