import { compile, selectAll } from "css-select"
import { type AnyNode, DomHandler, type Element, hasChildren, isTag, isText } from "domhandler"
import type { Selector } from "../../Selector.ts"
import type { Events } from "./flatParser.ts"
import type { PageHandler } from "./pageHandler.ts"
import { cut, readable, readText } from "./plainText.ts"

// A tree of the page, made only when something is to be selected in it, and only as large as it is allowed to be.

/** A selector that is ready to be asked. */
export interface Query extends Selector {
  readonly matches: (node: AnyNode) => boolean
}

/** Compiles a selector; throws what css-select does. */
export const query = (selector: Selector): Query => ({
  ...selector,
  matches: compile<AnyNode, Element>(selector.css, { relativeSelector: false })
})

/** Bounds of what is selected. */
export interface Settings {
  readonly maxElements: number
  readonly maxSelected: number
  readonly maxTextLength: number
}

/** Builds the tree of one page from the parser's events. */
export class Selection {
  private readonly dom = new DomHandler()
  private readonly settings: Settings
  private elements = 0

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Listens beside another. Beyond the last element that is allowed the tree does not grow. */
  beside(events: PageHandler["events"]): Events {
    const { dom } = this
    const hasRoom = (): boolean => this.elements <= this.settings.maxElements
    return {
      ...events,
      onopentag: (name, attributes) => {
        this.elements++
        if (hasRoom()) dom.onopentag(name, attributes)
      },
      ontext: (text) => {
        events.ontext(text)
        if (hasRoom()) dom.ontext(text)
      },
      onclosetag: (name) => {
        events.onclosetag(name)
        if (hasRoom()) dom.onclosetag()
      }
    }
  }

  /** What each query found, by name. */
  found(queries: ReadonlyArray<Query>): Record<string, ReadonlyArray<string>> {
    return Object.fromEntries(queries.map((query) => [query.name, this.foundBy(query)]))
  }

  private foundBy({ attribute, matches }: Query): ReadonlyArray<string> {
    const { maxSelected, maxTextLength } = this.settings
    const all = selectAll<AnyNode, Element>(matches, this.dom.root)
    if (attribute === undefined) return all.slice(0, maxSelected).map((element) => textOf(element, maxTextLength))
    const values = all.map(({ attribs }) => attribs[attribute]).filter((value) => value !== undefined)
    return values.slice(0, maxSelected).map((value) => cut(value, maxTextLength))
  }
}

/** The text of an element and all below it, but not of programs and styles; stops when there is enough. */
const textOf = (element: Element, maxLength: number): string => {
  let text = ""
  let node: AnyNode | null = element
  while (node !== null && text.length < readable(maxLength)) {
    if (isText(node)) text += cut(node.data, readable(maxLength))
    node = nextIn(element, node)
  }
  return readText(text, maxLength)
}

/** What comes after a node within a root, in the order of the page; looks at no more of a long row of children than it has come to. */
const nextIn = (root: Element, node: AnyNode): AnyNode | null => {
  if (hasChildren(node) && node.children.length > 0 && (node === root || !isTag(node) || !isCode(node))) {
    return node.children[0]!
  }
  for (let at: AnyNode | null = node; at !== null && at !== root; at = at.parent) if (at.next !== null) return at.next
  return null
}

const isCode = ({ name }: Element): boolean => name === "script" || name === "style"
