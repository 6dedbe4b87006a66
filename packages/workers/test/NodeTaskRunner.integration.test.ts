import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NodeProcesses, NodeThreads } from "effect-workers"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { FromWorker, ToWorker } from "../src/internal/messages.ts"
import { execArgv, moduleUrl, refusal, start } from "./support/NodeWorkerSuite.ts"

/** A file into which a worker writes what it does with its resources. */
const notes = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(`${tmpdir()}/workers-`)),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  ),
  (path) => ({
    env: { ...process.env as Record<string, string>, NOTES: `${path}/notes` },
    read: () => readFileSync(`${path}/notes`, "utf8").trimEnd().split("\n")
  })
)

describe("NodeTaskRunner", () => {
  for (
    const [kind, { layer, layerEntry }] of [["threads", NodeThreads], ["processes", NodeProcesses]] as const
  ) {
    describe(`on ${kind}`, () => {
      for (
        const [how, host] of [
          [
            "a module that is loaded by its URL",
            (env: Record<string, string>) => layer(moduleUrl("duties"), { execArgv, env })
          ],
          [
            "a module by its path",
            (env: Record<string, string>) => layer(fileURLToPath(moduleUrl("duties")), { execArgv, env })
          ],
          [
            "an entry of one's own",
            (env: Record<string, string>) => layerEntry(moduleUrl("duties-entry"), { execArgv, env })
          ]
        ] as const
      ) {
        it.live(`runs the tasks of ${how}, and releases its Layer before it ends`, () =>
          Effect.gen(function*() {
            const { env, read } = yield* notes
            const { link, received, tell, value } = yield* start(host(env))
            link.post([[ToWorker.Begin, "worker-1", 2]])
            tell("double", { n: 21 })
            assert.strictEqual(yield* value, 42)
            tell("builds")
            assert.strictEqual(yield* value, 1)
            assert.deepStrictEqual(read(), [`built by ${link.details.pid}`])
            link.post([[ToWorker.Close]])
            assert.deepStrictEqual(yield* link.ended, { _tag: "Closed" })
            assert.deepStrictEqual(read(), [`built by ${link.details.pid}`, "released"])
            assert.sameMembers(
              received.filter(([kind]) => kind !== FromWorker.Memory).map(([kind]) => kind),
              [FromWorker.Succeeded, FromWorker.Succeeded]
            )
          }))
      }

      it.live("ends the worker of a task that leaves an error uncaught", () =>
        Effect.gen(function*() {
          const { env } = yield* notes
          const { link, tell } = yield* start(layer(moduleUrl("duties"), { execArgv, env, stderr: "ignore" }))
          link.post([[ToWorker.Begin, "worker-1", 1]])
          tell("crash", { text: "left uncaught" })
          const end = yield* link.ended
          assert.strictEqual(end._tag === "Exited" && end.code, 1)
          assert.match(end._tag === "Exited" ? end.detail : "", /^Error: left uncaught\n/)
        }))

      for (
        const [module, detail] of [
          [
            "without-default",
            /^file:.*without-default\.ts has no default export; it must be what TaskModule\.make returns$/
          ],
          ["other-default", /^the default export of file:.*other-default\.ts is not what TaskModule\.make returns$/],
          ["throwing", /^file:.*throwing\.ts could not be loaded: Error: the sky is falling\n {4}at .*throwing\.ts/],
          ["missing", /^file:.*missing\.ts could not be loaded: Error.*Cannot find module/],
          ["unbuildable", /^its Layer failed: NoDatabase: nothing listens on db\.example/]
        ] as const
      ) {
        it.live(`refuses the module ${module}`, () =>
          Effect.gen(function*() {
            const error = yield* refusal(layer(moduleUrl(module), { execArgv, stderr: "ignore" }))
            assert.strictEqual(error.reason, "Refused")
            assert.match(error.detail, detail)
          }))
      }

      it.live("waits for a Layer that is never built for as long as it may", () =>
        Effect.gen(function*() {
          const error = yield* refusal(layer(moduleUrl("unready"), { execArgv, startTimeout: "4 seconds" }))
          assert.strictEqual(error.detail, "it was not ready within 4s, and was killed")
        }))
    })
  }

  it("throws in a program that no host started", () => {
    const { status, stderr } = spawnSync(process.execPath, [...execArgv, fileURLToPath(moduleUrl("duties-entry"))], {
      encoding: "utf8"
    })
    assert.strictEqual(status, 1)
    assert.include(stderr, "NodeTaskRunner.run: no host started this program")
  })
})
