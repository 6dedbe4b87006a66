/**
 * Pure: how much time to leave between two requests to a host, given how it answered.
 *
 * A host that answers is asked as fast as it answers. One that says it is too much (429, 503) is asked half as often each time it says so, not at
 * all for as long as it wishes, and as often as before only after many good answers. What robots.txt asks for, and what the user does, is a floor
 * under all that; a longest delay is the ceiling over it, so that no host holds a crawl up for ever.
 *
 * The state is an immutable value of one host, without a clock: instants come with what is observed.
 *
 * **Source** Scrapy's AutoThrottle, for the delay from the latency. Its rule that errors never make it faster holds for everything here.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * How a host is treated.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** Between two requests to a host, at least. Defaults to none. */
  readonly minDelay?: Duration.Input | undefined
  /** Between two requests to a host, at most, also where Retry-After or Crawl-delay ask for more. Defaults to 1 minute. */
  readonly maxDelay?: Duration.Input | undefined
  /**
   * How many requests a host should be busy with on average, more than 0: the delay becomes its latency divided by this. A host that takes 0.5 seconds is
   * asked once a second with 0.5, and four times with 2. Defaults to nothing: the latency does not matter.
   */
  readonly targetConcurrency?: number | undefined
}

/**
 * What {@link make} assumes where an option is not given.
 *
 * @category defaults
 * @stability unstable
 * @since 0.1.0
 */
export const defaults = { minDelay: 0, maxDelay: "1 minute" } as const

/**
 * How one request went. Instants and spans are milliseconds.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Observation {
  readonly startedAt: number
  readonly endedAt: number
  readonly latency: number
  /** Nothing when there was no answer. */
  readonly status: number | undefined
  /** How long the answer asks to be left alone, from `endedAt`. */
  readonly retryAfter?: number | undefined
}

/**
 * What is known of a host. Instants and spans are milliseconds.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface State {
  /** What its robots.txt asks for. */
  readonly crawlDelay: number
  /** What its refusals made of the delay. */
  readonly backOff: number
  /** What its latency makes of the delay. */
  readonly adapted: number
  /** Until when it asked to be left alone. */
  readonly pausedUntil: number
  /** When a refusal last counted. */
  readonly refusedAt: number
  /** Good answers in a row, since. */
  readonly streak: number
  readonly lastStartedAt: number
}

/**
 * How hosts are treated.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Politeness {
  /** What is known of a host that was never asked. */
  readonly start: State
  /** Takes note of what its robots.txt asks for. */
  readonly crawlDelay: (state: State, crawlDelay: number) => State
  /** Takes note that a request begins. */
  readonly started: (state: State, at: number) => State
  /** Takes note of how one ended. */
  readonly observed: (state: State, observation: Observation) => State
  /** The least time between the beginnings of two requests: within `minDelay` and `maxDelay`. */
  readonly spacing: (state: State) => number
  /** The least time from the last beginning to the next: the spacing, or until the end of the pause that it asked for. */
  readonly delay: (state: State) => number
}

/** The first delay after a refusal. */
const firstBackOff = 1000

/** Good answers in a row for which a back-off is halved. */
const recovery = 10

/** A back-off below this is none. */
const leastBackOff = 100

/**
 * Makes a way to treat hosts.
 *
 * **Details**
 *
 * - A status of 429 or 503 doubles the back-off, from 1 second on; requests that were already on their way when it last did count no
 *   more, so that eight refusals at once are one. Retry-After pauses the host.
 * - Ten good answers in a row (below 400, to requests begun since) halve the back-off, and below 0.1 seconds end it: after one refusal
 *   the host is asked at full speed again with the fortieth. Any other answer, or none, begins the row anew.
 * - With `targetConcurrency` the delay moves half of the way to what the latency asks for, and all of it upwards; only good
 *   answers move it down.
 * - The greatest of these, `minDelay` and the Crawl-delay counts, but never more than `maxDelay`.
 *
 * **Errors** Throws a `RangeError` that names the option, if one is out of range.
 *
 * @category policies
 * @stability unstable
 * @since 0.1.0
 */
export const make = (options: Options = {}): Politeness => {
  const minDelay = millis("minDelay", options.minDelay ?? defaults.minDelay)
  const maxDelay = millis("maxDelay", options.maxDelay ?? defaults.maxDelay)
  const { targetConcurrency } = options
  if (maxDelay < minDelay) {
    throw new RangeError(`Politeness.make: maxDelay must be at least minDelay (${minDelay} ms), got ${maxDelay} ms`)
  }
  if (targetConcurrency !== undefined && !(targetConcurrency > 0 && targetConcurrency < Infinity)) {
    throw new RangeError(`Politeness.make: targetConcurrency must be more than 0 and finite, got ${targetConcurrency}`)
  }
  const adapted = (before: number, latency: number, isGood: boolean): number => {
    if (targetConcurrency === undefined) return 0
    const target = latency / targetConcurrency
    const after = Math.max(target, (before + target) / 2)
    return Math.min(isGood ? after : Math.max(before, after), maxDelay)
  }
  const spacing = ({ adapted, backOff, crawlDelay }: State): number =>
    Math.min(Math.max(minDelay, crawlDelay, backOff, adapted), maxDelay)
  return {
    start: {
      crawlDelay: 0,
      backOff: 0,
      adapted: 0,
      pausedUntil: -Infinity,
      refusedAt: -Infinity,
      streak: 0,
      lastStartedAt: -Infinity
    },
    crawlDelay: (state, crawlDelay) => ({ ...state, crawlDelay: positive(crawlDelay) }),
    started: (state, at) => ({ ...state, lastStartedAt: at }),
    observed: (state, { endedAt, latency, retryAfter = 0, startedAt, status }) => {
      const isRefused = status === 429 || status === 503
      const isGood = status !== undefined && status < 400
      const isSince = startedAt >= state.refusedAt
      const pause = Math.min(positive(retryAfter), maxDelay)
      const next = {
        ...state,
        adapted: adapted(state.adapted, positive(latency), isGood),
        // Who asks for no pause has none: not even until the end of this request, which has nothing to do with those beside it.
        pausedUntil: pause === 0 ? state.pausedUntil : Math.max(state.pausedUntil, endedAt + pause)
      }
      if (isRefused && isSince) {
        const backOff = Math.min(Math.max(state.backOff * 2, firstBackOff), maxDelay)
        return { ...next, backOff, refusedAt: endedAt, streak: 0 }
      }
      if (!isGood) return { ...next, streak: 0 }
      if (state.backOff === 0 || !isSince) return next
      if (state.streak + 1 < recovery) return { ...next, streak: state.streak + 1 }
      const backOff = state.backOff / 2
      return { ...next, backOff: backOff < leastBackOff ? 0 : backOff, streak: 0 }
    },
    spacing,
    delay: (state) =>
      state.lastStartedAt === -Infinity
        ? spacing(state)
        : Math.max(spacing(state), state.pausedUntil - state.lastStartedAt)
  }
}

// -----------------------------------------------------------------------------

const millis = (option: "minDelay" | "maxDelay", input: Duration.Input): number => {
  const duration = Duration.fromInputUnsafe(input)
  const value = Duration.toMillis(duration)
  if (value >= 0 && value < Infinity) return value
  throw new RangeError(`Politeness.make: ${option} must be finite, got ${Duration.format(duration)}`)
}

/** What a server says may be anything. */
const positive = (value: number): number => Number.isNaN(value) ? 0 : Math.max(value, 0)
