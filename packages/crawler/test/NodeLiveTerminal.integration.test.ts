import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Screen } from "./internal/display/screen.ts"

const script = fileURLToPath(new URL("internal/display/drawing.ts", import.meta.url))

const run = (how: string, seen: (text: string, child: ChildProcess) => void = () => {}) => {
  const child = spawn(process.execPath, ["--conditions=conveyor-source", script, how], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  let text = ""
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    seen(text, child)
  })
  const { promise, resolve } = Promise.withResolvers<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly screen: Screen
  }>()
  child.on("close", (code, signal) => {
    const screen = new Screen(80, 24)
    screen.write(text.replaceAll(/\r?\n/g, "\r\n"))
    resolve({ code, signal, screen })
  })
  return promise
}

describe("NodeLiveTerminal", () => {
  for (
    const [how, code, signal] of [
      ["exit", 3, null],
      ["throw", 1, null],
      ["handled", 5, null],
      ["SIGINT", null, "SIGINT"],
      ["SIGTERM", null, "SIGTERM"],
      ["SIGHUP", null, "SIGHUP"]
    ] as const
  ) {
    it(`shows the cursor and leaves the frame when the process ends by ${how}`, async () => {
      const ended = await run(how)
      assert.deepStrictEqual({ code: ended.code, signal: ended.signal }, { code, signal })
      const lines = ended.screen.transcript()
      assert.isTrue(ended.screen.isCursorShown)
      const at = lines.indexOf("the frame")
      assert.strictEqual(lines[at - 1], "printed last")
      assert.strictEqual(lines.filter((line) => line === "the frame").length, 1)
      // What Node says of an error stands below.
      if (how !== "throw") assert.deepStrictEqual(lines.slice(at + 1), [""])
    })
  }

  it("shows the cursor while the process is stopped, and draws anew when it goes on", async () => {
    let timer: NodeJS.Timeout | undefined
    let isShownMeanwhile = false
    const ended = await run("SIGTSTP", (text, child) => {
      isShownMeanwhile ||= text.endsWith("\u001B[?25h")
      // It may not have been stopped yet.
      if (isShownMeanwhile) timer ??= setInterval(() => child.kill("SIGCONT"), 50)
    })
    clearInterval(timer)
    assert.isTrue(isShownMeanwhile)
    assert.strictEqual(ended.code, 7)
    assert.isTrue(ended.screen.isCursorShown)
    assert.deepStrictEqual(ended.screen.transcript(), ["printed last", "the frame", "the frame", ""])
  })
})
