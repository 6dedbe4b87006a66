import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { IntrusiveHeap } from "effect-work-queue"

interface Entry {
  priority: number
  readonly arrival: number
  index: number
}

const Priorities = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))).check(
  Schema.isMinLength(20),
  Schema.isMaxLength(200)
)

const sorted = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  entries.toSorted((a, b) => a.priority - b.priority || a.arrival - b.arrival)

const drain = (heap: IntrusiveHeap.IntrusiveHeap<Entry>): ReadonlyArray<Entry> => {
  const drained: Array<Entry> = []
  for (let top = heap.top; top !== undefined; top = heap.top) {
    drained.push(top)
    heap.delete(top)
  }
  return drained
}

const filled = (priorities: ReadonlyArray<number>) => {
  const heap = new IntrusiveHeap.IntrusiveHeap<Entry>()
  const entries = priorities.map((priority, arrival) => ({ priority, arrival, index: 0 }))
  for (const entry of entries) heap.add(entry)
  return { heap, entries }
}

describe("IntrusiveHeap", () => {
  it.prop(
    "gives the least first, and first-in first-out among equals",
    { priorities: Priorities },
    ({ priorities }) => {
      const { entries, heap } = filled(priorities)
      assert.deepStrictEqual(drain(heap), sorted(entries))
    }
  )

  it.prop(
    "stays in order when any of it leaves",
    { priorities: Priorities, leaving: Priorities },
    ({ leaving, priorities }) => {
      const { entries, heap } = filled(priorities)
      const left = [...entries]
      for (const n of leaving.slice(0, entries.length >> 1)) heap.delete(left.splice(n % left.length, 1)[0]!)
      assert.deepStrictEqual(drain(heap), sorted(left))
    }
  )

  it.prop(
    "stays in order when all that match leave at once",
    { priorities: Priorities, n: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })) },
    ({ n, priorities }) => {
      const { entries, heap } = filled(priorities)
      const matches = (entry: Entry) => entry.priority % n === 0
      assert.deepStrictEqual(sorted(heap.deleteAll(matches)), sorted(entries.filter(matches)))
      assert.deepStrictEqual(drain(heap), sorted(entries.filter((entry) => !matches(entry))))
    }
  )

  it("changes nothing when a predicate throws", () => {
    const { entries, heap } = filled([3, 1, 2])
    assert.throws(() =>
      heap.deleteAll((entry) => {
        if (entry.priority === 2) throw new Error("no")
        return true
      }), "no")
    assert.deepStrictEqual(drain(heap), sorted(entries))
  })

  it.prop(
    "stays in order when any of it gets another rank, higher or lower",
    { priorities: Priorities, others: Priorities },
    ({ others, priorities }) => {
      const { entries, heap } = filled(priorities)
      for (const [i, priority] of others.entries()) {
        const entry = entries[(i * 7) % entries.length]!
        entry.priority = priority
        heap.reranked(entry)
      }
      assert.deepStrictEqual(drain(heap), sorted(entries))
    }
  )
})
