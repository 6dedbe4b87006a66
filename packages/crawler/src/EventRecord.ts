/**
 * The events of a crawl as data for other programs: one line of JSON each.
 *
 * | field                                                  | in                                          | is                                                             |
 * | ------------------------------------------------------ | ------------------------------------------- | -------------------------------------------------------------- |
 * | `_tag`, `at`                                           | all                                         | which event; when, in ISO 8601                                 |
 * | `id`, `class`, `depth`, `parentId`, `item`             | all but `Skipped` and `Ended`               | the item; `parentId` is null for a root                        |
 * | `text`                                                 | `Described`                                 | what the item says that it does                                |
 * | `outcome`, and `value`, `error` or `defect`            | `Processed`, `Settled`                      | `"succeeded"`, `"failed"` or `"interrupted"`; with what        |
 * | `class`, `item`, `reason`                              | `Skipped`                                   | what is not done, and why                                      |
 * | `enqueued`, `succeeded`, `failed`, `interrupted`, `left`, `skipped`, `roots` | `Ended`               | the report; a root has `class`, `item` and its outcome         |
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import type { CrawlEvent } from "./CrawlEvent.ts"
import { type Item, TypeId } from "./CrawlItem.ts"

/**
 * Writes an event as one line of JSON, without the line's end.
 *
 * **Details** `at` is when it was told, in milliseconds since the Unix epoch. Errors are written with their name, message and fields, what failed on
 * purpose under `error`, what is a bug under `defect`. What JSON cannot say is left out; redacted values stay redacted.
 *
 * @category conversions
 * @stability unstable
 * @since 0.1.0
 */
export const line = (event: CrawlEvent, at: number): string =>
  Formatter.formatJson({ _tag: event._tag, at: DateTime.formatIso(DateTime.makeUnsafe(at)), ...fieldsOf(event) })

const fieldsOf = (event: CrawlEvent): object => {
  switch (event._tag) {
    case "Enqueued":
    case "Started":
      return aboutOf(event)
    case "Described":
      return { ...aboutOf(event), text: event.text }
    case "Processed":
    case "Settled":
      return { ...aboutOf(event), ...outcomeOf(event.exit) }
    case "Skipped":
      return { ...itemOf(event.skipped.item), reason: event.skipped.reason }
    case "Ended":
      return {
        ...event.report,
        roots: event.report.roots.map(({ exit, item }) => ({ ...itemOf(item), ...outcomeOf(exit) }))
      }
  }
}

const aboutOf = (
  { about: { depth, id, item, parentId } }: Extract<CrawlEvent, { readonly about: unknown }>
): object => ({
  id,
  depth,
  parentId: parentId ?? null,
  ...itemOf(item)
})

const itemOf = (item: Item): object => ({ class: item[TypeId], item })

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): object => {
  if (Exit.isSuccess(exit)) return { outcome: "succeeded", value: exit.value }
  if (Cause.hasInterrupts(exit.cause)) return { outcome: "interrupted" }
  const error = errorOf(Cause.squash(exit.cause))
  return { outcome: "failed", ...(Cause.hasFails(exit.cause) ? { error } : { defect: error }) }
}

/** Without what caused it, which may be anything, and without its stack. */
const errorOf = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const { cause: _, stack: __, ...fields } = { ...error, name: error.name, message: error.message }
  return fields
}
