/**
 * The ways in which a run ends without the main fiber having ended, and the way in which a search does.
 *
 * `Deadlock`, `Livelock` and `Crash` are defects in the run's `exit`: nothing in the program raised them, so nothing in the
 * program can catch them. `CheckFailed` is the typed failure of `Simulation.check`.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Nothing was ready, no timer was set, and the main fiber had not ended. `waiting` describes the fibers alive.
 *
 * **Gotchas**
 *
 * A promise, a socket or a timer of the host looks the same from inside: a simulation runs synchronously and cannot wait
 * for anything outside it.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Deadlock extends Data.TaggedError("Deadlock")<{
  readonly step: number
  readonly elapsedMillis: number
  readonly waiting: ReadonlyArray<string>
}> {
  override get message(): string {
    return `deadlock after ${this.step} steps and ${this.elapsedMillis} virtual ms: nothing is ready, no timer is set, and the main ` +
      `fiber has not ended (or it waits for real input or output: a promise, a socket, a timer of the host, ` +
      `which a simulation cannot wait for); waiting: ${this.waiting.join(", ")}`
  }
}

/**
 * The main fiber had not ended after `maxSteps` steps.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Livelock extends Data.TaggedError("Livelock")<{
  readonly maxSteps: number
  readonly elapsedMillis: number
}> {
  override get message(): string {
    return `livelock: the main fiber has not ended after ${this.maxSteps} steps (maxSteps) and ${this.elapsedMillis} virtual ms`
  }
}

/**
 * A fault ended the run at the point named, as SIGKILL would: no fiber did anything more and no finalizer ran.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class Crash extends Data.TaggedError("Crash")<{
  readonly point: string
  readonly step: number
  readonly elapsedMillis: number
}> {
  override get message(): string {
    return `crashed at ${this.point} in step ${this.step}, after ${this.elapsedMillis} virtual ms`
  }
}

/**
 * A seed under which the property did not hold.
 *
 * **Details**
 *
 * `message` says which seed, the line that replays it, why the property failed, how the run ended and the end of its trace;
 * `reason` is what the property threw or failed with, absent when it returned false.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class CheckFailed extends Data.TaggedError("CheckFailed")<{
  readonly seed: number
  readonly run: number
  readonly report: string
  readonly reason?: unknown
}> {
  override get message(): string {
    return this.report
  }
}
