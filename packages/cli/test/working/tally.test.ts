import { assert, describe, it } from "@effect/vitest"
import type { TaskHostEvent } from "effect-workers/NodeTaskHost"
import { describe as words, isTrouble, Tally } from "../../src/internal/working/tally.ts"

const of = { peer: "10.0.0.7:5", worker: "remote-1.1" }

const events: ReadonlyArray<readonly [event: TaskHostEvent, text: string, isTrouble: boolean]> = [
  [{ _tag: "Started", ...of, details: {} }, "remote-1.1 works for 10.0.0.7:5", false],
  [
    { _tag: "Rejected", peer: of.peer, detail: "the secret is another" },
    "10.0.0.7:5 was turned away: the secret is another",
    true
  ],
  [{ _tag: "NotStarted", peer: of.peer, detail: "of this" }, "no worker for 10.0.0.7:5: of this", true],
  [{ _tag: "Lost", ...of, detail: "of this" }, "remote-1.1 was ended, because its queue is gone: of this", true],
  [{ _tag: "Ended", ...of, end: { _tag: "Closed" } }, "remote-1.1 was closed by its queue", false],
  [
    { _tag: "Ended", ...of, end: { _tag: "Exited", code: 3, detail: "Error: \u001b[31mred\n  at a" } },
    "remote-1.1 exited with code 3: Error:  [31mred   at a",
    true
  ],
  [{ _tag: "Ended", ...of, end: { _tag: "Exited", code: 3, detail: "" } }, "remote-1.1 exited with code 3", true],
  [{ _tag: "Ended", ...of, end: { _tag: "Signalled", signal: "SIGKILL" } }, "remote-1.1 was killed by SIGKILL", false],
  [
    { _tag: "Ended", ...of, end: { _tag: "OutOfMemory", detail: "heap" } },
    "remote-1.1 ran out of memory: heap",
    true
  ],
  [
    { _tag: "Ended", ...of, end: { _tag: "Disconnected", detail: "of this" } },
    "remote-1.1 was disconnected: of this",
    false
  ]
]

describe("what a host tells", () => {
  for (const [event, text, trouble] of events) {
    it(`is said as "${text}"`, () => {
      assert.strictEqual(words(event), text)
      assert.strictEqual(isTrouble(event), trouble)
    })
  }

  it("is counted", () => {
    const tally = new Tally()
    for (const [event] of events) tally.add(event)
    assert.deepStrictEqual({ ...tally }, {
      started: 1,
      rejected: 1,
      notStarted: 1,
      lost: 1,
      ended: { Closed: 1, Exited: 2, Signalled: 1, OutOfMemory: 1, Disconnected: 1 }
    })
  })
})
