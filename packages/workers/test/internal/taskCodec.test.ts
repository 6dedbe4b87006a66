import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Schema, SchemaGetter } from "effect"
import { Rpc, RpcGroup, RpcMiddleware } from "effect/rpc"
import { Transferable } from "effect/workers"
import * as TaskCodec from "../../src/internal/taskCodec.ts"

class Unlucky extends Schema.TaggedError<Unlucky>()("Unlucky", { at: Schema.Date }) {}

const Tree = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})
interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}

const Tasks = RpcGroup.make(
  Rpc.make("plain", {
    payload: { n: Schema.Number, more: Schema.optionalKey(Schema.Array(Schema.Literals(["a", "b"]))) },
    success: Tree,
    error: Unlucky
  }),
  Rpc.make("dated", { payload: { at: Schema.Date, bytes: Schema.Uint8Array }, success: Schema.Date }),
  Rpc.make("bytes", { payload: { bytes: Schema.Uint8Array }, success: Schema.Uint8Array }),
  Rpc.make("moved", { payload: { bytes: Transferable.Uint8Array, at: Schema.Date }, success: Transferable.Uint8Array }),
  Rpc.make("defaulted", { payload: { n: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(7))) } }),
  Rpc.make("literal", { payload: Schema.Literals([1n, "one"]) }),
  Rpc.make("symbols", { payload: Schema.Record(Schema.Symbol, Schema.Finite) }),
  Rpc.make("nothing"),
  Rpc.make("undefined", { success: Schema.Undefined }),
  Rpc.make("numbers", { success: Schema.Number, stream: true }),
  Rpc.make("dates", { success: Schema.Date, error: Unlucky, stream: true })
)

const codec = TaskCodec.make(Tasks, false)
const shared = TaskCodec.make(Tasks, true)

const succeeds = (effect: Effect.Effect<unknown>): unknown => {
  assert.isTrue(Exit.isExit(effect), "is not finished")
  const exit = effect as Exit.Exit<unknown>
  return Exit.isSuccess(exit) ? exit.value : assert.fail(String(Cause.squash(exit.cause)))
}

const dies = (effect: Effect.Effect<unknown>): string => {
  const exit = Effect.runSyncExit(effect)
  return Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error).message : assert.fail("did not die")
}

const failed = (cause: Cause.Cause<unknown>) => Exit.failCause(cause) as TaskCodec.Failure

const squashed = (exit: TaskCodec.Failure) => Cause.squash(exit.cause)

describe("taskCodec", () => {
  describe("payloads", () => {
    it("pass as they are when nothing of their schema transforms", () => {
      for (const value of [{ n: 1 }, { n: NaN, more: ["a", "b"] }, { n: -Infinity }]) {
        const encoded = succeeds(codec("plain").encodePayload(value, []))
        assert.deepStrictEqual(encoded, value)
        assert.strictEqual(succeeds(codec("plain").decodePayload(encoded)), encoded)
      }
    })

    it("are encoded as JSON when a part of their schema transforms", () => {
      const at = new Date(0)
      const encoded = succeeds(codec("dated").encodePayload({ at, bytes: new Uint8Array([1]) }, []))
      assert.deepStrictEqual(encoded, { at: "1970-01-01T00:00:00.000Z", bytes: "AQ==" })
      assert.deepStrictEqual(succeeds(codec("dated").decodePayload(encoded)), { at, bytes: new Uint8Array([1]) })
    })

    it("pass as bytes when they hold bytes, and are not moved unless the schema says so", () => {
      const bytes = new Uint8Array([1, 2])
      const transfers: Array<object> = []
      assert.strictEqual((succeeds(codec("bytes").encodePayload({ bytes }, transfers)) as any).bytes, bytes)
      assert.deepStrictEqual(transfers, [])
    })

    it.effect("are moved when their schema says so, beside what is encoded", () =>
      Effect.gen(function*() {
        const bytes = new Uint8Array([1, 2])
        const transfers: Array<object> = []
        const encoded: any = yield* codec("moved").encodePayload({ bytes, at: new Date(0) }, transfers)
        assert.strictEqual(encoded.bytes, bytes)
        assert.strictEqual(encoded.at, "1970-01-01T00:00:00.000Z")
        assert.strictEqual(transfers.length, 1)
        assert.strictEqual(transfers[0], bytes.buffer)
        const decoded: any = yield* codec("moved").decodePayload(encoded)
        assert.strictEqual(decoded.bytes, bytes)
      }))

    it("may be literals, of which the large are encoded", () => {
      assert.strictEqual(succeeds(codec("literal").encodePayload(1n, [])), "1")
      assert.strictEqual(succeeds(codec("literal").decodePayload("1")), 1n)
      assert.strictEqual(succeeds(codec("literal").encodePayload("one", [])), "one")
    })

    it("may have keys that only their encoding carries", () => {
      const key = Symbol.for("a")
      assert.deepStrictEqual(succeeds(codec("symbols").encodePayload({ [key]: 1 }, [])), { "Symbol(a)": 1 })
      assert.deepStrictEqual(succeeds(codec("symbols").decodePayload({ "Symbol(a)": 1 })), { [key]: 1 })
    })

    it("take the defaults of their constructors, shared or not", () => {
      assert.deepStrictEqual(succeeds(codec("defaulted").encodePayload({}, [])), { n: 7 })
      assert.deepStrictEqual(succeeds(shared("defaulted").encodePayload({}, [])), { n: 7 })
    })

    it("may be nothing", () => {
      assert.isUndefined(succeeds(codec("nothing").encodePayload(undefined, [])))
      assert.isUndefined(succeeds(codec("nothing").decodePayload(null)))
    })

    it("that do not fit are refused with task, path, what was expected and what was found", () => {
      for (const each of [codec, shared]) {
        assert.strictEqual(
          dies(each("plain").encodePayload({ n: "one" }, [])),
          `the payload of plain does not fit: expected number at ["n"], found "one"`
        )
        assert.strictEqual(
          dies(each("dated").encodePayload({ at: 3, bytes: [] }, [])),
          `the payload of dated does not fit: expected a valid Date at ["at"], found 3`
        )
      }
      assert.strictEqual(
        dies(codec("plain").encodePayload({}, [])),
        `the payload of plain does not fit: Missing key at ["n"]`
      )
      assert.strictEqual(
        dies(codec("plain").encodePayload({ n: new Uint8Array(9) }, [])),
        `the payload of plain does not fit: expected number at ["n"], found an Uint8Array`
      )
      assert.strictEqual(
        dies(codec("plain").encodePayload("x".repeat(1000), [])),
        `the payload of plain does not fit: expected object, found "${"x".repeat(60)}…"`
      )
    })

    it("that cannot be decoded are a defect", () => {
      assert.include(dies(codec("dated").decodePayload({ at: 3 })), "the payload of dated does not fit: ")
    })
  })

  describe("successes", () => {
    it("are validated where they come from", () => {
      const tree: Tree = { name: "a", children: [{ name: "b", children: [] }] }
      assert.deepStrictEqual(succeeds(codec("plain").encodeSuccess(tree, [])), tree)
      assert.strictEqual(
        dies(codec("plain").encodeSuccess({ name: "a", children: [{ name: 1, children: [] }] }, [])),
        `what plain gave does not fit: expected string at ["children"][0]["name"], found 1`
      )
    })

    it("are encoded and decoded", () => {
      const encoded = succeeds(codec("dated").encodeSuccess(new Date(5), []))
      assert.strictEqual(encoded, "1970-01-01T00:00:00.005Z")
      assert.deepStrictEqual(succeeds(codec("dated").decodeSuccess(encoded)), new Date(5))
    })

    it("that are undefined survive a link that carries null instead", () => {
      assert.isUndefined(succeeds(codec("nothing").decodeSuccess(null)))
      assert.isNull(succeeds(codec("undefined").encodeSuccess(undefined, [])))
      assert.isUndefined(succeeds(codec("undefined").decodeSuccess(null)))
    })

    it.effect("are moved when their schema says so", () =>
      Effect.gen(function*() {
        const bytes = new Uint8Array([1])
        const transfers: Array<object> = []
        assert.strictEqual(yield* codec("moved").encodeSuccess(bytes, transfers), bytes)
        assert.strictEqual(transfers[0], bytes.buffer)
      }))
  })

  describe("items", () => {
    it("tell streams from calls", () => {
      assert.isTrue(codec("numbers").isStream)
      assert.isFalse(codec("plain").isStream)
      assert.isTrue(shared("numbers").isStream)
    })

    it("are validated, encoded and decoded many at a time", () => {
      assert.deepStrictEqual(succeeds(codec("numbers").encodeItems([1, 2, 3], [])), [1, 2, 3])
      const encoded = succeeds(codec("dates").encodeItems([new Date(0)], []))
      assert.deepStrictEqual(encoded, ["1970-01-01T00:00:00.000Z"])
      assert.deepStrictEqual(succeeds(codec("dates").decodeItems(encoded)), [new Date(0)])
      assert.strictEqual(
        dies(codec("numbers").encodeItems([1, "2"], [])),
        `what numbers emitted does not fit: expected number at [1], found "2"`
      )
    })
  })

  describe("failures", () => {
    const cross = (tag: string, exit: TaskCodec.Failure): TaskCodec.Failure => {
      const encoded = Effect.runSync(codec(tag).encodeFailure(exit))
      return Effect.runSync(codec(tag).decodeFailure(JSON.parse(JSON.stringify(encoded))))
    }

    it("of the task's own errors cross with their classes", () => {
      for (const tag of ["plain", "dates"]) {
        const error = squashed(cross(tag, failed(Cause.fail(new Unlucky({ at: new Date(3) })))))
        assert.instanceOf(error, Unlucky)
        assert.deepStrictEqual((error as Unlucky).at, new Date(3))
      }
    })

    it("by defects cross with name and message", () => {
      const defect = squashed(cross("plain", failed(Cause.die(new RangeError("too far"))))) as Error
      assert.deepStrictEqual([defect.name, defect.message], ["RangeError", "too far"])
    })

    it("by interruption remain interruptions", () => {
      assert.isTrue(Cause.hasInterruptsOnly(cross("plain", failed(Cause.interrupt(1))).cause))
    })

    it("that do not fit become defects that say so, with what they were", () => {
      const defect = squashed(cross("nothing", failed(Cause.fail("a surprise")))) as Error
      assert.strictEqual(
        defect.message,
        `how nothing failed does not fit: expected never at ["cause"]["reasons"][0]["error"], found "a surprise"`
      )
      assert.strictEqual(defect.cause, "a surprise")
    })

    it("never fail to be encoded, whatever the defect is", () => {
      const circular: Record<string, unknown> = {}
      circular["self"] = circular
      const hostile = {
        toString() {
          throw new Error("no")
        },
        get message() {
          throw new Error("no")
        }
      }
      for (const defect of [undefined, null, Symbol("s"), () => 1, circular, 1n, hostile, new Map([[1, 2]])]) {
        const exit = cross("plain", failed(Cause.die(defect)))
        assert.isTrue(Cause.hasDies(exit.cause), String(Object.prototype.toString.call(defect)))
      }
    })

    it("that cannot be decoded become defects", () => {
      for (const nonsense of [undefined, 3, { _tag: "Failure", cause: [{ _tag: "Fail", error: { _tag: "Else" } }] }]) {
        const exit = Effect.runSync(codec("plain").decodeFailure(nonsense))
        assert.include((squashed(exit) as Error).message, "how plain failed does not fit")
      }
    })
  })

  describe("when values are shared", () => {
    it("they pass as they are", () => {
      const value = { any: () => 1 }
      const exit = failed(Cause.die(value))
      const plain = shared("plain")
      assert.strictEqual(succeeds(plain.encodeSuccess(value, [])), value)
      assert.strictEqual(succeeds(plain.decodeSuccess(value)), value)
      assert.strictEqual(succeeds(plain.decodePayload(value)), value)
      assert.strictEqual(succeeds(plain.encodeFailure(exit)), exit)
      assert.strictEqual(succeeds(plain.decodeFailure(exit)), exit)
    })
  })

  describe("what cannot be called", () => {
    it("says which tasks there are", () => {
      for (const each of [codec, shared]) {
        assert.include(dies(each("plane").encodePayload({}, [])), "there is no task plane; there are plain, dated")
        assert.include(dies(each("plane").decodePayload({})), "there is no task plane")
      }
    })

    it("says that its schema has no codec", () => {
      const key = Symbol("key")
      const odd = TaskCodec.make(
        RpcGroup.make(Rpc.make("odd", { payload: Schema.Struct({ [key]: Schema.Date }) })),
        false
      )
      assert.strictEqual(
        dies(odd("odd").encodePayload({ [key]: new Date() }, [])),
        "the values of odd cannot be encoded"
      )
    })

    it("is refused at once when it has middleware", () => {
      class Gate extends RpcMiddleware.Service<Gate>()("Gate") {}
      assert.throws(
        () => TaskCodec.make(RpcGroup.make(Rpc.make("gated").middleware(Gate)), false),
        "gated has middleware, which workers do not run: apply it in the handler"
      )
    })
  })

  it("dies of a transformation that throws", () => {
    const Throwing = Schema.String.pipe(
      Schema.decode({
        decode: SchemaGetter.transform((): string => {
          throw new Error("decoding")
        }),
        encode: SchemaGetter.transform((): string => {
          throw new Error("encoding")
        })
      })
    )
    const throwing = TaskCodec.make(RpcGroup.make(Rpc.make("throws", { success: Throwing })), false)("throws")
    assert.strictEqual(dies(throwing.encodeSuccess("a", [])), "encoding")
    assert.strictEqual(dies(throwing.decodeSuccess("a")), "decoding")
  })

  it.effect("takes the services of schemas from the fiber that runs it", () =>
    Effect.gen(function*() {
      class Suffix extends Context.Service<Suffix, string>()("Suffix") {}
      const Suffixed = Schema.String.pipe(
        Schema.decode({
          decode: SchemaGetter.transform((text: string) => text.slice(0, -1)),
          encode: SchemaGetter.transformEffect((text: string) => Effect.map(Suffix, (suffix) => text + suffix))
        })
      )
      const suffixing = TaskCodec.make(RpcGroup.make(Rpc.make("suffix", { success: Suffixed })), false)("suffix")
      const encoded = yield* Effect.provideService(suffixing.encodeSuccess("a", []), Suffix, "!")
      assert.strictEqual(encoded, "a!")
    }))
})
