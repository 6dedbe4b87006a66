/**
 * What is wrong with the files that describe conveyors: every problem at once, each with its place.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * One thing that is wrong with a file.
 *
 * **Details** `line` and `column` count from 1; `path` is the key path, such as `conveyors.host.every`, and empty for the file as a whole. `message`
 * says what was found, what was expected and what to do, and never holds a secret.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export const Problem = Schema.Struct({
  file: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  path: Schema.String,
  message: Schema.String
})

/**
 * One thing that is wrong with a file.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Problem = typeof Problem.Type

/**
 * The files do not describe conveyors that could run.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class ManifestInvalid extends Schema.TaggedError<ManifestInvalid>()("ManifestInvalid", {
  problems: Schema.NonEmptyArray(Problem)
}) {
  override get message(): string {
    return render(this.problems)
  }
}

/**
 * A file could not be read.
 *
 * **Details** `reason` says why and what to do.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class ManifestUnreadable extends Schema.TaggedError<ManifestUnreadable>()("ManifestUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot read ${this.file}: ${this.reason}`
  }
}

/**
 * A file holds something other than text.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class ManifestNotText extends Schema.TaggedError<ManifestNotText>()("ManifestNotText", {
  file: Schema.String
}) {
  override get message(): string {
    return `${this.file} is not text in UTF-8`
  }
}

/**
 * What may go wrong with files.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export type ManifestError = ManifestInvalid | ManifestUnreadable | ManifestNotText

/** Problems that are printed; the rest is counted. */
const shown = 20

/**
 * Renders problems for people, one for each line, in the order of the file.
 *
 * **Details** At most 20; the last line counts the others.
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const render = (problems: ReadonlyArray<Problem>): string => {
  const lines = problems.slice(0, shown).map(({ column, file, line, message, path }) =>
    `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`
  )
  return problems.length <= shown ? lines.join("\n") : [...lines, `and ${problems.length - shown} more`].join("\n")
}
