import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { linesOf } from "./collectProcess.ts"
import { command, directoryWith, start } from "./conveyorProcess.ts"
import { serve, type Site } from "./crawl/site.ts"

/** Starts the command with a reader that reads nothing. */
const startUnread = (
  directory: string,
  args: ReadonlyArray<string>
): Effect.Effect<
  { readonly kill: (signal: NodeJS.Signals) => void; readonly code: Effect.Effect<number | null> },
  never,
  Scope.Scope
> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, [...command, ...args], {
          cwd: directory,
          stdio: ["ignore", "pipe", "ignore"]
        })
        return {
          child,
          code: new Promise<number | null>((resolve) => {
            child.on("exit", resolve)
          })
        }
      }),
      ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    ({ child, code }) => ({ kill: (signal) => void child.kill(signal), code: Effect.promise(() => code) })
  )

describe("conveyor crawl, stopped", () => {
  it.live("ends in order at SIGTERM: 0 with nothing to go on from, 75 with a state", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const stopped = Effect.fnUntraced(
        function*(site: Site, output: string, signal: NodeJS.Signals, ...flags: ReadonlyArray<string>) {
          const crawl = yield* start(directory, ["crawl", site.url, "--output", output, ...flags])
          yield* site.awaitAsked(12)
          crawl.kill(signal)
          // As npm echoes what it got.
          yield* Effect.sleep("40 millis")
          crawl.kill(signal)
          const ended = yield* crawl.ended
          const [, pages, left] = /^stopped: (\d+) pages in .*, (\d+) left$/m.exec(ended.stderr)!
          const [, known] = /(\d+) enqueued/.exec(ended.stderr)!
          const written = linesOf(`${directory}/${output}`).length
          assert.strictEqual(written + Number(left), Number(known), ended.stderr)
          return { ...ended, pages: Number(pages), written }
        }
      )
      const site = yield* serve({ pages: 100, delay: 100 })
      const [terminated, interrupted, resumable] = yield* Effect.all([
        stopped(yield* serve({ pages: 100, delay: 100 }), "a.ndjson", "SIGTERM"),
        stopped(yield* serve({ pages: 100, delay: 100 }), "b.ndjson", "SIGINT"),
        stopped(site, "c.ndjson", "SIGTERM", "--state", "c.db")
      ], { concurrency: 3 })
      assert.deepStrictEqual([terminated.code, interrupted.code, resumable.code], [0, 130, 75])
      assert.deepStrictEqual([terminated.pages, resumable.pages], [terminated.written, resumable.written])
      const again = yield* stopped(site, "c.ndjson", "SIGTERM", "--state", "c.db", "--resume")
      assert.strictEqual(again.written, resumable.pages + again.pages)
      assert.match(resumable.stderr, /^to go on:\n {2}.* crawl http:.* --output c\.ndjson --state c\.db --resume$/m)
    }))

  it.live("waits for whoever reads slowly, and ends at once at the third signal", () =>
    Effect.gen(function*() {
      const directory = yield* directoryWith({})
      const heldUp = Effect.fnUntraced(function*(...flags: ReadonlyArray<string>) {
        const site = yield* serve({ pages: 4000 })
        const crawl = yield* startUnread(directory, ["crawl", site.url, "--output", "-", ...flags])
        yield* site.awaitAsked(50)
        // Until nothing more is asked for.
        yield* Effect.suspend(() => Effect.as(Effect.sleep("700 millis"), site.asked.length)).pipe(
          Effect.repeat({ until: (asked) => asked === site.asked.length })
        )
        assert.isBelow(site.asked.length, 2000, flags[0])
        for (const signal of ["SIGINT", "SIGTERM", "SIGINT"] as const) {
          yield* Effect.sleep("100 millis")
          crawl.kill(signal)
        }
        assert.strictEqual(yield* crawl.code, 130)
      })
      yield* Effect.all([heldUp(), heldUp("--state", "crawl.db")], { concurrency: 2 })
    }))

  it.live("ends in order when its reader has gone", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 500, delay: 10 })
      const crawl = yield* start("/", ["crawl", site.url])
      yield* crawl.awaitText("stdout", "\n")
      crawl.closeOutput()
      const { code, stderr } = yield* crawl.ended
      assert.strictEqual(code, 0, stderr)
      assert.isBelow(site.asked.length, 500)
    }))
})
