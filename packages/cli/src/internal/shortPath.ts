import { relative } from "node:path"

/** A path as people name it, from here, unless that is longer. */
export const shortPath = (file: string): string => {
  const short = relative(process.cwd(), file)
  return short !== "" && short.length < file.length ? short : file
}
