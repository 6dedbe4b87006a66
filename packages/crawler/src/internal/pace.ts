import * as WorkQueue from "effect-work-queue/WorkQueue"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

// When the next item of a key may begin. The rate is kept by a sliding log of the latest `limit` beginnings, of which the oldest
// decides: exact for every window, where fixed windows or a bucket of tokens would let twice the limit through at an edge.
//
// Nobody is told when a delay changes, so it is asked for whenever something is decided: as an item begins, as one settles, and as
// the time of its key comes. A delay that is known only after the item (an answer that says "not before a minute") thus holds for
// the next one, even if the key had not paused.

/** How often the items of one key may begin; each key is restrained by itself. */
export interface Limits {
  /** The least time between the beginnings of two items. */
  readonly delay?: Duration.Input | ((key: string) => Duration.Input) | undefined
  /** At most `limit` begin in any `interval`, which includes its first instant and not its last. */
  readonly rate?: { readonly limit: number; readonly interval: Duration.Input } | undefined
}

interface Beginnings {
  /** The latest beginnings, oldest first: as many as the rate asks about, and at least one. */
  readonly begun: Array<number>
  /** Items that have begun and not settled. */
  inFlight: number
}

/**
 * What is known of each key. Times are milliseconds of one clock that never goes back. The answers are instants, from which on the next
 * item of the key may begin, and not lengths of time: what was rounded twice could ask to wait for less than the clock can tell.
 */
export interface Register {
  /** An item begins. */
  readonly begin: (key: string, now: number) => number
  /** An item that has begun settles. */
  readonly settle: (key: string) => number
  readonly next: (key: string) => number
  /** How many keys are remembered: a few times as many, at most, as are restrained or have an item that has not settled. */
  readonly size: () => number
}

/** Keys that are looked at, for each beginning, whether they may be forgotten: more than one, or forgetting would fall behind. */
const looks = 2

export const makeRegister = ({ delay = 0, rate }: Limits): Register => {
  const fixed = typeof delay === "function" ? 0 : Duration.toMillis(delay)
  const delayOf = typeof delay === "function" ? (key: string) => Duration.toMillis(delay(key)) : () => fixed
  const limit = rate?.limit ?? 1
  const interval = rate === undefined ? 0 : Duration.toMillis(rate.interval)
  if (!(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new RangeError(`Crawler: keyed.rate.limit must be a whole number >= 1, got ${limit}`)
  }
  if (rate !== undefined && !(interval > 0)) {
    throw new RangeError(`Crawler: keyed.rate.interval must be > 0, got ${interval} millis`)
  }
  const records = new Map<string, Beginnings>()
  let hand = records.entries()

  const nextOf = (key: string, { begun }: Beginnings): number =>
    Math.max(begun.length < limit ? -Infinity : begun[0]! + interval, begun.at(-1)! + delayOf(key))
  const isIdle = (key: string, record: Beginnings, now: number): boolean =>
    record.inFlight === 0 && record.begun.at(-1)! + interval <= now && nextOf(key, record) <= now

  const forgetSome = (now: number) => {
    for (let look = 0; look < looks; look++) {
      const next = hand.next()
      if (next.done === true) {
        hand = records.entries()
        return
      }
      const [key, record] = next.value
      if (isIdle(key, record, now)) records.delete(key)
    }
  }
  const next = (key: string): number => {
    const record = records.get(key)
    return record === undefined ? -Infinity : nextOf(key, record)
  }

  return {
    begin: (key, now) => {
      forgetSome(now)
      const record = records.get(key) ?? { begun: [], inFlight: 0 }
      records.set(key, record)
      record.inFlight++
      record.begun.push(now)
      if (record.begun.length > limit) record.begun.shift()
      return nextOf(key, record)
    },
    settle: (key) => {
      const record = records.get(key)
      if (record !== undefined) record.inFlight--
      return next(key)
    },
    next,
    size: () => records.size
  }
}

/** Says which keys pause, and resumes them. */
export interface Pace {
  /** An item of a key begins: whether the key pauses with it. To be given to the queue. */
  readonly pauses: (key: string) => boolean
  /** An item has settled, by which its key is still held: pauses the key if its delay has grown, resumes it sooner if it has shrunk. */
  readonly settled: (key: string) => void
}

/** What is done to a key: never inside `pauses`, a resumption not inside `settled` either, and nothing after the Scope has closed. */
interface Switch {
  readonly pause: (key: string) => void
  readonly resume: (key: string) => void
}

/**
 * Makes a pace on the clock of the calling fiber. `resume` is called once for each pause, when the key's time has come. One fiber sleeps
 * until the next such time, whatever the number of keys, and none while no key is paused. A delay that throws is logged and counts as 0.
 */
export const make = (
  { delay, rate }: Limits,
  keys: Switch
): Effect.Effect<Pace, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.context<never>(), (context) =>
      new Timetable(
        makeRegister({ delay: typeof delay === "function" ? guarded(delay, context) : delay, rate }),
        keys,
        context
      )),
    (timetable) => Effect.sync(() => timetable.close())
  )

const guarded = (delay: (key: string) => Duration.Input, context: Context.Context<never>) => (key: string): number => {
  try {
    return Duration.toMillis(delay(key))
  } catch (defect) {
    Effect.runForkWith(context)(
      Effect.ignoreCause(Effect.die(defect), { log: "Unhandled", message: "Crawler: keyed.delay threw" })
    )
    return 0
  }
}

interface Due {
  readonly key: string
  readonly at: number
}

class Timetable implements Pace {
  private readonly register: Register
  private readonly keys: Switch
  private readonly now: () => number
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** When each paused key is to be looked at. */
  private readonly paused = new Map<string, number>()
  /** The same, the earliest first; and instants that something else took the place of, which are passed over. */
  private readonly dues = WorkQueue.makeUnsafe<Due>({ order: { priority: ({ at }) => at }, capacity: "unbounded" })
  private timer: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined = undefined
  private closed = false

  constructor(register: Register, keys: Switch, context: Context.Context<never>) {
    const clock = Context.get(context, Clock.Clock)
    this.register = register
    this.keys = keys
    this.now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    this.fork = Effect.runForkWith(context)
  }

  readonly pauses = (key: string): boolean => {
    const now = this.now()
    const next = this.register.begin(key, now)
    if (next > now) this.lookAt(key, next)
    return next > now
  }

  readonly settled = (key: string): void => {
    const next = this.register.settle(key)
    const due = this.paused.get(key)
    if (due === undefined) {
      if (next <= this.now()) return
      this.keys.pause(key)
    } else if (next >= due) {
      // A delay that has grown is noticed when the key is looked at.
      return
    }
    this.lookAt(key, next)
  }

  close(): void {
    this.closed = true
    this.timer?.fiber.interruptUnsafe()
  }

  private lookAt(key: string, at: number): void {
    this.paused.set(key, at)
    WorkQueue.offerUnsafe(this.dues, { key, at })
    this.wakeBy(at)
  }

  private wakeBy(at: number): void {
    if (this.closed || at >= (this.timer?.at ?? Infinity)) return
    this.timer?.fiber.interruptUnsafe()
    const sleep = Effect.suspend(() => Effect.sleep(at - this.now()))
    // Not before this returns: a sleep of nothing ends at once.
    const fiber = this.fork(
      Effect.yieldNow.pipe(Effect.andThen(sleep), Effect.andThen(Effect.sync(() => this.look())))
    )
    this.timer = { at, fiber }
  }

  private look(): void {
    this.timer = undefined
    const now = this.now()
    for (let due = this.next(); due !== undefined; due = this.next()) {
      if (due.at > now) {
        WorkQueue.offerUnsafe(this.dues, due)
        return this.wakeBy(due.at)
      }
      const next = this.register.next(due.key)
      if (next > now) {
        this.lookAt(due.key, next)
      } else {
        this.paused.delete(due.key)
        this.keys.resume(due.key)
      }
    }
  }

  private next(): Due | undefined {
    while (true) {
      const due = Option.getOrUndefined(WorkQueue.pollUnsafe(this.dues))
      if (due === undefined || this.paused.get(due.key) === due.at) return due
    }
  }
}
