import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Scope } from "effect"
import { Consumer } from "effect-conveyor"
import { acquire, delivery, session } from "./fixtures.ts"

/** What the suite has to know about one consumer, made afresh for each test. */
export interface Subject<R> {
  readonly consumer: Consumer.Consumer<unknown, { readonly _tag: string }, R>
  /** The field `n` of everything that has arrived, in order. */
  readonly arrived: Effect.Effect<ReadonlyArray<unknown>, unknown, R>
  /** Makes its target fail, halfway through a delivery if that can be. */
  readonly breakTarget: Effect.Effect<void, unknown, R>
  readonly repairTarget: Effect.Effect<void, unknown, R>
  /** What arrives when the same delivery is made twice. */
  readonly repeated: "once" | "twice"
  /** A payload that it refuses; absent for one that takes anything. */
  readonly refused?: unknown
}

/** The promises that every consumer keeps. */
export const suite = <R>(
  name: string,
  setup: Effect.Effect<Subject<R>, unknown, R | Scope.Scope>,
  provide: <A, E>(effect: Effect.Effect<A, E, R | Scope.Scope>) => Effect.Effect<A, E, Scope.Scope>
): void => {
  const test = (name: string, run: (subject: Subject<R>) => Effect.Effect<void, unknown, R | Scope.Scope>) =>
    it.effect(name, () => provide(Effect.flatMap(setup, run)))

  const numbered = (...numbers: ReadonlyArray<number>) => numbers.map((n) => delivery<unknown>({ n }, n))

  describe(`${name} keeps the promises of a consumer`, () => {
    test("keeps the order of deliveries", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(consumer)
        for (const n of [1, 2, 3, 4, 5]) yield* deliver(...numbered(n))
        assert.deepStrictEqual(yield* arrived, [1, 2, 3, 4, 5])
      }))

    test("keeps the order of rows within a payload", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(consumer)
        yield* deliver(delivery<unknown>([{ n: 1 }, { n: 2 }, { n: 3 }], 1))
        assert.deepStrictEqual(yield* arrived, [1, 2, 3])
      }))

    test("delivers nothing for an empty array", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(consumer)
        yield* deliver(delivery<unknown>([], 1))
        yield* deliver(...numbered(2))
        assert.deepStrictEqual(yield* arrived, [2])
      }))

    test("loses and repeats nothing when a failed delivery is made again", (subject) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(subject.consumer)
        yield* deliver(...numbered(1))
        yield* subject.breakTarget
        const failures = yield* Effect.forEach([1, 2], () => Effect.flip(deliver(...numbered(2))))
        yield* subject.repairTarget
        yield* deliver(...numbered(2))
        yield* deliver(...numbered(3))
        assert.isTrue(failures.every((failure) => failure._tag !== "Rejected"))
        assert.deepStrictEqual(yield* subject.arrived, [1, 2, 3])
      }))

    test("tells in its failure what failed, in lower case", (subject) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(subject.consumer)
        yield* subject.breakTarget
        const failure = yield* Effect.flip(deliver(...numbered(1)))
        assert.match(String((failure as { readonly message?: string }).message), /^(?:cannot [a-z]|POST )/)
        yield* subject.repairTarget
      }))

    test("keeps what it accepted when it is closed", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        yield* session(consumer, (deliver) => deliver(...numbered(1)))
        assert.deepStrictEqual(yield* arrived, [1])
      }))

    test("goes on after what an earlier session delivered", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        yield* session(consumer, (deliver) => deliver(...numbered(1)))
        yield* session(consumer, (deliver) => deliver(...numbered(2)))
        assert.deepStrictEqual(yield* arrived, [1, 2])
      }))

    test("treats a repeated delivery as documented", ({ arrived, consumer, repeated }) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(consumer)
        yield* deliver(...numbered(1))
        yield* deliver(...numbered(1))
        assert.deepStrictEqual(yield* arrived, repeated === "once" ? [1] : [1, 1])
      }))

    test("takes whatever a producer may give", ({ arrived, consumer }) =>
      Effect.gen(function*() {
        const deliver = yield* acquire(consumer)
        const circular: Record<string, unknown> = {}
        circular["self"] = circular
        const payloads: ReadonlyArray<unknown> = [
          circular,
          "text",
          Number.NaN,
          12n ** 30n,
          null,
          undefined,
          [1, [2], null],
          { "": 1, a: { b: [] }, "a.b": 2, __proto__: 3, "a\"b\n": "c\"\n\u0000" },
          () => 1
        ]
        for (const [index, payload] of payloads.entries()) yield* deliver(delivery(payload, index + 1))
        yield* deliver(...numbered(100))
        assert.strictEqual((yield* arrived).at(-1), 100)
      }))

    test("takes a batch whole or not at all", (subject) =>
      Effect.gen(function*() {
        if (subject.consumer.takes === "one") return
        const deliver = yield* acquire(subject.consumer)
        yield* deliver(...numbered(1))
        yield* subject.breakTarget
        const exit = yield* Effect.exit(deliver(...numbered(2, 3, 4)))
        yield* subject.repairTarget
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* subject.arrived, [1])
        yield* deliver(...numbered(2, 3, 4))
        assert.deepStrictEqual(yield* subject.arrived, [1, 2, 3, 4])
      }))

    test("rejects what it refuses, and only that", (subject) =>
      Effect.gen(function*() {
        if (subject.refused === undefined) return
        const deliver = yield* acquire(subject.consumer)
        yield* deliver(...numbered(1))
        const failure = yield* Effect.flip(deliver(delivery(subject.refused, 2)))
        assert.instanceOf(failure, Consumer.Rejected)
        yield* deliver(...numbered(3))
        assert.deepStrictEqual(yield* subject.arrived, [1, 3])
      }))

    test("gives back at its close what it took", ({ consumer }) =>
      Effect.gen(function*() {
        for (let i = 0; i < 20; i++) yield* session(consumer, (deliver) => deliver(...numbered(i)))
      }))
  })
}
