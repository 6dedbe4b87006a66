import type { BrokenLink, LinkReport } from "effect-crawler/web/LinkCheck"

/** Pages that are told of each link. */
const maxPlaces = 10

/** A report of links as people read it: each that is broken, and where it stands. */
export const linkText = ({ broken, targets, unchecked }: LinkReport): string => {
  const unclear = broken.filter(({ verdict }) => verdict === "unclear").length
  const head = [
    `${broken.length - unclear} of ${targets} links broken`,
    ...(unclear > 0 ? [`${unclear} unclear`] : []),
    ...(unchecked > 0 ? [`${unchecked} not checked`] : [])
  ]
  return `${[...broken.map(brokenText), head.join(", ")].join("\n")}\n`
}

const brokenText = ({ detail, places, url, verdict }: BrokenLink): string =>
  [
    `${url}: ${detail}${verdict === "unclear" ? " (unclear)" : ""}`,
    ...places.slice(0, maxPlaces).map(({ page, text }) => `  in ${page}${text === "" ? "" : ` (${text})`}`),
    ...(places.length > maxPlaces ? [`  and ${places.length - maxPlaces} more`] : [])
  ].map(printable).join("\n")

/** Texts of pages stay within their line, and command no terminal. */
const printable = (line: string): string => line.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
