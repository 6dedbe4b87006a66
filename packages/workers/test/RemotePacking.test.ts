import { assert, describe, it } from "@effect/vitest"
import { encode } from "@msgpack/msgpack"
import { Schema } from "effect"
import { makeUnpacker, maxEntries, maxSharedBytes, pack } from "../src/internal/remote/packing.ts"

const unpack = (bytes: Uint8Array, transfers: Array<ArrayBuffer> = []) => makeUnpacker(1 << 24).unpack(bytes, transfers)

type Value = null | boolean | number | string | Uint8Array | ReadonlyArray<Value> | { readonly [key: string]: Value }

const Value: Schema.Codec<Value> = Schema.Union([
  Schema.Null,
  Schema.Boolean,
  Schema.Int,
  Schema.Finite,
  Schema.String,
  Schema.Uint8Array,
  Schema.Array(Schema.suspend(() => Value)),
  Schema.Record(Schema.String, Schema.suspend(() => Value))
])

const isSayable = (value: Value): boolean =>
  typeof value === "string"
    ? value.isWellFormed()
    : typeof value === "number"
    ? !Object.is(value, -0)
    : value === null || typeof value !== "object" || value instanceof Uint8Array
    ? true
    : Object.entries(value).every(([key, entry]) => key !== "__proto__" && key.isWellFormed() && isSayable(entry))

describe("packing", () => {
  it.prop("law: what is unpacked is what was packed", { value: Value }, ({ value }) => {
    if (isSayable(value)) assert.deepStrictEqual(unpack(pack(value)), value)
  })

  it.prop("law: random bytes give a value or an error", { bytes: Schema.Uint8Array }, ({ bytes }) => {
    try {
      unpack(bytes)
    } catch (error) {
      assert.instanceOf(error, Error)
    }
  })

  it.prop(
    "law: what is cut short is an error",
    { value: Value, left: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })) },
    ({ left, value }) => {
      if (!isSayable(value)) return
      const bytes = pack([value, "the end"])
      assert.throws(() => unpack(bytes.subarray(0, Math.min(left, bytes.length - 1))))
    }
  )

  it("gives bytes buffers of their own, and names them", () => {
    const transfers: Array<ArrayBuffer> = []
    const frame = Buffer.from(pack({ a: Uint8Array.of(1, 2), b: [Uint8Array.of(3)] }))
    const value = unpack(frame, transfers) as { readonly a: Uint8Array; readonly b: ReadonlyArray<Uint8Array> }
    assert.deepStrictEqual(transfers, [value.a.buffer, value.b[0]!.buffer] as Array<ArrayBuffer>)
    assert.strictEqual(value.a.buffer.byteLength, 2)
    assert.strictEqual(value.a.constructor, Uint8Array)
    frame.fill(0)
    assert.deepStrictEqual(value.a, Uint8Array.of(1, 2))
  })

  it("makes Uint8Arrays of Buffers", () => {
    assert.deepStrictEqual(unpack(pack(Buffer.from("ab"))), Uint8Array.of(97, 98))
  })

  it("lets go of bytes that are not shared with the next value", () => {
    const large = pack("a".repeat(maxSharedBytes))
    const copy = large.slice()
    pack("b".repeat(maxSharedBytes))
    assert.isTrue(Buffer.from(large).equals(copy))
  })

  class Named {
    readonly name = "x"
  }
  for (
    const [what, value, text] of [
      ["a function", () => {}, "a function cannot be sent"],
      ["a symbol", Symbol("a"), "a symbol cannot be sent"],
      ["a bigint", 1n, "a bigint cannot be sent"],
      ["a Map", new Map(), "an instance of Map cannot be sent"],
      ["a Date", new Date(0), "an instance of Date cannot be sent"],
      ["numbers of another width", new Float64Array(1), "an instance of Float64Array cannot be sent"],
      ["an instance", new Named(), "an instance of Named cannot be sent"],
      ["a key __proto__", JSON.parse("{\"__proto__\":1}"), "an object with a key __proto__ cannot be sent"]
    ] as const
  ) {
    it(`refuses ${what}, at any depth`, () => {
      assert.throws(() => pack([{ in: [value] }]), DOMException, text)
    })
  }

  it("refuses what is nested too deeply, and what holds itself", () => {
    const cycle: Array<unknown> = []
    cycle.push(cycle)
    assert.throws(() => pack(cycle), DOMException, "Too deep")
  })

  it("packs what is nested a hundred levels deep", () => {
    const deep = JSON.parse(`${"[".repeat(100)}${"]".repeat(100)}`)
    assert.deepStrictEqual(unpack(pack(deep)), deep)
  })

  it("packs well after it has refused", () => {
    assert.throws(() => pack([1, () => {}]))
    assert.deepStrictEqual(unpack(pack([1, 2])), [1, 2])
  })

  it("refuses arrays and objects of more entries than memory is set aside for", () => {
    const announced = (type: number) => {
      const bytes = new Uint8Array(5)
      bytes[0] = type
      new DataView(bytes.buffer).setUint32(1, maxEntries + 1)
      return bytes
    }
    assert.throws(() => unpack(announced(0xdd)), /Max length exceeded: array/)
    assert.throws(() => unpack(announced(0xdf)), /Max length exceeded: map/)
  })

  it("refuses text and bytes that are longer than a frame", () => {
    const { unpack } = makeUnpacker(16)
    assert.throws(() => unpack(encode("a".repeat(17)), []), /Max length exceeded/)
    assert.throws(() => unpack(encode(new Uint8Array(17)), []), /Max length exceeded/)
    assert.throws(() => unpack(pack(new Uint8Array(17)), []), /Max length exceeded/)
  })

  it("refuses extensions of other types", () => {
    assert.throws(() => unpack(encode(new Date(0))), /no extension is of type -1/)
  })
})
