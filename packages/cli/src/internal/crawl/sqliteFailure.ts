import type * as SqlError from "effect/sql/SqlError"
import type { CrawlFailed } from "../../CommandFailed.ts"
import { badData, unavailable } from "./failure.ts"

/** Says what is wrong with a SQLite file that a flag names. */
export const sqliteFailure =
  (flag: string, path: string) => ({ reason: { cause } }: SqlError.SqlError): CrawlFailed => {
    const code = typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 0xff : 0
    const detail = advices[code] ?? (cause instanceof Error ? cause.message : String(cause))
    const problem = `${flag}: ${path}: ${detail}`
    return unsuited.has(code) ? badData(problem) : unavailable(problem)
  }

// Primary result codes, https://sqlite.org/rescode.html
const error = 1
const busy = 5
const readOnly = 8
const corrupt = 11
const full = 13
const cannotOpen = 14
const constraint = 19
const notADatabase = 26

const unsuited: ReadonlySet<number> = new Set([error, corrupt, constraint, notADatabase])

const advices: { readonly [code: number]: string } = {
  [busy]: "another process is using it; wait for it, stop it, or name another file",
  [readOnly]: "it may only be read; make it and its folder writable for this user, or name another file",
  [corrupt]: "it is damaged; name another file",
  [full]: "the disk is full; make room, or name a file elsewhere",
  [cannotOpen]: "it is a directory or may not be opened; name a file that this user may write",
  [notADatabase]: "it is not a SQLite database; name another file"
}
