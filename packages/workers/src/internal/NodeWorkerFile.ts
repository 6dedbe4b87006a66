import * as path from "node:path"
import * as url from "node:url"

/** The URL of a module that is given as a URL, as the text of one, or as an absolute path. */
export const toUrl = (where: string, module: URL | string): URL => {
  if (module instanceof URL) return module
  if (path.isAbsolute(module)) return url.pathToFileURL(module)
  if (URL.canParse(module)) return new URL(module)
  throw new TypeError(`${where}: module must be a URL or an absolute path, got ${JSON.stringify(module)}`)
}

/** The program that loads a task module: TypeScript beside this file's source, JavaScript beside what was built of it. */
export const taskEntry = new URL(`./NodeTaskEntry${path.extname(import.meta.url)}`, import.meta.url)

/** `--max-old-space-size` and `resourceLimits` count in these. */
export const mebibytes = (where: string, maxHeapBytes: number): number => {
  if (Number.isSafeInteger(maxHeapBytes) && maxHeapBytes > 0) return Math.ceil(maxHeapBytes / 1_048_576)
  throw new RangeError(`${where}: maxHeapBytes must be a whole number > 0, got ${maxHeapBytes}`)
}
