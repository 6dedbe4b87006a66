// A queue in order of priority, worked off by a crew that settles every item exactly once.
import { Console, Effect } from "effect"
import { Crew, WorkQueue } from "effect-work-queue"

const fetchPage = (url: string) => Effect.as(Effect.sleep("10 millis"), `<title>${url}</title>`)

// #region queue
const program = Effect.gen(function*() {
  const queue = yield* WorkQueue.make<{ readonly url: string; readonly priority: number }>({
    order: { priority: (page) => page.priority, ageEvery: "10 seconds" },
    capacity: 10_000
  })
  yield* WorkQueue.offerAll(queue, [{ url: "/later", priority: 1 }, { url: "/first", priority: 0 }])
  const crew = yield* Crew.make(queue, {
    size: 1,
    work: (page) => fetchPage(page.url),
    onSettled: (page, exit) => Console.log(page.url, exit._tag)
  })
  yield* WorkQueue.offer(queue, { url: "/last", priority: 2 })
  const { abandoned, interrupted, left, settled } = yield* Crew.drain(crew, { deadline: "30 seconds" })
  yield* Console.log({ settled, interrupted, left, abandoned })
})
// #endregion

Effect.runPromise(Effect.scoped(program))

// Output:
// /first Success
// /later Success
// /last Success
// { settled: 3, interrupted: 0, left: [], abandoned: 0 }
