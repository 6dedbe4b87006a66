/**
 * The terminal of a Node process.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LiveTerminal, make, type Port } from "./LiveTerminal.ts"

/**
 * What is drawn on, and how.
 *
 * @category options
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  /** Defaults to standard error, since standard output is for data. */
  readonly stream?: NodeJS.WriteStream | undefined
  /** Whether it is drawn on. Defaults to whether it is a terminal, and neither dumb nor that of a build server (`CI`). */
  readonly live?: boolean | undefined
  /** Defaults to whether the terminal has colours and `NO_COLOR` is not set. */
  readonly colors?: boolean | undefined
}

/**
 * Draws on a stream of the process.
 *
 * **Details** A signal that nobody else listens for ends the process, or stops it, as it would have, after the cursor has been shown.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<LiveTerminal> => {
  const stream = options.stream ?? process.stderr
  const isTerminal = stream.isTTY === true
  return Layer.effect(
    LiveTerminal,
    Effect.map(
      // A terminal that was closed is nothing to die of.
      Effect.acquireRelease(
        Effect.sync(() => stream.on("error", ignored)),
        () => Effect.sync(() => stream.off("error", ignored))
      ),
      () =>
        make({
          isLive: options.live ?? (isTerminal && process.env["TERM"] !== "dumb" && !isBuildServer()),
          colors: options.colors ?? (isTerminal && !process.env["NO_COLOR"] && stream.hasColors()),
          // Some terminals of build servers say 0.
          size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
          write: (text) => void stream.write(text),
          atExit: atExit(stream)
        })
    )
  )
}

const ignored = (): void => {}

const isBuildServer = (): boolean => !["", "0", "false", undefined].includes(process.env["CI"])

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

const atExit = (stream: NodeJS.WriteStream): Port["atExit"] => (last) =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const leave = (): void => void stream.write(last())
      const onSignal = (signal: NodeJS.Signals): void => {
        // Whoever else listens decides what becomes of the process.
        if (process.listenerCount(signal) > 1) return
        leave()
        process.off(signal, onSignal)
        process.kill(process.pid, signal)
      }
      // Ctrl-Z.
      const onStop = (): void => {
        if (process.listenerCount("SIGTSTP") > 1) return
        leave()
        process.kill(process.pid, "SIGSTOP")
      }
      process.on("exit", leave)
      process.on("SIGTSTP", onStop)
      for (const signal of signals) process.on(signal, onSignal)
      return { leave, onSignal, onStop }
    }),
    ({ leave, onSignal, onStop }) =>
      Effect.sync(() => {
        process.off("exit", leave)
        process.off("SIGTSTP", onStop)
        for (const signal of signals) process.off(signal, onSignal)
      })
  ))
