import { type Handler, Parser } from "htmlparser2"

// htmlparser2 keeps open elements in an array whose front is the innermost: each tag costs their number, and 300 000 nested elements
// take 16 seconds. A page as deep as that is a mistake or an attack. So, as browsers do, no element is put into one that is
// `maxDepth` deep: it stands beside what it would have contained.
//
// What may be overridden is what the parser documents for that (an element that is void is never open), and events of its tokenizer.
// Whether an element is void must not change between the beginning and the end of its tag, so it is decided at the first.

/** What is told of a page. */
export interface Events extends Partial<Handler> {
  /** A tag begins, or an end tag: even one that opens or ends nothing, which no other event tells of. */
  readonly ontag: () => void
  /**
   * The tag whose name and attributes were told has ended; it never does where the page ends within. The parser's own event for that,
   * `onopentag`, has it collect all attributes of all tags, for a fifth of its speed.
   */
  readonly onopentagend: () => void
}

/** A parser that nests only so deep. */
export class FlatParser extends Parser {
  private readonly events: Events
  private readonly depth: { now: number }
  private readonly maxDepth: number
  private isFull = false

  constructor(events: Events, options: { readonly maxDepth: number; readonly decodeEntities: boolean }) {
    const depth = { now: 0 }
    super({
      ...events,
      onopentagname: (name) => {
        depth.now++
        events.onopentagname?.(name)
      },
      onclosetag: (name, isImplied) => {
        depth.now--
        events.onclosetag?.(name, isImplied)
      }
    }, { decodeEntities: options.decodeEntities })
    this.events = events
    this.depth = depth
    this.maxDepth = options.maxDepth
  }

  override onopentagname(start: number, endIndex: number): void {
    this.events.ontag()
    this.isFull = this.depth.now >= this.maxDepth
    super.onopentagname(start, endIndex)
  }

  override onopentagend(endIndex: number): void {
    this.events.onopentagend()
    super.onopentagend(endIndex)
  }

  override onselfclosingtag(endIndex: number): void {
    this.events.onopentagend()
    super.onselfclosingtag(endIndex)
  }

  override onclosetag(start: number, endIndex: number): void {
    this.events.ontag()
    this.isFull = false
    super.onclosetag(start, endIndex)
  }

  protected override isVoidElement(name: string): boolean {
    return this.isFull || super.isVoidElement(name)
  }
}
