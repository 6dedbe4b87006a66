/**
 * What a queue and a worker tell each other, in small arrays: they are cloned, or packed, more cheaply than objects. They travel
 * in batches, one batch for all that came up in one turn, and arrive in the order in which they were posted.
 */

/** The span of the caller, to which the worker's span is linked: trace, span, sampled. */
export type Trace = readonly [traceId: string, spanId: string, sampled: boolean]

export const ToWorker = {
  Begin: 0,
  Call: 1,
  Interrupt: 2,
  Grant: 3,
  Update: 4,
  Close: 5
} as const

export const FromWorker = {
  Ready: 0,
  Succeeded: 1,
  Failed: 2,
  Chunk: 3,
  Memory: 4,
  Refused: 5,
  Resigned: 6
} as const

/** First of all, once: what the worker is called, and how many tasks it runs at a time. */
type Begin = readonly [kind: typeof ToWorker.Begin, name: string, concurrency: number]

/** Runs a task; a stream may emit `window` items before it is granted more, and 0 is no stream. */
export type Call = readonly [
  kind: typeof ToWorker.Call,
  id: number,
  tag: string,
  payload: unknown,
  attempt: number,
  window: number,
  trace: Trace | undefined
]

/** Interrupts a task, begun or not; it is answered all the same. */
type Interrupt = readonly [kind: typeof ToWorker.Interrupt, id: number]

/** Lets a stream emit as many items more. */
type Grant = readonly [kind: typeof ToWorker.Grant, id: number, items: number]

/** Runs a task between those posted before and those posted after: none that comes later begins before it has ended. */
export type Update = readonly [kind: typeof ToWorker.Update, id: number, tag: string, payload: unknown]

/** Finishes what runs, releases what the handlers hold, and ends the worker. */
type Close = readonly [kind: typeof ToWorker.Close]

export type ToWorkerMessage = Begin | Call | Interrupt | Grant | Update | Close

/** The handlers are there; nothing else comes before it. */
type Ready = readonly [kind: typeof FromWorker.Ready, tags: ReadonlyArray<string>]

/** A task or update succeeded, or a stream ended, after so many milliseconds in the worker. */
type Succeeded = readonly [kind: typeof FromWorker.Succeeded, id: number, runMillis: number, value: unknown]

/** A task, stream or update did not succeed: the encoded Exit. */
type Failed = readonly [kind: typeof FromWorker.Failed, id: number, runMillis: number, exit: unknown]

/** Items of a stream. */
export type Chunk = readonly [kind: typeof FromWorker.Chunk, id: number, items: ReadonlyArray<unknown>]

/** The bytes the worker holds, told now and then. */
type Memory = readonly [kind: typeof FromWorker.Memory, bytes: number]

/** Instead of Ready: the handlers cannot be had, and why. */
type Refused = readonly [kind: typeof FromWorker.Refused, reason: string]

/** It will finish what it has, and wants nothing more: its host is about to end. */
type Resigned = readonly [kind: typeof FromWorker.Resigned]

export type FromWorkerMessage = Ready | Succeeded | Failed | Chunk | Memory | Refused | Resigned
