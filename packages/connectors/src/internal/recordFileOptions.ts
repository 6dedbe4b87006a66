import * as Schema from "effect/Schema"
import { byteSize, optional, required } from "./optionSchema.ts"

/** What the consumers that append records to a file have in common. */
export const fields = {
  path: required(Schema.NonEmptyString, "the file to append to; it and the directories above it are made when missing"),
  rotate: optional(
    Schema.Struct({
      size: optional(byteSize, "a file this large is set aside before the next record, such as \"10 MB\""),
      every: optional(Schema.Literals(["day"]), "a new file for each day (UTC)")
    }),
    "when to set the file aside as NAME-TIME.EXT and begin a new one; never unless given"
  ),
  flush: optional(
    Schema.Literals(["each", "close"]),
    "force to the disk after each batch (survives a power cut), or when closing (survives a crash of the process)",
    "close"
  )
}

export const defaults = { flush: "close" } as const
