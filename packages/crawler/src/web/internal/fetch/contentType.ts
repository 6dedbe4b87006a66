import type { ContentType } from "../../Fetcher.ts"

/** A type, a subtype, and what follows. */
const pattern = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?:;|$)/
const charset = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i

/** What a Content-Type header says. One that says nothing sensible says nothing. */
export const parse = (header: string | undefined): ContentType | undefined => {
  const mediaType = pattern.exec(header ?? "")?.[1]
  if (mediaType === undefined) return undefined
  const label = charset.exec(header!)
  return {
    mediaType: mediaType.toLowerCase(),
    charset: (label?.[1] ?? label?.[2])?.trim().toLowerCase()
  }
}

/** Whether a media type is among those wanted, of which one may be `text/*`. */
export const isWanted = (wanted: ReadonlyArray<string> | "any", type: ContentType | undefined): boolean =>
  wanted === "any" || type === undefined ||
  wanted.some((one) =>
    one.endsWith("/*")
      ? type.mediaType.startsWith(one.slice(0, -1).toLowerCase())
      : one.toLowerCase() === type.mediaType
  )
