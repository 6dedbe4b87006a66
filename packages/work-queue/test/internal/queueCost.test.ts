import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { WorkQueue } from "effect-work-queue"
import { Deque } from "../../src/internal/deque.ts"
import type { QueueCore } from "../../src/internal/queueCore.ts"

// A queue is not to look at everything, nor to keep what is gone; neither can be seen from outside.

const keysOf = <A>(queue: WorkQueue.WorkQueue<A>) => (queue as unknown as QueueCore<A, never>).keys!

const listsOf = <A>(queue: WorkQueue.WorkQueue<A>) =>
  (keysOf(queue).levels as unknown as { readonly lists: Map<number, unknown> }).lists

describe("queue cost", () => {
  for (const overflow of ["suspend", "dropOldest"] as const) {
    it.effect(`looks at a few levels for each operation, however many there are: ${overflow}`, () =>
      Effect.gen(function*() {
        const capacity = 20_000
        const queue = yield* WorkQueue.make<number>({
          capacity,
          overflow,
          keyed: { by: (key) => key, concurrency: "unbounded" }
        })
        for (let i = 0; i < capacity; i++) WorkQueue.offerUnsafe(queue, 0)
        const lists = listsOf(queue)
        const get = lists.get.bind(lists)
        let looks = 0
        lists.get = (level) => {
          looks++
          return get(level)
        }
        let operations = 0
        for (let i = 0; i < 30; i++) {
          // Of the hot key and of cold ones by turns: after each departure one of each is let in.
          const items = Array.from({ length: 20 }, (_, j) => j % 2 === 0 ? 0 : 1 + i * 100 + j)
          yield* Effect.forkChild(WorkQueue.offerAll(queue, items), { startImmediately: true })
          operations += items.length
        }
        for (let i = 0; i < 500; i++) {
          yield* WorkQueue.take(queue)
          if (yield* Random.nextBoolean) WorkQueue.offerUnsafe(queue, 1 + (yield* Random.nextIntBetween(0, 50)))
          operations += 2
        }
        assert.isBelow(looks, 10 * operations)
        yield* WorkQueue.shutdown(queue)
      }))

    it.effect(`remembers no level of a key that is gone: ${overflow}`, () =>
      Effect.gen(function*() {
        const queue = yield* WorkQueue.make<number>({ capacity: 5, overflow, keyed: { by: (key) => key } })
        for (let key = 0; key < 50; key++) {
          yield* Effect.forkChild(WorkQueue.offerAll(queue, [key, key, key]), { startImmediately: true })
          yield* Effect.flatMap(WorkQueue.take(queue), (taken) => WorkQueue.release(queue, taken))
        }
        yield* WorkQueue.shutdown(queue)
        assert.strictEqual(keysOf(queue).lines.size, 0)
        assert.strictEqual(listsOf(queue).size, 0)
      }))
  }

  it("lets go of what was taken, and of the front of a line that is never empty", () => {
    const deque = new Deque<number>("fifo")
    deque.push(0)
    for (let i = 1; i < 1000; i++) {
      deque.push(i)
      assert.strictEqual(deque.take(), i - 1)
      const { head, items } = deque as unknown as { readonly head: number; readonly items: Array<unknown> }
      assert.isBelow(items.length, 40)
      assert.isTrue(items.slice(0, head).every((item) => item === undefined))
    }
  })

  it.effect("gives the memory of a burst back when it is cleared", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make<number>({ capacity: "unbounded" })
      yield* WorkQueue.offerAll(queue, Array.from({ length: 10_000 }, (_, i) => i))
      const ring = (queue as unknown as { readonly backlog: { readonly items: Array<unknown> } }).backlog
      assert.isAtLeast(ring.items.length, 10_000)
      yield* WorkQueue.clear(queue)
      assert.isBelow(ring.items.length, 100)
    }))
})
