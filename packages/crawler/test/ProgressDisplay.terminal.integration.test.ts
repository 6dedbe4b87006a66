import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { requires } from "../../../test/support/requires.ts"

const example = fileURLToPath(new URL("../../../examples/crawler/display.ts", import.meta.url))
const command = `${process.execPath} --conditions=conveyor-source ${example}`

/** A real terminal, on which the example draws. */
const opened = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = `display-${process.pid}-${performance.now()}`
      const tmux = (...args: ReadonlyArray<string>) =>
        execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8", stdio: "pipe" })
      tmux("new-session", "-d", "-x", "100", "-y", "24", "env", "-u", "CI", "-u", "NO_COLOR", "PS1=$ ", "sh")
      return tmux
    }),
    (tmux) => Effect.sync(() => tmux("kill-server"))
  ),
  (tmux) => {
    const lines = (...args: ReadonlyArray<string>) =>
      tmux("capture-pane", "-p", ...args).split("\n").map((line) => line.trimEnd()).filter((line) => line !== "")
    const until = (condition: () => boolean) =>
      Effect.sync(condition).pipe(
        Effect.tap((isMet) => isMet ? Effect.void : Effect.sleep("50 millis")),
        Effect.repeat({ until: (isMet) => isMet }),
        Effect.timeoutOrElse({
          duration: "30 seconds",
          orElse: () => Effect.die(new Error(`never ${String(condition)}:\n${lines("-S", "-").join("\n")}`))
        })
      )
    return {
      until,
      keys: (...keys: ReadonlyArray<string>) => void tmux("send-keys", ...keys),
      resize: (columns: number, rows: number) => void tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`),
      isCursorShown: () => tmux("display", "-p", "#{cursor_flag}").trim() === "1",
      /** What is on the screen. */
      screen: () => lines(),
      /** With what has scrolled away. */
      everything: () => lines("-S", "-")
    }
  }
)

const count = (lines: ReadonlyArray<string>, start: string) => lines.filter((line) => line.startsWith(start)).length

requires("tmux")("ProgressDisplay, on a terminal,", () => {
  it.live("shows as many of 200 workers as fit", () =>
    Effect.gen(function*() {
      const { everything, isCursorShown, keys, screen, until } = yield* opened
      keys(`${command} 200`, "Enter")
      yield* until(() => /… and \d{2,} more/.test(screen().join("\n")))
      assert.isFalse(isCursorShown())
      assert.isAtMost(screen().length, 24)
      // The log has scrolled, and no frame with it.
      yield* until(() => everything().length > 24)
      assert.strictEqual(count(everything(), "overall"), 1)
      assert.strictEqual(count(everything(), "workers"), 1)
    }))

  it.live("follows its sizes, and shows the cursor again after Ctrl-C", () =>
    Effect.gen(function*() {
      const { everything, isCursorShown, keys, resize, screen, until } = yield* opened
      keys(command, "Enter")
      yield* until(() => count(screen(), "  #5") === 1 && count(everything(), "overall") === 1)
      for (const [columns, rows] of [[60, 24], [120, 30], [80, 24]] as const) {
        resize(columns, rows)
        const size = columns >= 90 ? 30 : columns >= 70 ? 20 : 10
        yield* until(() => screen().some((line) => new RegExp(`^overall  [━─]{${size}}  \\d`).test(line)))
        assert.strictEqual(count(everything(), "overall"), 1, everything().join("\n"))
        assert.strictEqual(count(everything(), "items"), 1, everything().join("\n"))
        assert.strictEqual(count(everything(), "  #1"), 1, everything().join("\n"))
        assert.isFalse(isCursorShown())
      }
      keys("C-c")
      yield* until(isCursorShown)
      assert.strictEqual(count(everything(), "overall"), 1)
    }))
})
