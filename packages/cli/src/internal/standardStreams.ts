import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"

const closed = Deferred.makeUnsafe<void>()

/** Resumes once whoever read standard output has gone, as `head` does when it has seen enough. */
export const awaitOutputClosed: Effect.Effect<void> = Deferred.await(closed)

/** Takes the failures of the standard streams, which would end the process where nobody listens. */
export const listen = (): void => {
  process.stdout.on("error", noteClosed)
  process.stderr.on("error", () => {})
}

const noteClosed = (): void => {
  Deferred.doneUnsafe(closed, Effect.void)
}

const write = (
  stream: NodeJS.WriteStream,
  chunk: string | Uint8Array
): Effect.Effect<void, PlatformError.PlatformError> =>
  Effect.callback((resume) => {
    stream.write(chunk, (error) => {
      if (error === null || error === undefined) return resume(Effect.void)
      if ((error as NodeJS.ErrnoException).code === "EPIPE" || stream.destroyed) {
        // Nobody is there to read it: not a failure of whoever writes.
        return resume(Effect.void)
      }
      resume(Effect.fail(PlatformError.systemError({
        _tag: "Unknown",
        module: "Stdio",
        method: "write",
        cause: error
      })))
    })
  })

const sink = (stream: NodeJS.WriteStream) => () => Sink.forEach((chunk: string | Uint8Array) => write(stream, chunk))

/**
 * The standard streams, on which writing to a reader that has gone succeeds without effect.
 *
 * With `data: "stderr"` what is meant for standard output goes to standard error, which leaves standard output to the command.
 */
export const layer = (data: "stdout" | "stderr"): Layer.Layer<Stdio.Stdio, never, Stdio.Stdio> =>
  Layer.effect(
    Stdio.Stdio,
    Effect.map(Stdio.Stdio, (stdio) =>
      Stdio.make({
        ...stdio,
        stdout: sink(process[data]),
        stderr: sink(process.stderr),
        stdoutIsTerminal: data === "stdout" ? stdio.stdoutIsTerminal : stdio.stderrIsTerminal
      }))
  )

/** Prints on standard output. */
export const print = (text: string): Effect.Effect<void> => Effect.ignore(write(process.stdout, text))

/** Prints on standard error. */
export const printError = (text: string): Effect.Effect<void> => Effect.ignore(write(process.stderr, text))
