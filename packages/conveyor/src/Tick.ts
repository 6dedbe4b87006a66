/**
 * One due instant of a cadence.
 *
 * A tick carries the time it was *due*, which is what a payload should be stamped with: it is the same before and after a
 * restart and on every machine that polls on the same grid. When the run really began is there too, and the difference is
 * its lateness.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"

/**
 * One run of a producer.
 *
 * **Details**
 *
 * `index` counts runs from 0, as the order in which they began; ticks that were missed have no index. `dueAt` strictly
 * increases from tick to tick of one conveyor. `startedAt` is never before `dueAt`. `missed` counts the due instants since
 * the previous run for which nothing ran, and under the coalescing policy those for which this run stands.
 *
 * **Source** aioconveyor `Event(event_time, loop_counter)`: the slot time, not the wake time, and a counter of runs. Lateness
 * and missed are new.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Tick {
  readonly index: number
  readonly dueAt: DateTime.Utc
  readonly startedAt: DateTime.Utc
  readonly missed: number
}

/**
 * Builds a tick from instants in milliseconds since the Unix epoch.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: {
  readonly index: number
  readonly dueAt: number
  readonly startedAt: number
  readonly missed: number
}): Tick => new TickImpl(options.index, options.dueAt, options.startedAt, options.missed)

/**
 * Gives how long after it was due a tick began.
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const lateness = (tick: Tick): Duration.Duration =>
  Duration.millis(DateTime.toEpochMillis(tick.startedAt) - DateTime.toEpochMillis(tick.dueAt))

// A DateTime costs several times what the rest of a tick costs, and most producers read one of the two or none.
class TickImpl implements Tick {
  readonly index: number
  readonly missed: number
  readonly #dueAt: number
  readonly #startedAt: number
  constructor(index: number, dueAt: number, startedAt: number, missed: number) {
    this.index = index
    this.missed = missed
    this.#dueAt = dueAt
    this.#startedAt = startedAt
  }
  get dueAt(): DateTime.Utc {
    return DateTime.makeUnsafe(this.#dueAt)
  }
  get startedAt(): DateTime.Utc {
    return DateTime.makeUnsafe(this.#startedAt)
  }
  toJSON(): unknown {
    return {
      index: this.index,
      dueAt: DateTime.formatIso(this.dueAt),
      startedAt: DateTime.formatIso(this.startedAt),
      missed: this.missed
    }
  }
}
