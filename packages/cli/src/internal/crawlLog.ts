import * as LiveTerminal from "effect-crawler/LiveTerminal"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { redactText } from "../Redaction.ts"
import { paint } from "./color.ts"
import { describe, secrets } from "./logging.ts"

/** Logs to standard error as other commands do, but above what is drawn there. */
export const layer = (format: "text" | "json"): Layer.Layer<never, never, LiveTerminal.LiveTerminal> =>
  LiveTerminal.layerLogger(
    Logger.map(format === "json" ? Logger.formatJson : text, (line) => redactText(line, secrets))
  )

const text = Logger.make<unknown, string>(({ cause, date, logLevel, message }) => {
  const parts = (Array.isArray(message) ? message : [message]).map((part) =>
    typeof part === "string" ? part : JSON.stringify(part)
  )
  const style = logLevel === "Fatal" || logLevel === "Error" ? "red" : logLevel === "Warn" ? "yellow" : "green"
  return [
    paint("dim", date.toISOString()),
    paint(style, logLevel.toUpperCase().padEnd(5)),
    [...parts, ...(cause.reasons.length === 0 ? [] : [describe(cause)])].join(": ")
  ].join(" ")
})
