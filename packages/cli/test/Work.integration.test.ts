import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import * as NodeRemoteHosts from "effect-workers/NodeRemoteHosts"
import * as TaskQueue from "effect-workers/TaskQueue"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { requires } from "../../../test/support/requires.ts"
import { directoryWith, moduleFile, run, start } from "./conveyorProcess.ts"
import tasks from "./modules/tasks.ts"

const secret = "a secret of the tests"
const known = { CONVEYOR_SECRET: secret }

const port0 = ["--listen", "tcp://127.0.0.1:0"]

/** Starts `conveyor work` and waits until it listens. */
const working = (args: ReadonlyArray<string>, environment: { readonly [name: string]: string } = known) =>
  Effect.gen(function*() {
    const directory = yield* directoryWith({ "secret.txt": `${secret}\n` })
    const running = yield* start(
      directory,
      ["work", "--tasks", moduleFile("tasks"), ...args.includes("--listen") ? [] : port0, ...args],
      environment
    )
    yield* running.awaitText("stderr", "connect to ")
    return { ...running, address: /connect to (\S+)/.exec(running.printed.stderr)![1]! }
  })

const knowing = { secret: Redacted.make(secret) }

const queueAt = (address: string, options: NodeRemoteHosts.Options = knowing) =>
  Effect.provide(TaskQueue.make(tasks.group, { max: 1 }), NodeRemoteHosts.layer(address, options))

const refused = (args: ReadonlyArray<string>, environment = known as { readonly [name: string]: string }) =>
  Effect.flatMap(directoryWith({ "secret.txt": secret }), (directory) => run(directory, ["work", ...args], environment))

describe("conveyor work", () => {
  it.live("runs tasks for a queue that knows the secret of a file, and says what it serves", () =>
    Effect.gen(function*() {
      const { address, ended, kill, printed } = yield* working(["--secret-file", "secret.txt", "--workers", "2"], {})
      assert.match(printed.stderr, /up to 2 threads run .*tasks\.ts for queues that connect to tcp:\/\/127.0.0.1:[1-9]/)
      const queue = yield* queueAt(address)
      assert.strictEqual(yield* TaskQueue.call(queue, "double", 21), 42)
      yield* TaskQueue.shutdown(queue)
      kill("SIGTERM")
      const { code, stderr, stdout } = yield* ended
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /was closed by its queue/)
      assert.match(stderr, /stopped: 1 worker in all/)
      assert.notInclude(stderr, secret)
    }))

  it.live("lets workers finish when it is told to stop, and ends with 0", () =>
    Effect.gen(function*() {
      const { address, awaitText, ended, kill } = yield* working(["--kind", "processes"])
      const queue = yield* queueAt(address)
      yield* TaskQueue.call(queue, "double", 1)
      const sleeping = yield* Effect.forkChild(TaskQueue.call(queue, "sleep", 1500), { startImmediately: true })
      yield* Effect.sleep("300 millis")
      kill("SIGTERM")
      yield* awaitText("stderr", "may finish what is left")
      assert.strictEqual(yield* Fiber.join(sleeping), "slept")
      assert.strictEqual((yield* ended).code, 0)
    }))

  it.live("waits for workers no longer than it may, and not at all after a second signal", () =>
    Effect.gen(function*() {
      for (const [args, signals, code] of [[["--drain-timeout", "200ms"], 1, 0], [[], 2, 143]] as const) {
        const { address, awaitText, ended, kill } = yield* working(args)
        const queue = yield* queueAt(address)
        yield* TaskQueue.call(queue, "double", 1)
        yield* Effect.forkChild(TaskQueue.call(queue, "sleep", 60_000), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        kill("SIGTERM")
        yield* awaitText("stderr", "may finish what is left")
        if (signals === 2) {
          // One that comes at once is taken for an echo.
          yield* Effect.sleep("300 millis")
          kill("SIGTERM")
        }
        const end = yield* ended
        assert.strictEqual(end.code, code, end.stderr)
        if (code === 0) assert.match(end.stderr, /1 worker had not finished after 200ms/)
      }
    }))

  it.live("loses nothing but what may not run twice when one of two is killed under load, and is found again", () =>
    Effect.gen(function*() {
      const [doomed, other] = [yield* working(["--workers", "2"]), yield* working(["--workers", "2"])]
      const queue = yield* Effect.provide(
        TaskQueue.make(tasks.group, { max: 4, prefetch: 0 }),
        NodeRemoteHosts.layer([doomed.address, other.address], knowing)
      )
      let done = 0
      const answers = yield* Effect.forEach(
        Array.from({ length: 400 }, (_, n) => n),
        (n) =>
          TaskQueue.call(queue, "sleep", 10, { retryable: n % 2 === 0 }).pipe(
            Effect.match({ onSuccess: (answer) => answer, onFailure: ({ _tag }) => _tag }),
            Effect.tap(() => Effect.sync(() => ++done === 100 && doomed.kill("SIGKILL")))
          ),
        { concurrency: "unbounded" }
      )
      const lost = answers.flatMap((answer, n) => answer === "slept" ? [] : [[n % 2, answer]])
      assert.deepStrictEqual(lost, lost.map(() => [1, "WorkerLost"]))
      assert.isAtMost(lost.length, 2)
      yield* doomed.ended

      yield* working(["--listen", doomed.address])
      other.kill("SIGKILL")
      yield* other.ended
      assert.strictEqual(yield* TaskQueue.call(queue, "double", 4, { retryable: true }), 8)
    }))

  it.live("tells programs what happens, line by line or in the end", () =>
    Effect.gen(function*() {
      const lines = yield* working(["-o", "ndjson"])
      const queue = yield* queueAt(lines.address)
      yield* TaskQueue.call(queue, "double", 1)
      yield* TaskQueue.shutdown(queue)
      yield* lines.awaitText("stdout", "\"Ended\"")
      lines.kill("SIGINT")
      const { stdout } = yield* lines.ended
      const events = stdout.trim().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Listening", "Started", "Ended"])
      assert.strictEqual(events[0].address, lines.address)

      const document = yield* working(["-o", "json"])
      yield* Effect.forkScoped(
        Effect.flatMap(queueAt(document.address, { secret: Redacted.make("no secret of the tests") }), (queue) =>
          TaskQueue.call(queue, "double", 1))
      )
      yield* document.awaitText("stderr", "was turned away")
      document.kill("SIGTERM")
      const { work } = JSON.parse((yield* document.ended).stdout)
      assert.deepInclude(work, { started: 0, left: 0, kind: "threads" })
      assert.isAtLeast(work.rejected, 1)
    }))

  it.live("says before it listens what is wrong with the module", () =>
    Effect.gen(function*() {
      for (
        const [file, reason] of [
          ["nowhere.ts", "it does not exist; name a module of tasks"],
          [moduleFile("greeting"), "default export"],
          ["secret.txt", ""]
        ] as const
      ) {
        const { code, stderr } = yield* refused(["--tasks", file, "--listen", "tcp://127.0.0.1:0"])
        assert.strictEqual(code, 78, stderr)
        assert.include(stderr, reason)
        assert.notInclude(stderr, "connect to")
      }
    }))

  it.live("says that the port is taken", () =>
    Effect.gen(function*() {
      const server = createServer()
      yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
      const { port } = server.address() as { readonly port: number }
      const listen = `tcp://127.0.0.1:${port}`
      const { code, stderr } = yield* refused(["--tasks", moduleFile("tasks"), "--listen", listen])
      server.close()
      assert.strictEqual(code, 69, stderr)
      assert.include(stderr, `cannot listen on ${listen}: `)
    }))

  it.live("does not listen for everybody without a secret", () =>
    Effect.gen(function*() {
      const args = ["--tasks", moduleFile("tasks"), "--listen", "tcp://0.0.0.0:0"]
      for (const more of [[], ["--unauthenticated"]]) {
        const { code, stderr } = yield* refused([...args, ...more], {})
        assert.strictEqual(code, 78, stderr)
        assert.include(stderr, "--secret-file")
      }
    }))

  requires("openssl")("with certificates", () => {
    it.live("runs tasks over tls for who has one, and says of what is none that it cannot be used", () =>
      Effect.gen(function*() {
        const directory = yield* directoryWith({ "ext": "subjectAltName=IP:127.0.0.1\n" })
        const openssl = (...args: ReadonlyArray<string>) =>
          execFileSync("openssl", args, { cwd: directory, stdio: "pipe" })
        const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem"]
        const names = ["-subj", "/CN=host", "-addext", "subjectAltName=IP:127.0.0.1"]
        openssl("req", "-x509", ...key, "-out", "cert.pem", "-days", "2", ...names)
        const file = (name: string) => `${directory}/${name}`
        const pem = (name: string) => readFileSync(file(name), "utf8")
        const tls = ["--listen", "tls://127.0.0.1:0", "--tls-cert", file("cert.pem"), "--tls-key", file("key.pem")]
        // The certificate has signed itself, and is that of both sides.
        const { address } = yield* working([...tls, "--tls-ca", file("cert.pem")], {})
        const cert = pem("cert.pem")
        const queue = yield* queueAt(address, { tls: { ca: cert, cert, key: Redacted.make(pem("key.pem")) } })
        assert.strictEqual(yield* TaskQueue.call(queue, "double", 4), 8)

        const listen = ["--tasks", moduleFile("tasks"), "--listen", "tls://127.0.0.1:0"]
        const { code, stderr } = yield* refused([...listen, "--tls-cert", file("ext"), "--tls-key", file("key.pem")])
        assert.strictEqual(code, 78, stderr)
        assert.include(stderr, "--tls-cert, --tls-key or --tls-ca cannot be used")
      }))
  })
})
