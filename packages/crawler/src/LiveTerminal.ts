/**
 * A terminal on which lines are drawn that change, while what is printed scrolls above them.
 *
 * Whatever a program prints while something is drawn must go through {@link LiveTerminal}'s `print`; its log does with {@link layerLogger}. What is drawn is
 * never higher than the terminal, is drawn at most ten times a second, and remains when it is over. The cursor, hidden meanwhile, is there again
 * however it ends, but for SIGKILL.
 *
 * On a stream that is no terminal nothing is drawn, and `print` just prints.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { hideCursor, Region, showCursor, type Size } from "./internal/display/region.ts"
import { fit, linesOf } from "./internal/display/text.ts"

export type {
  /**
   * How large a terminal is, or the part of it that may be drawn on, in cells.
   *
   * @category models
   * @stability unstable
   * @since 0.1.0
   */
  Size
}

/**
 * What is needed of a terminal.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Port {
  /** Whether it can be drawn on: a terminal that knows escape codes, and somebody who looks at it. */
  readonly isLive: boolean
  readonly colors: boolean
  /** Its size now. It is asked for each time something is drawn, which is how resizing is followed. */
  readonly size: () => Size
  readonly write: (text: string) => void
  /** Writes what `last` gives, should the process end before the Scope does; or be stopped, after which what is drawn is drawn anew. */
  readonly atExit: (last: () => string) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * A terminal that can be drawn on.
 *
 * @category services
 * @stability unstable
 * @since 0.1.0
 */
export class LiveTerminal extends Context.Service<LiveTerminal, {
  readonly isLive: boolean
  readonly colors: boolean
  /**
   * Prints whole lines, above what is drawn: with its next frame, at the latest when it ends. Control characters in them are made visible while something
   * is drawn; tabs and styles work.
   */
  readonly print: (text: string) => Effect.Effect<void>
  readonly printUnsafe: (text: string) => void
  /**
   * Draws while an effect runs, and once more with its Exit; that frame remains. What does not fit the size is cut. Two that draw at once share the
   * terminal, one above the other. A frame that dies interrupts the effect, and is its defect.
   */
  readonly drawWhile: <A, E, R, R2>(
    effect: Effect.Effect<A, E, R>,
    frame: (size: Size, exit: Exit.Exit<A, E> | undefined) => Effect.Effect<ReadonlyArray<string>, never, R2>
  ) => Effect.Effect<A, E, R | R2>
}>()("effect-crawler/LiveTerminal") {}

/** A frame lasts at least this long. */
const interval = "100 millis"

/** More lines than this are not kept for the next frame. */
const maxPending = 256

/**
 * Makes one of a port.
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const make = (port: Port): LiveTerminal["Service"] => {
  const region = new Region()
  // What each that draws has drawn last, from above.
  const frames = new Map<object, ReadonlyArray<string>>()
  let pending: Array<string> = []
  let isHidden = false

  const room = (): Size => {
    const { columns, rows } = port.size()
    // The cursor rests on a row of its own.
    return { columns, rows: Math.floor((rows - 1) / Math.max(1, frames.size)) }
  }

  const drawn = (): string => {
    const above = pending
    pending = []
    const { columns, rows } = port.size()
    // One of several may have drawn for another size.
    const lines = [...frames.values()].flat().slice(0, Math.max(0, rows - 1)).map((line) => fit(line, columns))
    const hides = frames.size > 0
    const cursor = hides === isHidden ? "" : hides ? hideCursor : showCursor
    isHidden = hides
    return `${hides ? cursor : ""}${region.draw(above, lines, { columns, rows })}${hides ? "" : cursor}`
  }

  const draw = (): void => {
    const text = drawn()
    if (text !== "") port.write(text)
  }

  /** What was drawn last scrolls with the rest from now on. */
  const leave = (key: object): void => {
    pending.push(...frames.get(key)!)
    frames.delete(key)
  }

  const printUnsafe = (text: string): void => {
    if (!port.isLive || frames.size === 0) return port.write(text.endsWith("\n") ? text : `${text}\n`)
    pending.push(...linesOf(text))
    if (pending.length > maxPending) draw()
  }

  return {
    isLive: port.isLive,
    colors: port.colors,
    printUnsafe,
    print: (text) => Effect.sync(() => printUnsafe(text)),
    drawWhile: (effect, frame) => {
      if (!port.isLive) return effect as never
      const key = {}
      type Ended = Parameters<typeof frame>[1]
      const look = (exit: Ended) =>
        Effect.map(Effect.suspend(() => frame(room(), exit)), (lines) => frames.set(key, lines))
      const frameByFrame = Effect.forever(
        Effect.andThen(Effect.andThen(look(undefined), Effect.sync(draw)), Effect.sleep(interval))
      )
      const over = Effect.sync(() => {
        leave(key)
        draw()
      })
      const atExit = port.atExit(() => {
        if (!frames.has(key)) return ""
        leave(key)
        return drawn()
      })
      return Effect.scoped(Effect.andThen(
        atExit,
        Effect.acquireUseRelease(
          Effect.sync(() => frames.set(key, [])),
          () => Effect.raceFirst(effect, frameByFrame),
          (_, exit) => Effect.ensuring(look(exit), over)
        )
      )) as never
    }
  }
}

/**
 * Prints the log on the terminal, above what is drawn, in place of the loggers there are.
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layerLogger = (
  format: Logger.Logger<unknown, string> = Logger.formatLogFmt
): Layer.Layer<never, never, LiveTerminal> =>
  Layer.unwrap(
    Effect.map(LiveTerminal, ({ printUnsafe }) => Logger.layer([Logger.map(format, printUnsafe)]))
  )
