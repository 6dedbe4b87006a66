import * as Cause from "effect/Cause"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { redactText } from "../Redaction.ts"
import { paint } from "./color.ts"

/** Secrets that no line of the log may show; files that are read add theirs. */
export const secrets = new Set<string>()

/** The lines of a log. */
export const lines = (format: "text" | "json"): Logger.Logger<unknown, string> =>
  Logger.map(format === "json" ? Logger.formatJson : text, (line) => redactText(line, secrets))

/** Logs to standard error. */
export const layer = (format: "text" | "json"): Layer.Layer<never> =>
  Logger.layer([Logger.map(lines(format), (line) => {
    process.stderr.write(`${line}\n`)
  })])

const styles = { Fatal: "red", Error: "red", Warn: "yellow", Info: "green" } as const

const text = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const parts = (Array.isArray(message) ? message : [message]).map((part) =>
    typeof part === "string" ? part : JSON.stringify(part)
  )
  const { conveyor, queue, ...others } = fiber.getRef(References.CurrentLogAnnotations)
  const whose = conveyor ?? queue
  const style = styles[logLevel as keyof typeof styles] ?? "dim"
  return [
    paint("dim", date.toISOString()),
    paint(style, logLevel.toUpperCase().padEnd(5)),
    ...(whose === undefined ? [] : [paint("bold", `${String(whose)}:`)]),
    [...parts, ...(cause.reasons.length === 0 ? [] : [describe(cause)])].join(": "),
    ...Object.entries(others).map(([key, value]) => paint("dim", `${key}=${String(value)}`))
  ].join(" ")
})

/** The message of a failure that was foreseen; a defect with its stack, which is what finds it. */
export const describe = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasDies(cause)) return Cause.pretty(cause)
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : typeof error === "string" ? error : JSON.stringify(error)
}
