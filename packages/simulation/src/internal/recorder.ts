import type * as Trace from "../Trace.ts"

/** The kinds of event, in the order in which they are numbered inside the ring. */
const kinds = ["start", "run", "yield", "sleep", "wake", "end", "fault", "interrupt", "clock"] as const

export const Start = 0
export const Run = 1
export const Yield = 2
export const Sleep = 3
export const Wake = 4
export const End = 5
export const Fault = 6
export const Interrupt = 7
export const Clock = 8

// time, step, fiber, kind, and one number whose meaning depends on the kind
const width = 5

const mix = (hash: number, value: number): number => {
  const mixed = Math.imul(hash ^ value, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}

/**
 * Writes events as numbers into a ring and reads them back as objects only when somebody looks: a run that passes pays
 * about ten nanoseconds an event. The digest covers every event, also those that the ring has let go.
 */
export class Recorder {
  private readonly ring: Array<number> = []
  private readonly names: Array<string> = []
  private count = 0
  private low = 0x2545f491
  private high = 0x6c8e9cf5
  private readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  record(time: number, step: number, fiber: number, kind: number, detail: number): void {
    this.low = mix(mix(this.low, (step << 4) ^ kind), fiber)
    this.high = mix(mix(this.high, Math.round(time * 1000)), Math.round(detail * 1000))
    const at = (this.count++ % this.capacity) * width
    const ring = this.ring
    ring[at] = time
    ring[at + 1] = step
    ring[at + 2] = fiber
    ring[at + 3] = kind
    ring[at + 4] = detail
  }

  name(text: string): number {
    const known = this.names.indexOf(text)
    return known >= 0 ? known : this.names.push(text) - 1
  }

  toTrace(): Trace.Trace {
    const { capacity, count, high, low, names, ring } = this
    let events: ReadonlyArray<Trace.Event> | undefined
    return {
      digest: hex(high) + hex(low),
      omitted: Math.max(0, count - capacity),
      get events() {
        if (events === undefined) {
          const first = Math.max(0, count - capacity)
          events = Array.from({ length: count - first }, (_, index) => event(ring, names, (first + index) % capacity))
        }
        return events
      }
    }
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")

const event = (ring: ReadonlyArray<number>, names: ReadonlyArray<string>, slot: number): Trace.Event => {
  const at = slot * width
  const kind = ring[at + 3]!
  return {
    time: ring[at]!,
    step: ring[at + 1]!,
    fiber: ring[at + 2]!,
    kind: kinds[kind]!,
    detail: describe(kind, ring[at + 4]!, names)
  }
}

/** How a fiber ended, numbered. */
const ends = ["succeeded", "failed", "died", "interrupted"] as const

const describe = (kind: number, detail: number, names: ReadonlyArray<string>): string => {
  switch (kind) {
    case Start:
    case Fault:
      return names[detail] ?? ""
    case Sleep:
      return `until ${detail} ms`
    case End:
      return ends[detail] ?? ""
    case Clock:
      return `wall clock moved by ${detail} ms`
    default:
      return ""
  }
}
