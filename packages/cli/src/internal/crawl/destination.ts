import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { extname } from "node:path"
import type { Input } from "./flags.ts"

/** Where pages go. */
export type Destination =
  | { readonly _tag: "None" }
  | { readonly _tag: "StandardOutput" }
  | { readonly _tag: "File"; readonly format: "ndjson" | "csv" | "sqlite"; readonly path: string }

const formats: { readonly [extension: string]: "ndjson" | "csv" | "sqlite" } = {
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".csv": "csv",
  ".db": "sqlite",
  ".sqlite": "sqlite"
}

/** Where pages go, by the flags; or what is wrong with these. */
export const parseDestination = (
  { checkLinks, format, output }: Pick<Input, "checkLinks" | "format" | "output">,
  isTerminal: boolean
): Result.Result<Destination, string> => {
  // What else standard output carries.
  const other = format !== "text" ? `-o ${format}` : checkLinks ? "the report of --check-links" : undefined
  if (Option.isNone(output)) {
    return Result.succeed({ _tag: other === undefined && !isTerminal ? "StandardOutput" : "None" })
  }
  const path = output.value
  if (path === "-") {
    return other === undefined
      ? Result.succeed({ _tag: "StandardOutput" })
      : Result.fail(`--output -: standard output carries ${other} already; name a file`)
  }
  const known = formats[extname(path).toLowerCase()]
  return known === undefined
    ? Result.fail(
      `--output ${path}: expected a file that ends in .ndjson, .jsonl, .csv, .db or .sqlite, or - for standard output${
        /^(?:text|json|ndjson)$/.test(path) ? `; for what is printed there is -o ${path}` : ""
      }`
    )
    : Result.succeed({ _tag: "File", format: known, path })
}
