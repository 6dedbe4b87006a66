import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Observation, Politeness, State } from "../../Politeness.ts"

const millis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** What is known of each host of a crawl, and whose turn it is. */
export class Hosts {
  private readonly politeness: Politeness
  private readonly states = new Map<string, State>()

  constructor(politeness: Politeness) {
    this.politeness = politeness
  }

  /** The least time between the beginnings of two requests to a host, in milliseconds. */
  delayOf(host: string): number {
    return this.politeness.delay(this.of(host))
  }

  /** Takes note of what robots.txt asks for. */
  crawlDelay(host: string, delay: number): void {
    const state = this.of(host)
    if (state.crawlDelay !== delay) this.states.set(host, this.politeness.crawlDelay(state, delay))
  }

  observed(host: string, observation: Observation): void {
    this.states.set(host, this.politeness.observed(this.of(host), observation))
  }

  /**
   * Waits until a request to the host may begin, and gives when it does. The crawl keeps items of a host apart without holding a
   * worker; this is for what it does not see: another attempt, a redirect, a refusal while this one was on its way. Each takes the next
   * place in line at once, so that those who wait begin one after the other.
   */
  turn(host: string, waiting: Effect.Effect<void>): Effect.Effect<number> {
    return Effect.clockWith((clock) => {
      const now = millis(clock)
      const state = this.of(host)
      const at = Math.max(now, state.lastStartedAt + this.politeness.delay(state))
      this.states.set(host, this.politeness.started(state, at))
      return at <= now
        ? Effect.succeed(now)
        : Effect.andThen(waiting, Effect.andThen(Effect.sleep(at - now), this.resumed(host, waiting)))
    })
  }

  /** The host may have asked to be left alone meanwhile. */
  private resumed(host: string, waiting: Effect.Effect<void>): Effect.Effect<number> {
    return Effect.clockWith((clock) => {
      const now = millis(clock)
      return this.of(host).pausedUntil > now ? this.turn(host, waiting) : Effect.succeed(now)
    })
  }

  private of(host: string): State {
    return this.states.get(host) ?? this.politeness.start
  }
}
