// How long the built command takes to start, beside Node itself.
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Group } from "./harness.ts"
import { median } from "./harness.ts"

const bin = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("conveyor/package.json")))
const run = promisify(execFile)

const millis = async (...args: ReadonlyArray<string>): Promise<number> => {
  const from = performance.now()
  await run(process.execPath, args)
  return performance.now() - from
}

const coldStart = async () => {
  const pairs: Array<readonly [number, number]> = []
  for (let i = 0; i < 5; i++) pairs.push([await millis("-e", "0"), await millis(bin, "--version")])
  return [median(pairs.map(([, ours]) => ours)), median(pairs.map(([node, ours]) => ours - node))]
}

export const groups: ReadonlyArray<Group> = [
  {
    cases: [
      { case: "conveyor --version", unit: "ms", better: "less" },
      { case: "conveyor --version, beyond node -e 0", unit: "ms", better: "less" }
    ],
    subjects: { ours: coldStart }
  }
]
