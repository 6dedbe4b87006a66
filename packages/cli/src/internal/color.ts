import { styleText } from "node:util"

/** Whether a stream is coloured: as `--color` says, else as NO_COLOR, FORCE_COLOR and the terminal do. */
export const isColored = (stream: NodeJS.WriteStream, choice: string): boolean => {
  if (choice !== "auto") return choice === "always"
  if (process.env["NO_COLOR"]) return false
  const force = process.env["FORCE_COLOR"]
  if (force !== undefined && force !== "" && force !== "0" && force !== "false") return true
  return stream.isTTY && process.env["TERM"] !== "dumb"
}

/** The choice that stands in the arguments, for what is printed before they are parsed. */
export const choiceIn = (args: ReadonlyArray<string>): string => {
  const at = args.findIndex((arg) => arg === "--color" || arg.startsWith("--color="))
  const choice = at === -1 ? "auto" : args[at] === "--color" ? args[at + 1] : args[at]!.slice("--color=".length)
  return choice === "always" || choice === "never" ? choice : "auto"
}

/** Makes the choice that of everything that goes by NO_COLOR and FORCE_COLOR, connectors included. */
export const choose = (choice: string): void => {
  if (choice === "auto") return
  delete process.env[choice === "always" ? "NO_COLOR" : "FORCE_COLOR"]
  process.env[choice === "always" ? "FORCE_COLOR" : "NO_COLOR"] = "1"
}

/** Styles text for standard error. */
export const paint = (style: "bold" | "red" | "yellow" | "dim" | "green", text: string): string =>
  isColored(process.stderr, "auto") ? styleText(style, text, { validateStream: false }) : text
