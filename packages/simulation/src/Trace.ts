/**
 * What happened in a run, in the order in which it happened.
 *
 * Fibers are numbered from 1 (the main fiber) in the order in which they first ran, so that the numbers of one seed are the
 * same in every process. A trace is kept as numbers and becomes objects when `events` is read.
 *
 * @stability stable
 * @since 0.1.0
 */

/**
 * What an event of a trace says about a fiber.
 *
 * **Details**
 *
 * `start` it runs for the first time · `run` it runs again · `yield` the seed made it yield · `sleep` it sets a timer ·
 * `wake` its timer has rung · `end` it has ended · `fault` a fault was injected into it · `interrupt` a fault interrupted
 * it · `clock` the wall clock was moved.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Kind = "start" | "run" | "yield" | "sleep" | "wake" | "end" | "fault" | "interrupt" | "clock"

/**
 * One line of a trace. `time` is virtual and in milliseconds since the run began; `step` counts the tasks run so far;
 * `detail` is the span a fiber started in, how it ended, the name of a fault, or the time slept until.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Event {
  readonly time: number
  readonly step: number
  readonly fiber: number
  readonly kind: Kind
  readonly detail: string
}

/**
 * The events of a run.
 *
 * **Details**
 *
 * `events` holds the last ones, as many as the run's `traceLimit`; `omitted` counts those before them. `digest` is a hash of
 * all of them: two runs with the same digest took the same course.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Trace {
  readonly digest: string
  readonly omitted: number
  readonly events: ReadonlyArray<Event>
}

/**
 * Writes a trace as a table, one event a line. `last` limits it to the end of the trace, which is where a failure shows.
 *
 * @category formatting
 * @stability stable
 * @since 0.1.0
 */
export const format = (trace: Trace, options?: { readonly last?: number | undefined }): string => {
  const events = options?.last === undefined ? trace.events : trace.events.slice(-options.last)
  const omitted = trace.omitted + trace.events.length - events.length
  const lines = events.map((event) =>
    `${`${event.time} ms`.padStart(14)} ${String(event.step).padStart(7)}  ${
      `#${event.fiber}`.padEnd(5)
    } ${event.kind} ${event.detail}`
      .trimEnd()
  )
  const head = `${"time".padStart(14)} ${"step".padStart(7)}  fiber event`
  return [head, ...(omitted > 0 ? [`  … ${omitted} earlier events`] : []), ...lines].join("\n")
}
