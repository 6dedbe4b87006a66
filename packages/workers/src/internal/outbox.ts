import { type Chunk, FromWorker, type FromWorkerMessage } from "./messages.ts"
import { defectExit } from "./taskCodec.ts"

// What a worker has to say is gathered and posted together: one message of the platform costs as much as dozens of ours. It is
// posted when the turn in which it came up ends, or before that when it is much, or has waited while handlers compute.

/** Messages, and items of streams, after which a batch does not wait for more. */
const fullBatch = 256

/** Milliseconds that a batch waits while the worker computes without pause. */
const longestWait = 5

/** Milliseconds between two tellings of the memory held. */
const memoryInterval = 250

export interface OutboxOptions {
  readonly post: (batch: ReadonlyArray<FromWorkerMessage>, transfers?: ReadonlyArray<object>) => void
  readonly memory: (() => number) | undefined
  readonly millis: () => number
  /** Calls later, in a turn of its own. */
  readonly schedule: (f: () => void) => void
  /** Asked to end a stream of which an item cannot be posted, and to answer it so, if it has not ended. */
  readonly abandon: (id: number, failure: unknown) => void
}

type Transfers = ReadonlyArray<object>
type Answered = Exclude<
  FromWorkerMessage,
  readonly [typeof FromWorker.Ready | typeof FromWorker.Refused | typeof FromWorker.Memory, ...Array<unknown>]
>

export class Outbox {
  private readonly options: OutboxOptions
  private batch: Array<Answered> = []
  /** The chunks of this batch by stream: items that come later join them. */
  private chunks = new Map<number, Joinable>()
  private transfers = new Map<Answered, Transfers>()
  private weight = 0
  private openedAt = 0
  private memoryToldAt = -Infinity
  private scheduled = false
  private inTurn = false

  constructor(options: OutboxOptions) {
    this.options = options
  }

  /** Runs what may add many messages, and posts them at its end. */
  turn(f: () => void): void {
    if (this.inTurn) return f()
    this.inTurn = true
    try {
      f()
    } finally {
      this.inTurn = false
      this.flush()
    }
  }

  add(message: Answered, now: number, transfers: Transfers): void {
    this.batch.push(message)
    if (transfers.length > 0) this.transfers.set(message, transfers)
    this.added(1, now)
  }

  emit(id: number, items: ReadonlyArray<unknown>, now: number, transfers: Transfers): void {
    const joinable = this.chunks.get(id)
    if (joinable === undefined) {
      const message: [...Chunk] = [FromWorker.Chunk, id, items]
      this.chunks.set(id, { message, items: undefined })
      this.batch.push(message)
      if (transfers.length > 0) this.transfers.set(message, transfers)
    } else {
      join(joinable, items)
      if (transfers.length > 0) {
        this.transfers.set(joinable.message, [...(this.transfers.get(joinable.message) ?? []), ...transfers])
      }
    }
    this.added(items.length, now)
  }

  flush(): void {
    if (this.batch.length === 0) return
    const { batch, transfers } = this
    this.batch = []
    this.weight = 0
    if (this.chunks.size > 0) this.chunks = new Map()
    if (transfers.size > 0) this.transfers = new Map()
    try {
      this.post(batch, transfers.size === 0 ? none : [...transfers.values()].flat())
    } catch (error) {
      if (!isUncloneable(error)) throw error
      this.postSingly(batch, transfers)
    }
    // Looking for it takes its time: nobody who waits for an answer shall wait for that.
    this.tellMemory()
  }

  private added(weight: number, now: number): void {
    if (this.weight === 0) this.openedAt = now
    this.weight += weight
    if (this.weight >= fullBatch || now - this.openedAt >= longestWait) return this.flush()
    if (this.scheduled || this.inTurn) return
    this.scheduled = true
    this.options.schedule(() => {
      this.scheduled = false
      this.flush()
    })
  }

  /** Nothing of the batch was posted, for one message of it cannot be: that one is answered as a defect, the others are posted. */
  private postSingly(batch: ReadonlyArray<Answered>, transfers: ReadonlyMap<Answered, Transfers>): void {
    const spoilt = new Map<number, unknown>()
    for (const message of batch) {
      const id = message[0] === FromWorker.Resigned ? undefined : message[1]
      const before = id === undefined ? undefined : spoilt.get(id)
      const failure = before ?? this.unpostable(message, transfers.get(message) ?? none)
      if (failure === undefined || id === undefined) continue
      if (message[0] !== FromWorker.Chunk) this.post([[FromWorker.Failed, id, message[2] as number, failure]], none)
      else if (before === undefined) {
        spoilt.set(id, failure)
        this.options.abandon(id, failure)
      }
    }
  }

  private unpostable(message: Answered, transfers: Transfers): unknown {
    try {
      return this.post([message], transfers)
    } catch (error) {
      if (!isUncloneable(error)) throw error
      // Not all that can be cloned can be moved: Node pools the memory of small buffers.
      if (transfers.length > 0) return this.unpostable(message, none)
      return defectExit(new TypeError(`what it gave cannot be posted: ${error.message}`))
    }
  }

  private post(batch: ReadonlyArray<FromWorkerMessage>, transfers: Transfers): void {
    if (transfers.length === 0) this.options.post(batch)
    else this.options.post(batch, [...new Set(transfers)])
  }

  private tellMemory(): void {
    const { memory, millis } = this.options
    if (memory === undefined) return
    const now = millis()
    if (now - this.memoryToldAt < memoryInterval) return
    this.memoryToldAt = now
    this.post([[FromWorker.Memory, memory()]], none)
  }
}

const none: Transfers = []

interface Joinable {
  readonly message: [...Chunk]
  /** Our own copy: the first array may be the handler's. */
  items: Array<unknown> | undefined
}

const join = (joinable: Joinable, more: ReadonlyArray<unknown>): void => {
  if (joinable.items === undefined) {
    joinable.items = [...joinable.message[2]]
    joinable.message[2] = joinable.items
  }
  for (const item of more) joinable.items.push(item)
}

const isUncloneable = (error: unknown): error is Error => error instanceof Error && error.name === "DataCloneError"
