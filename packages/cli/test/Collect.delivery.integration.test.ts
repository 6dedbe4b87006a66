import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { readFileSync } from "node:fs"
import { collect, linesOf, ndjson, port0, post, receiver, send, upload } from "./collectProcess.ts"
import { directoryWith } from "./conveyorProcess.ts"

const file = (consumers: string, keys = "") =>
  `collectors:\n  events:\n    listen: 127.0.0.1:0\n${
    keys.split("\n").map((key) => key === "" ? "" : `    ${key}\n`).join("")
  }    consumers: ${consumers}\n`

/** Retries at once, so that a test need not wait. */
const soon = "retry: { minBackoff: 50ms, maxBackoff: 100ms }"

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ id: from + i })}\n`).join("")

const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.gen(function*() {
    while (!(yield* condition)) yield* Effect.sleep("20 millis")
  })

describe("conveyor collect, delivering", () => {
  it.live("says 429 while an outage fills the queue, and loses nothing of what it accepted", () =>
    Effect.gen(function*() {
      let isDown = true
      const server = yield* receiver(() => ({ status: isDown ? 503 : 200 }))
      const directory = yield* directoryWith({
        "c.yaml": file(`{ http: { url: "${server.url}", ${soon} } }`, "capacity: 10\nmaxConsumers: 4")
      })
      const collecting = yield* collect(directory, ["c.yaml"])
      const accepted: Array<number> = []
      let refused = 0
      for (let id = 0; refused < 3; id++) {
        const { body, headers, status } = yield* post(collecting.url, JSON.stringify({ id }))
        if (status === 202) accepted.push(id)
        else {
          refused++
          assert.strictEqual(status, 429)
          assert.isAtLeast(Number(headers.get("retry-after")), 1)
          assert.strictEqual(body.detail, "the queue is full")
        }
        // So that consumers are hired, which hold an event each.
        yield* Effect.sleep("20 millis")
      }
      assert.isAtLeast(accepted.length, 10)
      assert.isAtMost(accepted.length, 14)

      // All or nothing: of what does not fit nothing is taken, and what never fits is told so.
      assert.strictEqual((yield* post(collecting.url, "[1,2,3]")).status, 429)
      assert.strictEqual(
        (yield* post(collecting.url, JSON.stringify(accepted))).status,
        accepted.length > 10 ? 413 : 429
      )

      // A stream waits instead.
      const streaming = yield* Effect.forkChild(post(collecting.url, lines(1000, 1050), ndjson), {
        startImmediately: true
      })
      yield* Effect.sleep("300 millis")
      assert.isUndefined(streaming.pollUnsafe())

      isDown = false
      const streamed = yield* Fiber.join(streaming)
      assert.deepStrictEqual([streamed.status, streamed.body.accepted], [202, 50])
      collecting.kill("SIGTERM")
      const { code, stderr } = yield* collecting.ended
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(
        server.bodies.map(({ id }) => id as number).sort((a, b) => a - b),
        [...accepted, ...Array.from({ length: 50 }, (_, i) => 1000 + i)]
      )
      assert.include(stderr, `http  ${accepted.length + 50} delivered, 0 failed, 0 left`)
      assert.include(stderr, "http does not take events, and is tried again")
      assert.include(stderr, "http takes events again")
    }))

  it.live("fails only the event at fault when a batch is refused", () =>
    Effect.gen(function*() {
      const server = yield* receiver((body) => ({ status: JSON.stringify(body).includes("poison") ? 400 : 200 }))
      const directory = yield* directoryWith({
        "c.yaml": file(
          `{ http: { url: "${server.url}", send: batch, batch: { size: 20, wait: 200ms } }, ndjson: { path: o.ndjson } }`,
          "minConsumers: 20"
        )
      })
      const collecting = yield* collect(directory, ["c.yaml"])
      const events = Array.from({ length: 10 }, (_, id) => id === 6 ? { id, poison: true } : { id })
      const { body, status } = yield* post(`${collecting.url}?wait=true`, JSON.stringify(events))
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.events.map(({ results }: any) => `${results.http.outcome} ${results.ndjson.outcome}`),
        events.map(({ id }) => `${id === 6 ? "failed" : "delivered"} delivered`)
      )
      assert.include(body.events[6].results.http.reason, "400")
      assert.deepStrictEqual(
        server.bodies.flat().map(({ id }) => id),
        events.map(({ id }) => id).filter((id) => id !== 6)
      )
      collecting.kill("SIGTERM")
      const { code, stderr } = yield* collecting.ended
      assert.strictEqual(code, 0)
      assert.include(stderr, "http    9 delivered, 1 failed, 0 left")
      assert.include(stderr, `http gave up ${body.events[6].receipt}`)
    }))

  it.live("gives an event up after its attempts", () =>
    Effect.gen(function*() {
      let requests = 0
      const server = yield* receiver(() => {
        requests++
        return { status: 500 }
      })
      const directory = yield* directoryWith({
        "c.yaml": file(`{ http: { url: "${server.url}", attempts: 3, ${soon} } }`)
      })
      const collecting = yield* collect(directory, ["c.yaml"])
      const { body } = yield* post(`${collecting.url}?wait=true`, "{}")
      assert.strictEqual(body.results.http.outcome, "failed")
      assert.strictEqual(requests, 3)
    }))

  it.live("starts although a consumer is not there yet", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({ "c.yaml": file(`{ http: { url: "http://127.0.0.1:1/", ${soon} } }`) })
      const collecting = yield* collect(directory, ["c.yaml"])
      assert.strictEqual((yield* post(collecting.url, "{}")).status, 202)
      yield* collecting.awaitText("stderr", "http does not take events")
    }))

  it.live("takes a client's time: events of a stream are delivered before it ends", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const collecting = yield* collect(directory, [...port0, "--to", "ndjson:path=o.ndjson"])
      const stream = upload(collecting.url, ndjson)
      const event = upload(collecting.url, { "content-type": "application/json" })
      yield* event.write("{\"id\":")
      for (const id of [1, 2, 3]) {
        yield* stream.write(`{"id"`)
        yield* Effect.sleep("100 millis")
        yield* stream.write(`:${id}}\n`)
        yield* until(Effect.sync(() => linesOf(`${directory}/o.ndjson`).length === id))
      }
      yield* event.write("4}")
      event.end()
      assert.strictEqual((yield* event.answer).status, 202)
      stream.end()
      const { body, status } = yield* stream.answer
      assert.deepStrictEqual([status, body.accepted, body.events.length], [202, 3, 3])
    }))

  it.live("keeps what came before a client went away in the middle, and goes on", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const collecting = yield* collect(directory, [...port0, "--to", "ndjson:path=o.ndjson"])
      const stream = upload(collecting.url, ndjson)
      yield* stream.write(`${lines(0, 5)}{"id":`)
      const event = upload(collecting.url, { "content-type": "application/json", "content-length": "100" })
      yield* event.write("{\"id\":7")
      yield* until(Effect.sync(() => linesOf(`${directory}/o.ndjson`).length === 5))
      stream.destroy()
      event.destroy()
      assert.strictEqual((yield* post(collecting.url, "{\"id\":5}")).status, 202)
      collecting.kill("SIGTERM")
      const { code, stderr } = yield* collecting.ended
      assert.strictEqual(code, 0, stderr)
      assert.deepStrictEqual(linesOf(`${directory}/o.ndjson`).map(({ id }) => id), [0, 1, 2, 3, 4, 5])
      assert.notInclude(stderr, "ERROR")
    }))

  it.live("brings 100 MB through a slow consumer, in bounded memory", () =>
    Effect.gen(function*() {
      const events = 10_000
      let received = 0
      const server = yield* receiver((body) => {
        received += (body as ReadonlyArray<unknown>).length
        return { status: 200, afterMillis: 20 }
      })
      const directory = yield* directoryWith({
        "c.yaml": file(`{ http: { url: "${server.url}", send: batch } }`, "capacity: 100")
      })
      // With a heap that is smaller than what goes through, so that garbage does not pass for memory that is needed.
      const collecting = yield* collect(directory, ["c.yaml"], {
        NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=4"
      })
      const peak = () =>
        Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${collecting.pid}/status`, "utf8"))![1]) / 1024
      const filler = "x".repeat(10_000)
      const piece = (from: number) =>
        Array.from({ length: 100 }, (_, i) => `{"id":${from + i},"filler":"${filler}"}\n`).join("")
      yield* post(`${collecting.url}?wait=true`, piece(0), ndjson)
      const before = peak()
      const stream = upload(collecting.url, ndjson)
      for (let id = 0; id < events; id += 100) yield* stream.write(piece(id))
      stream.end()
      const { body, status } = yield* stream.answer
      assert.deepStrictEqual([status, body], [202, { accepted: events }])
      const grown = peak() - before
      collecting.kill("SIGTERM")
      const { code, stderr } = yield* collecting.ended
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(received, events + 100)
      assert.isBelow(grown, 50)
    }))

  describe("ending", () => {
    it.live("answers what is under way, refuses what comes, and drains", () =>
      Effect.gen(function*() {
        const server = yield* receiver(() => ({ status: 200, afterMillis: 1000 }))
        const directory = yield* directoryWith({
          "c.yaml": file(`{ http: { url: "${server.url}" } }`, "maxConsumers: 1\ncapacity: 3")
        })
        const collecting = yield* collect(directory, ["c.yaml"])
        const waiting = yield* Effect.forkChild(post(`${collecting.url}?wait=true`, "{\"id\":0}"), {
          startImmediately: true
        })
        const stats = Effect.map(send(collecting.at("/stats"), {}), ({ body }) => body)
        yield* until(Effect.map(stats, ({ busy }) => busy === 1))
        const stream = upload(collecting.url, ndjson)
        yield* stream.write(lines(1, 10))
        const event = upload(collecting.url, { "content-type": "application/json" })
        yield* event.write("{\"id\":")
        yield* until(Effect.map(stats, ({ qsize }) => qsize === 3))
        collecting.kill("SIGTERM")

        const streamed = yield* stream.answer
        assert.deepStrictEqual([streamed.status, streamed.body.accepted], [503, 3])
        assert.strictEqual(streamed.headers.get("connection"), "close")
        assert.strictEqual((yield* event.answer).status, 503)
        const late = yield* post(collecting.url, "{}")
        assert.deepStrictEqual([late.status, late.headers.get("connection")], [503, "close"])
        assert.strictEqual((yield* send(collecting.at("/stats"), {})).status, 200)
        const waited = yield* Fiber.join(waiting)
        assert.deepStrictEqual([waited.status, waited.body.results], [200, { http: { outcome: "delivered" } }])
        const { code, stderr } = yield* collecting.ended
        assert.strictEqual(code, 0, stderr)
        assert.deepStrictEqual(server.bodies.map(({ id }) => id), [0, 1, 2, 3])
        assert.include(stderr, "events: 4 events accepted\n  http  4 delivered, 0 failed, 0 left")
      }))

    it.live("lives until a client that is slow to read has its answer", () =>
      Effect.gen(function*() {
        const events = 60_000
        const directory = yield* directoryWith({
          "c.yaml": file(
            `{ ${"a-consumer-with-a-name-that-makes-answers-long".padEnd(64, "-")}: { type: ndjson, path: o.ndjson } }`,
            "capacity: unbounded\nmaxBody: 9 MB\nconsumerShutdownTimeout: 1min"
          )
        })
        const collecting = yield* collect(directory, ["c.yaml"])
        const stream = upload(`${collecting.url}?wait=true`, { "content-type": "application/json" }, 500)
        yield* stream.write(`[${"1,".repeat(events - 1)}1]`)
        stream.end()
        yield* until(Effect.map(send(collecting.at("/stats"), {}), ({ body }) => body.eventCount === events))
        collecting.kill("SIGTERM")
        assert.lengthOf((yield* stream.answer).body.events, events)
        assert.strictEqual((yield* collecting.ended).code, 0)
      }))

    it.live("tells what a consumer that does not answer left, after the timeout", () =>
      Effect.gen(function*() {
        const server = yield* receiver(() => ({ status: 200, afterMillis: 60_000 }))
        const directory = yield* directoryWith({
          "c.yaml": file(
            `{ http: { url: "${server.url}" }, ndjson: { path: o.ndjson } }`,
            "consumerShutdownTimeout: 500ms\nautoscale: false\nmaxConsumers: 2"
          )
        })
        const collecting = yield* collect(directory, ["c.yaml"])
        const waiting = yield* Effect.forkChild(post(`${collecting.url}?wait=true`, "{\"id\":0}"), {
          startImmediately: true
        })
        for (let id = 1; id < 5; id++) yield* post(collecting.url, JSON.stringify({ id }))
        yield* Effect.sleep("300 millis")
        const before = performance.now()
        collecting.kill("SIGTERM")
        const { body } = yield* Fiber.join(waiting)
        assert.deepStrictEqual(body.results, { http: { outcome: "interrupted" }, ndjson: { outcome: "delivered" } })
        const { code, stderr } = yield* collecting.ended
        assert.isBelow(performance.now() - before, 4500)
        assert.strictEqual(code, 0, stderr)
        assert.include(stderr, "http    0 delivered, 0 failed, 5 left")
        assert.include(stderr, "ndjson  2 delivered, 0 failed, 3 left")
      }))

    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      it.live(`ends at once with ${code} at a second ${signal}`, () =>
        Effect.gen(function*() {
          const server = yield* receiver(() => ({ status: 200, afterMillis: 60_000 }))
          const collecting = yield* collect("/", [...port0, "--to", `http:url=${server.url}`])
          yield* post(collecting.url, "{}")
          collecting.kill(signal)
          yield* Effect.sleep("400 millis")
          const before = performance.now()
          collecting.kill(signal)
          assert.strictEqual((yield* collecting.ended).code, code)
          assert.isBelow(performance.now() - before, 2000)
        }))
    }

    it.live("does not wait for a client that never finishes", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", port0)
        const idle = upload(collecting.url, ndjson)
        yield* idle.write("{\"id\":1}\n{\"id\"")
        yield* collecting.awaitText("stdout", "receipt")
        const before = performance.now()
        collecting.kill("SIGTERM")
        assert.strictEqual((yield* idle.answer).body.accepted, 1)
        assert.strictEqual((yield* collecting.ended).code, 0)
        assert.isBelow(performance.now() - before, 4500)
      }))

    it.live("ends quietly when nobody reads its output any more", () =>
      Effect.gen(function*() {
        const collecting = yield* collect("/", port0)
        yield* post(`${collecting.url}?wait=true`, "{}")
        collecting.closeOutput()
        yield* post(collecting.url, "{}")
        const { code, stderr } = yield* collecting.ended
        assert.strictEqual(code, 0, stderr)
        assert.notInclude(stderr, "EPIPE")
        assert.match(stderr, /events: \d events accepted/)
      }))
  })
})
