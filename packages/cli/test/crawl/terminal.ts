import { Effect, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { command } from "../conveyorProcess.ts"

/** A shell on a terminal of its own. */
export interface Terminal {
  /** Types a line, and the key that sends it. */
  readonly type: (line: string) => void
  readonly key: (name: string) => void
  /** What stands on it, with what has scrolled away. */
  readonly text: () => string
  readonly isCursorShown: () => boolean
  /** Resumes when there is such text on it. */
  readonly awaitText: (pattern: RegExp) => Effect.Effect<string>
  /** Closes it, as its window is closed. */
  readonly close: () => void
}

/** The command, as it is typed. */
export const conveyor = [process.execPath, ...command].join(" ")

/** Opens a terminal in a folder; it is closed with the Scope at the latest. */
export const open = (directory: string): Effect.Effect<Terminal, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const socket = `conveyor-${process.pid}-${performance.now()}`
        const tmux = (...args: ReadonlyArray<string>) =>
          execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8", stdio: "pipe" })
        // Neither the user's shell nor its prompt, which may draw themselves; and not what npm says of itself where it runs the tests.
        tmux(
          "new-session",
          "-d",
          "-x",
          "150",
          "-y",
          "40",
          "-c",
          directory,
          "env",
          "-u",
          "CI",
          "-u",
          "npm_command",
          "PS1=$ ",
          "sh"
        )
        return tmux
      }),
      // It is gone already where the test has closed it.
      (tmux) => Effect.ignore(Effect.try({ try: () => tmux("kill-server"), catch: () => "gone" }))
    ),
    (tmux) => {
      // `-J` joins what the terminal wrapped.
      const text = () => tmux("capture-pane", "-p", "-J", "-S", "-500")
      const awaitText = (pattern: RegExp): Effect.Effect<string> =>
        Effect.sync(text).pipe(
          Effect.tap((text) => pattern.test(text) ? Effect.void : Effect.sleep("100 millis")),
          Effect.repeat({ until: (text) => pattern.test(text) }),
          Effect.timeoutOrElse({
            duration: "30 seconds",
            orElse: () => Effect.die(new Error(`no ${pattern} on the terminal:\n${text()}`))
          })
        )
      return {
        text,
        awaitText,
        type: (line) => {
          tmux("send-keys", "-l", line)
          tmux("send-keys", "Enter")
        },
        key: (name) => void tmux("send-keys", name),
        isCursorShown: () => tmux("display", "-p", "#{cursor_flag}").trim() === "1",
        close: () => void tmux("kill-session")
      }
    }
  )
