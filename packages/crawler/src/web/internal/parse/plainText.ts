import { Parser } from "htmlparser2"

// Entities are decoded only in the little that is kept: not looking for them makes the parser a fifth to a half faster. The same
// library decodes them, by reading the text once more; nothing in it can be taken for a tag or the end of the attribute.

/** Text of a document, with its entities decoded. */
export const decodedText = (raw: string): string => {
  if (!raw.includes("&")) return raw
  const plain = ampersandsAlone(raw)
  if (plain !== undefined) return plain
  let text = ""
  new Parser({ ontext: (piece) => void (text += piece) }).end(raw.replaceAll("<", "&lt;"))
  return text
}

/** The value of an attribute, with its entities decoded. */
export const decodedAttribute = (raw: string): string => {
  if (!raw.includes("&")) return raw
  const plain = ampersandsAlone(raw)
  if (plain !== undefined) return plain
  let value = ""
  new Parser({ onattribute: (_, text) => void (value = text) }).end(`<a b="${raw.replaceAll("\"", "&quot;")}">`)
  return value
}

/** The text, if its only entity is the one in the query of every second link; the parser takes twenty times as long. */
const ampersandsAlone = (raw: string): string | undefined => {
  for (let i = raw.indexOf("&"); i >= 0; i = raw.indexOf("&", i + 1)) {
    if (!raw.startsWith("amp;", i + 1)) return undefined
  }
  return raw.replaceAll("&amp;", "&")
}

/** Characters read for each one that may be kept: white space between words is much of a page. */
const readPerKept = 4

/** How much is read of a text of which so much may be kept. */
export const readable = (maxLength: number): number => maxLength * readPerKept

/** As a person reads it: white space in one blank each, and none around; not more than so much. */
export const readText = (text: string, maxLength: number): string =>
  cut((/[^\S ]| {2}/.test(text) ? text.replaceAll(/\s+/g, " ") : text).trim(), maxLength)

/** The beginning of a text, without half a character at its end. */
export const cut = (text: string, maxLength: number): string =>
  text.length > maxLength ? text.slice(0, maxLength).toWellFormed() : text
