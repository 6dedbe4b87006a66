import process from "node:process"
import type * as Sqlite from "node:sqlite"

/**
 * Loads `node:sqlite` without the ExperimentalWarning that Node 22 prints for it.
 *
 * Loading is synchronous, so that no other code can run, and no other warning be lost, while `emitWarning` is replaced.
 */
export const loadSqlite = (): typeof Sqlite => {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: Array<any>) => {
    const text = typeof warning === "string" ? warning : warning.message
    if (!text.startsWith("SQLite is an experimental feature")) emitWarning.call(process, warning, ...rest)
  }
  try {
    return process.getBuiltinModule("node:sqlite")
  } finally {
    process.emitWarning = emitWarning
  }
}
