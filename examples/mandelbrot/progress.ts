// One line that tells how far it is, where somebody sees it.
import { Clock, Effect } from "effect"

const interval = 100

/** Gives what to call with the rows that are there. Draws on a terminal only, ten times a second at most, and leaves nothing behind. */
export const progress = (
  height: number,
  terminal: Pick<NodeJS.WriteStream, "isTTY"> & { readonly write: (text: string) => boolean }
): (rows: number) => Effect.Effect<void> => {
  if (!terminal.isTTY) return () => Effect.void
  let next = 0
  return (rows) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (rows === height) terminal.write("\r\u001b[K")
      else if (now >= next) {
        next = now + interval
        terminal.write(`\r${Math.floor(100 * rows / height)} %, ${rows} of ${height} rows\u001b[K`)
      }
    })
}
