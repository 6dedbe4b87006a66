import type { WorkerEnd } from "../WorkerHost.ts"

/** What is known of a child process that is gone. */
export interface Remains {
  readonly code: number | null
  readonly signal: string | null
  /** Whether it was asked to close. */
  readonly closing: boolean
  /** The error nobody caught, as it told it over its lifeline. */
  readonly lastWords: string
  /** The end of what it printed on standard error. */
  readonly printed: string
}

/** Why a child process is gone. */
export const processEnd = ({ closing, code, lastWords, printed, signal }: Remains): WorkerEnd => {
  // V8 prints this and aborts: no code of the process runs any more, so that what it prints is all there is to tell.
  const outOfMemory = code === 0 ? null : /^.*(?:FATAL ERROR|Fatal).*out of memory.*$/m.exec(printed)
  if (outOfMemory !== null && (code === aborted || signal !== null && crashes.includes(signal))) {
    return { _tag: "OutOfMemory", detail: outOfMemory[0].trim() }
  }
  if (signal !== null) return { _tag: "Signalled", signal }
  if (code === 0 && closing) return { _tag: "Closed" }
  // Without an error to tell it was Node that refused to start, or the program that printed what it ends with.
  return { _tag: "Exited", code: code ?? -1, detail: lastWords !== "" ? lastWords : code === 0 ? "" : printed.trim() }
}

/** By which V8 ends a process, depending on the platform and the kind of allocation. */
const crashes = ["SIGABRT", "SIGTRAP", "SIGILL"]

/** 128 + SIGABRT: from a shell in between, and from Node on Windows. */
const aborted = 134

/** The end of a stream, as much of it as is enough for V8's report on how it died. */
export class Tail {
  private kept: Array<Buffer> = []
  private bytes = 0

  add(chunk: Buffer): void {
    this.kept.push(chunk)
    this.bytes += chunk.length
    if (this.bytes > 2 * tailBytes) {
      this.kept = [Buffer.from(Buffer.concat(this.kept).subarray(-tailBytes))]
      this.bytes = tailBytes
    }
  }

  get text(): string {
    return Buffer.concat(this.kept).subarray(-tailBytes).toString()
  }
}

const tailBytes = 16_384
