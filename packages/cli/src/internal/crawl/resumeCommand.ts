import { basename, delimiter, dirname } from "node:path"
import { redact } from "../../Redaction.ts"
import { shortPath } from "../shortPath.ts"

/** How this process was started. */
export interface Invocation {
  /** As in `process.argv`: the runtime, the script, the arguments. */
  readonly argv: ReadonlyArray<string>
  readonly execArgv: ReadonlyArray<string>
  readonly env: { readonly [name: string]: string | undefined }
}

/** The command line that goes on with the crawl of this one, to be pasted into a shell. */
export const resumeCommand = ({ argv, env, execArgv }: Invocation): string => {
  const [runtime = "node", script = "conveyor", ...args] = argv
  return [...programOf(runtime, script, execArgv, env), ...resuming(args)].map((word) => quote(String(redact(word))))
    .join(" ")
}

/** What was typed before the arguments, as far as a process can know. */
const programOf = (
  runtime: string,
  script: string,
  execArgv: ReadonlyArray<string>,
  env: Invocation["env"]
): ReadonlyArray<string> => {
  // npm puts folders on the PATH that the shell it was started from does not have.
  if (env["npm_command"] !== undefined) return ["npx", "conveyor"]
  const path = (env["PATH"] ?? "").split(delimiter)
  if (/^conveyor(\.cmd)?$/.test(basename(script))) {
    return path.includes(dirname(script)) ? ["conveyor"] : [shortPath(script)]
  }
  return [path.includes(dirname(runtime)) ? basename(runtime) : runtime, ...execArgv, shortPath(script)]
}

/** The arguments with `--resume`, once, and before a `--` that ends the flags. */
const resuming = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const flags = (end === -1 ? args : args.slice(0, end)).filter((arg) => !/^--(?:no-)?resume(?:=|$)/.test(arg))
  return [...flags, "--resume", ...(end === -1 ? [] : args.slice(end))]
}

const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
