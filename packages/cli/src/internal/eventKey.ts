import * as JsonPointer from "effect/JsonPointer"

/**
 * Reads a field of an event, named by a JSON pointer (`/customer/id`) or by names with dots (`customer.id`). Events without it
 * have the key `undefined` in common.
 */
export const eventKey = (path: string): (event: unknown) => unknown => {
  const names = path.startsWith("/") ? path.slice(1).split("/").map(JsonPointer.unescapeToken) : path.split(".")
  return (event) =>
    names.reduce<unknown>(
      (value, name) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, name)
          ? (value as { readonly [name: string]: unknown })[name]
          : undefined,
      event
    )
}
