import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { root } from "./support/repository.ts"

const isRunning = (group: number): boolean => {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

// A terminal sends Ctrl-C to npm, its shell and the command at once, and npm then passes it on to the command once more.
describe("npm start", () => {
  it.each([["SIGINT", "group"], ["SIGTERM", "group"], ["SIGTERM", "npm"]] as const)(
    "drains on %s to the %s, says what became of it, and leaves nothing behind",
    async (signal, target) => {
      const npm = spawn("npm", ["start"], { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] })
      const ended = once(npm, "close")
      let output = ""
      const ready = Promise.withResolvers<void>()
      for (const stream of [npm.stdout, npm.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text
          if (/dueAt/.test(output)) ready.resolve()
        })
      }
      await Promise.race([ready.promise, ended])
      assert.isNull(npm.exitCode, output)
      const before = output.length
      process.kill(target === "group" ? -npm.pid! : npm.pid!, signal)
      const [code] = await ended
      assert.strictEqual(code, 0, output)
      assert.match(output.slice(before), /host: \d+ ticks?,/)
      assert.isFalse(isRunning(npm.pid!))
    }
  )
})
