/**
 * What this machine is doing: processor, memory, disk and network, once for each tick.
 *
 * Takes about 2 ms a tick on Linux, plus 200 ms once for the first one, so that even that has rates to tell. Numbers are those of
 * the machine: a container's own limits are not looked at.
 *
 * @since 0.1.0
 */
import * as Producer from "effect-conveyor/Producer"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { statfs } from "node:fs/promises"
import * as Os from "node:os"
import { mem, networkInterfaceDefault, networkStats } from "systeminformation"
import { optional } from "./internal/optionSchema.ts"

/**
 * The options of the `host` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  disk: optional(Schema.String, "a path on the disk that the disk fields tell about", "/"),
  disks: optional(
    Schema.Array(Schema.String),
    "paths on further disks, told in the field disks by path; none unless given"
  ),
  network: optional(Schema.String, "the network interface, such as eth0; the one of the default route unless given")
})

/**
 * The options of the `host` producer.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * The defaults of {@link Options}.
 *
 * @category options
 * @stability stable
 * @since 0.1.0
 */
export const defaults = { disk: "/" } as const

/**
 * One disk.
 *
 * **Details** `diskAvailableBytes` is what an ordinary user may still write, which is less than what is unused.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Disk {
  readonly totalBytes: number
  readonly usedBytes: number
  readonly availableBytes: number
}

/**
 * What the `host` producer gives.
 *
 * **Details**
 *
 * `cpuPercent` is of all processors together (0–100), and like the network rates it is the mean since the previous tick.
 * `load1`, `load5` and `load15` are the load averages (0 on Windows). `memoryUsedBytes` is what programs hold: the total less
 * what is available. Network fields are null where there is no such network interface; rates are null for a tick at the same
 * instant as the one before, and when the counters went back.
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Host {
  readonly dueAt: string
  readonly cpuPercent: number | null
  readonly load1: number
  readonly load5: number
  readonly load15: number
  readonly memoryUsedBytes: number
  readonly memoryTotalBytes: number
  readonly swapUsedBytes: number
  readonly swapTotalBytes: number
  readonly diskUsedBytes: number
  readonly diskAvailableBytes: number
  readonly diskTotalBytes: number
  readonly networkReceivedBytes: number | null
  readonly networkSentBytes: number | null
  readonly networkReceivedBytesPerSecond: number | null
  readonly networkSentBytesPerSecond: number | null
  readonly uptimeSeconds: number
  readonly disks?: { readonly [path: string]: Disk }
}

/**
 * A probe of the machine failed.
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class HostError extends Data.TaggedError("HostError")<{ readonly probe: string; readonly cause: unknown }> {
  override get message(): string {
    return `cannot read ${this.probe}: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

/**
 * Makes a producer of this machine's state.
 *
 * **Errors** `HostError` when a path named as a disk does not exist or a probe fails.
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = (options: Options = {}): Producer.Producer<Host, HostError> =>
  Producer.make(
    "host",
    Effect.gen(function*() {
      const network = options.network ??
        (yield* probe("the default network interface", () => networkInterfaceDefault()))
      let last = yield* sample(network)
      return Effect.fnUntraced(function*(tick) {
        // Two samples taken at nearly the same time say nothing; this delays only the very first tick.
        const age = (yield* Clock.currentTimeNanos) - last.nanos
        if (last.first && age < minimumWindow) yield* Effect.sleep(minimumWindow - age)
        const [now, memory, disk, others] = yield* Effect.all([
          sample(network),
          probe("memory", () => mem()),
          readDisk(options.disk ?? defaults.disk),
          Effect.forEach(options.disks ?? [], (path) => Effect.map(readDisk(path), (disk) => [path, disk] as const))
        ], { concurrency: "unbounded" })
        const before = last
        last = { ...now, first: false }
        const [load1, load5, load15] = Os.loadavg() as [number, number, number]
        const seconds = Number(now.nanos - before.nanos) / 1e9
        const host: Host = {
          dueAt: DateTime.formatIso(tick.dueAt),
          cpuPercent: cpuPercent(before, now),
          load1: round(load1),
          load5: round(load5),
          load15: round(load15),
          memoryUsedBytes: memory.total - memory.available,
          memoryTotalBytes: memory.total,
          swapUsedBytes: memory.swapused,
          swapTotalBytes: memory.swaptotal,
          diskUsedBytes: disk.usedBytes,
          diskAvailableBytes: disk.availableBytes,
          diskTotalBytes: disk.totalBytes,
          networkReceivedBytes: now.received,
          networkSentBytes: now.sent,
          networkReceivedBytesPerSecond: rate(before.received, now.received, seconds),
          networkSentBytesPerSecond: rate(before.sent, now.sent, seconds),
          uptimeSeconds: Math.floor(Os.uptime()),
          ...(others.length === 0 ? undefined : { disks: Object.fromEntries(others) })
        }
        return host
      })
    })
  )

/** In nanoseconds: twenty clock ticks of the kernel's accounting. */
const minimumWindow = 200_000_000n

interface Sample {
  readonly first: boolean
  readonly nanos: bigint
  readonly busy: number
  readonly total: number
  readonly received: number | null
  readonly sent: number | null
}

const sample = (network: string): Effect.Effect<Sample, HostError> =>
  Effect.gen(function*() {
    const stats = network === "" ? [] : yield* probe(`network interface ${network}`, () => networkStats(network))
    const nanos = yield* Clock.currentTimeNanos
    // An interface that does not exist is told as one in no known state that never moved a byte.
    const counters = stats.find(({ operstate, rx_bytes, tx_bytes }) =>
      operstate !== "unknown" || rx_bytes > 0 || tx_bytes > 0
    )
    return { first: true, nanos, ...cpuTimes(), received: counters?.rx_bytes ?? null, sent: counters?.tx_bytes ?? null }
  })

// systeminformation's own `currentLoad` runs a shell synchronously and shares one sample among all its callers.
const cpuTimes = (): { readonly busy: number; readonly total: number } => {
  let total = 0
  let idle = 0
  for (const { times } of Os.cpus()) {
    total += times.user + times.nice + times.sys + times.irq + times.idle
    idle += times.idle
  }
  return { busy: total - idle, total }
}

const cpuPercent = (before: Sample, now: Sample): number | null =>
  now.total > before.total ? round(100 * (now.busy - before.busy) / (now.total - before.total)) : null

const rate = (before: number | null, now: number | null, seconds: number): number | null =>
  before === null || now === null || now < before || seconds <= 0 ? null : Math.round((now - before) / seconds)

const round = (n: number): number => Math.round(n * 100) / 100

const readDisk = (path: string): Effect.Effect<Disk, HostError> =>
  Effect.map(probe(`disk ${path}`, () => statfs(path)), (stats) => ({
    totalBytes: stats.blocks * stats.bsize,
    usedBytes: (stats.blocks - stats.bfree) * stats.bsize,
    availableBytes: stats.bavail * stats.bsize
  }))

const probe = <A>(name: string, read: () => Promise<A>): Effect.Effect<A, HostError> =>
  Effect.tryPromise({ try: read, catch: (cause) => new HostError({ probe: name, cause }) })
