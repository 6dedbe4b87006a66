/**
 * What is taken out of each page: a name, the elements it stands for, and whether their text or an attribute of theirs is wanted.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * What is taken out of each page under a name.
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Selector {
  readonly name: string
  /** A CSS selector, as css-select knows them: selectors of level 4, without pseudo-elements and what only a browser knows. */
  readonly css: string
  /** The attribute that is wanted of each element; nothing for its text. */
  readonly attribute?: string | undefined
}

/**
 * A selector that cannot be used; `text` is what was written.
 *
 * @category errors
 * @stability unstable
 * @since 0.1.0
 */
export class InvalidSelector extends Data.TaggedError("InvalidSelector")<{
  readonly text: string
  readonly detail: string
}> {
  override get message(): string {
    return `selector ${JSON.stringify(this.text)}: ${this.detail}`
  }
}

/**
 * Reads `name=css` or `name=css@attribute`. Whether the CSS is right is found when a parser is made of it.
 *
 * **Example** (The targets of a menu)
 *
 * ```ts
 * Selector.parse("menu=nav > a@href") // success: { name: "menu", css: "nav > a", attribute: "href" }
 * ```
 *
 * @category constructors
 * @stability unstable
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Selector, InvalidSelector> => {
  const equals = text.indexOf("=")
  const name = text.slice(0, Math.max(equals, 0)).trim()
  const rest = text.slice(equals + 1).trim()
  // CSS itself has an at sign only in quotes, where more follows than a name.
  const at = rest.lastIndexOf("@")
  const attribute = at < 0 ? "" : rest.slice(at + 1).trim()
  const css = /^[\w:.-]+$/.test(attribute) ? rest.slice(0, at).trim() : rest
  return name === "" || css === ""
    ? Result.fail(new InvalidSelector({ text, detail: "must be NAME=CSS or NAME=CSS@ATTRIBUTE" }))
    : Result.succeed(css === rest ? { name, css } : { name, css, attribute: attribute.toLowerCase() })
}
