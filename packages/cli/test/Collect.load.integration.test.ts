import { assert, describe, it } from "@effect/vitest"
import autocannon from "autocannon"
import { Effect } from "effect"
import { collect, linesOf, port0, rowsOf } from "./collectProcess.ts"
import { directoryWith } from "./conveyorProcess.ts"

const seconds = Number(process.env["LOAD_SECONDS"] ?? 10)
const connections = 20

interface Load {
  readonly acknowledged: ReadonlySet<number>
  /** Answers before the end was asked for, by status; 0 are requests that failed without one. */
  readonly before: ReadonlyMap<number, number>
  readonly after: ReadonlyMap<number, number>
  readonly isEnding: () => void
  readonly stop: () => void
  readonly result: Promise<autocannon.Result>
}

/** Sends one event after the other on every connection, each with an id of its own, until it is stopped. */
const load = (url: string): Load => {
  const acknowledged = new Set<number>()
  const before = new Map<number, number>()
  const after = new Map<number, number>()
  let counts = before
  const count = (status: number) => void counts.set(status, (counts.get(status) ?? 0) + 1)
  let id = 0
  let instance: autocannon.Instance
  const result = new Promise<autocannon.Result>((resolve, reject) => {
    instance = autocannon({
      url,
      connections,
      duration: seconds + 60,
      requests: [{
        method: "POST",
        headers: { "content-type": "application/json" },
        setupRequest: (request, context) => {
          Object.assign(context, { id: ++id })
          return { ...request, body: JSON.stringify({ id, name: "something that happened", at: 1_790_000_000_000 }) }
        },
        onResponse: (status, _body, context) => {
          count(status)
          if (status >= 200 && status < 300) acknowledged.add((context as { readonly id: number }).id)
        }
      }]
    }, (error, result) => error === null ? resolve(result) : reject(error as Error))
    instance.on("reqError", () => count(0))
  })
  return {
    acknowledged,
    before,
    after,
    isEnding: () => {
      counts = after
    },
    stop: () => instance.stop?.(),
    result
  }
}

describe("conveyor collect under load", () => {
  it.live(
    "has every event that it acknowledged, and ends in order",
    () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({})
        const collecting = yield* collect(directory, [
          ...port0,
          "--to",
          "ndjson:path=events.ndjson",
          "--to",
          "sqlite:path=events.db,table=events"
        ])
        const sent = load(collecting.url)
        yield* Effect.sleep(seconds * 1000)
        sent.isEnding()
        collecting.kill("SIGTERM")
        const { code, stderr } = yield* collecting.ended
        sent.stop()
        const { latency, requests } = yield* Effect.promise(() => sent.result)
        process.stdout.write(
          `${seconds} s, ${connections} connections: ${sent.acknowledged.size} acknowledged, ${
            Math.round(sent.acknowledged.size / seconds)
          } a second (${requests.p50} at the median), latency ${latency.p50} ms at p50, ${latency.p99} ms at p99, ${latency.max} ms at most\n`
        )

        assert.strictEqual(code, 0, stderr)
        // Nothing but acknowledged, or refused because the queue was full, and no connection lost.
        const statuses = Array.from(sent.before.keys())
        assert.deepStrictEqual(statuses.filter((status) => status !== 202 && status !== 429), [], stderr)
        assert.deepStrictEqual(
          Array.from(sent.after.keys()).filter((status) => ![0, 202, 429, 503].includes(status)),
          []
        )
        assert.isAbove(sent.acknowledged.size, connections)

        const missing = (ids: ReadonlySet<number>) => Array.from(sent.acknowledged).filter((id) => !ids.has(id))
        const lines = linesOf(`${directory}/events.ndjson`).map(({ id }) => id as number)
        const rows = rowsOf(`${directory}/events.db`, "select id from events").map(({ id }) => Number(id))
        assert.deepStrictEqual([missing(new Set(lines)), missing(new Set(rows))], [[], []])
        // More than were acknowledged only by those whose answer was lost in the end; none twice.
        assert.isAtMost(lines.length, sent.acknowledged.size + connections)
        assert.deepStrictEqual([new Set(lines).size, new Set(rows).size], [lines.length, lines.length])
        assert.strictEqual(rows.length, lines.length)
        assert.include(stderr, `events: ${lines.length} events accepted`)
      }),
    (seconds + 100) * 1000
  )
})
