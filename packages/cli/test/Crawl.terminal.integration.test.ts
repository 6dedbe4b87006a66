import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { requires } from "../../../test/support/requires.ts"
import { linesOf } from "./collectProcess.ts"
import { directoryWith } from "./conveyorProcess.ts"
import { recorded, serve } from "./crawl/site.ts"
import * as Terminal from "./crawl/terminal.ts"

/** Pages in the output that were asked for. */
const fetched = (directory: string): number =>
  linesOf(`${directory}/out.ndjson`).filter(({ status }) => status !== null).length

requires("tmux")("conveyor crawl, on a terminal", () => {
  it.live("stops at Ctrl-C and prints the command that goes on, which does when pasted", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 60, delay: 150 })
      const directory = yield* directoryWith({})
      const terminal = yield* Terminal.open(directory)
      terminal.type(`${Terminal.conveyor} crawl ${site.url} --state 'my crawl.db' --output out.ndjson; echo code $?`)
      yield* site.awaitAsked(15)
      yield* terminal.awaitText(/fetching http/)
      assert.isFalse(terminal.isCursorShown())
      terminal.key("C-c")
      const stopped = yield* terminal.awaitText(/code \d+/)
      assert.match(stopped, /code 75/)
      assert.match(stopped, /INFO {2}stopping when the \d+ under way are done; Ctrl-C again interrupts them/)
      assert.match(stopped, /stopped: \d+ pages in .*, \d+ left/)
      assert.isTrue(terminal.isCursorShown())
      // What was under way has been finished, and is in the output.
      const before = fetched(directory)
      assert.strictEqual(before, site.asked.length - 1)

      const [, command] = /to go on:\n\s+(.*)/.exec(stopped)!
      assert.include(command, "--state 'my crawl.db' --output out.ndjson --resume")
      terminal.type(`clear; ${command!.trim()}; echo resumed $?`)
      assert.match(yield* terminal.awaitText(/resumed \d+/), /resumed 0/)
      assert.deepStrictEqual(linesOf(`${directory}/out.ndjson`).map(({ url }) => url).sort(), recorded(site, 60))
      // Nothing was asked for twice.
      assert.strictEqual(new Set(site.asked).size, site.asked.length - 1)
    }))

  it.live("interrupts what is under way at the second Ctrl-C", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 1, delay: 60_000 })
      const terminal = yield* Terminal.open(yield* directoryWith({}))
      const crawl = Effect.fnUntraced(function*(name: string, flags: string, presses: number) {
        terminal.type(`clear; ${Terminal.conveyor} crawl ${site.url} ${flags}; echo ${name} $?`)
        yield* site.awaitAsked(2)
        for (let i = 0; i < presses; i++) {
          terminal.key("C-c")
          if (i === 0) yield* terminal.awaitText(/stopping when the 1 under way/)
          // What comes sooner is taken for an echo.
          yield* Effect.sleep("300 millis")
        }
        const text = yield* terminal.awaitText(new RegExp(`${name} \\d+`))
        assert.isTrue(terminal.isCursorShown())
        return text
      })
      const withState = yield* crawl("interrupted", "--state crawl.db", 2)
      assert.match(withState, /interrupted: 0 pages/)
      assert.match(withState, /interrupted 75/)
      const without = yield* crawl("lost", "", 2)
      assert.match(without, /it cannot go on: with --state FILE it could/)
      assert.match(without, /lost 130/)
    }))

  it.live("stops in order when the terminal is closed", () =>
    Effect.gen(function*() {
      const site = yield* serve({ pages: 60, delay: 150 })
      const directory = yield* directoryWith({})
      const terminal = yield* Terminal.open(directory)
      terminal.type(`${Terminal.conveyor} crawl ${site.url} --state crawl.db --output out.ndjson`)
      yield* site.awaitAsked(15)
      terminal.close()
      yield* Effect.sleep("1500 millis")
      const asked = site.asked.length
      assert.isBelow(asked, 60)
      assert.strictEqual(fetched(directory), asked - 1)
    }))
})
