import { Effect } from "effect"
import type * as LiveTerminal from "../../../src/LiveTerminal.ts"
import { Screen } from "./screen.ts"

/** A terminal that is looked at. */
export class FakeTerminal {
  readonly screen: Screen
  readonly writes: Array<string> = []
  /** What would be done were the process to end now. */
  readonly atExit = new Set<() => string>()
  readonly port: LiveTerminal.Port

  constructor(options: { readonly columns?: number; readonly rows?: number; readonly isLive?: boolean } = {}) {
    const { columns = 60, isLive = true, rows = 12 } = options
    this.screen = new Screen(columns, rows)
    this.port = {
      isLive,
      colors: false,
      size: () => ({ columns: this.screen.columns, rows: this.screen.rows }),
      write: (text) => {
        this.writes.push(text)
        // As the system does for a terminal.
        this.screen.write(text.replaceAll(/\r?\n/g, "\r\n"))
      },
      atExit: (last) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            this.atExit.add(last)
          }),
          () => Effect.sync(() => this.atExit.delete(last))
        )
    }
  }

  /** What is seen, without empty lines at the end. */
  seen(): ReadonlyArray<string> {
    const lines = this.screen.transcript()
    return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1)
  }
}
