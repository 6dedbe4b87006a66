import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted } from "effect"
import type { Input } from "../../src/internal/working/flags.ts"
import { planOf } from "../../src/internal/working/plan.ts"

const defaults: Input = {
  tasks: "tasks.ts",
  listen: "tcp://127.0.0.1:7000",
  kind: "threads",
  workers: Option.none(),
  secretFile: Option.none(),
  tlsCert: Option.none(),
  tlsKey: Option.none(),
  tlsCa: Option.none(),
  unauthenticated: false,
  maxFrame: Option.none(),
  maxCalls: Option.none(),
  drainTimeout: Option.none(),
  output: "text",
  logFormat: "text"
}

const environment = { CONVEYOR_SECRET: "0123456789abcdef" }

const plan = (input: Partial<Input>, variables: { readonly [name: string]: string } = environment) =>
  Effect.provide(planOf({ ...defaults, ...input }, variables), NodeServices.layer)

const problem = (...args: Parameters<typeof plan>) =>
  Effect.map(Effect.flip(plan(...args)), (error) => `${error._tag}: ${error.message}`)

describe("the plan of conveyor work", () => {
  it.effect("takes what is not given from the host's defaults, and waits half a minute", () =>
    Effect.gen(function*() {
      const { drainTimeout, host, secrets } = yield* plan({})
      assert.strictEqual(Duration.toSeconds(drainTimeout), 30)
      assert.strictEqual(Redacted.value(host.secret!), environment.CONVEYOR_SECRET)
      assert.deepStrictEqual(secrets, [environment.CONVEYOR_SECRET])
      assert.isUndefined(host.maxWorkers)
      assert.isUndefined(host.maxFrameBytes)
    }))

  it.effect("reads numbers, sizes and lengths of time", () =>
    Effect.gen(function*() {
      const { drainTimeout, host } = yield* plan({
        workers: Option.some("3"),
        maxCalls: Option.some("10"),
        maxFrame: Option.some("1 MiB"),
        drainTimeout: Option.some("5m")
      })
      assert.deepInclude(host, { maxWorkers: 3, maxCalls: 10, maxFrameBytes: 2 ** 20 })
      assert.strictEqual(Duration.toMinutes(drainTimeout), 5)
    }))

  it.effect("says all that is wrong with the flags at once", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* problem({
          listen: "7000",
          workers: Option.some("0"),
          maxCalls: Option.some("many"),
          maxFrame: Option.some("2 GiB"),
          drainTimeout: Option.some("soon"),
          tlsKey: Option.some("key.pem")
        }),
        `UsageError: --workers 0: expected a whole number of at least 1
--max-calls many: expected a whole number of at least 1
--max-frame 2 GiB: expected a size from 1 KiB to 1 GiB, such as 64 MiB
--drain-timeout soon: expected a length of time, such as 500ms or 30s
--listen 7000: expected tcp://HOST:PORT, tls://, ws:// or wss:// likewise, or unix:///PATH
--tls-cert and --tls-key: go together; give both, or neither
--listen 7000: does not use certificates; take tls:// or wss://`
      )
    }))

  it.effect("wants certificates where they are used", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* problem({ listen: "wss://0.0.0.0:443" }),
        "UsageError: --listen wss://0.0.0.0:443: needs --tls-cert and --tls-key"
      )
    }))

  it.effect("wants a secret or certificates, but on this machine by one's own wish", () =>
    Effect.gen(function*() {
      assert.match(yield* problem({}, {}), /^CredentialsInvalid: tcp:\/\/127.0.0.1:7000 needs a secret.*--secret-file/)
      assert.isUndefined((yield* plan({ unauthenticated: true }, {})).host.secret)
      assert.match(
        yield* problem({ unauthenticated: true, listen: "tcp://0.0.0.0:7000" }, {}),
        /^CredentialsInvalid: tcp:\/\/0.0.0.0:7000 can be reached from elsewhere/
      )
    }))

  it.effect("does not repeat a secret that is too short", () =>
    Effect.gen(function*() {
      const text = yield* problem({}, { CONVEYOR_SECRET: "hunter2" })
      assert.match(text, /at least 16 characters, got 7/)
      assert.notInclude(text, "hunter2")
    }))

  it.effect("says which file is not there", () =>
    Effect.gen(function*() {
      assert.include(
        yield* problem({ secretFile: Option.some("/nowhere/secret") }),
        "it does not exist; name a file that holds the secret"
      )
      assert.include(
        yield* problem({
          listen: "tls://127.0.0.1:1",
          tlsCert: Option.some("/nowhere/cert.pem"),
          tlsKey: Option.some("/nowhere/key.pem")
        }),
        "it does not exist; name a file of PEM"
      )
    }))
})
