import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, release, totalmem, type } from "node:os"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Bench } from "tinybench"

/** One figure. `less` is better for times and sizes, `more` for rates. */
export interface Case {
  readonly case: string
  readonly unit: string
  readonly better: "more" | "less"
}

/**
 * Cases that are measured together. A subject takes one sample: a number for each case. `ours` is ours; the others are
 * called as their package is, and import it when they are run, so that no sample carries another's modules.
 */
export interface Group {
  readonly cases: ReadonlyArray<Case>
  readonly subjects: Readonly<Record<string, () => Promise<ReadonlyArray<number>>>>
}

interface Result {
  readonly case: string
  readonly subject: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
}

interface Ratio {
  readonly case: string
  readonly over: string
  /** Above 1, ours is better. */
  readonly ratio: number
}

export interface Report {
  readonly bench: string
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory: string; readonly os: string }
  readonly versions: Readonly<Record<string, string>>
  readonly results: ReadonlyArray<Result>
  readonly ratios: ReadonlyArray<Ratio>
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

/** How many of the things of which one call does `count` are done in a second. */
export const perSecond = async (count: number, call: () => Promise<unknown>): Promise<number> => {
  const bench = new Bench({ time: 1000, iterations: 5, warmupTime: 500, warmupIterations: 3, throws: true })
  bench.add("sample", async () => {
    await call()
  })
  const [task] = await bench.run()
  if (task?.result.state !== "completed") throw new Error(`the sample is ${task?.result.state}`)
  return count * 1000 / task.result.latency.p50
}

const samplesEach = 5
const run = promisify(execFile)

// A process of its own for each sample, so that neither the heap nor what the JIT has seen is shared.
const sample = async (bench: string, group: number, subject: string): Promise<ReadonlyArray<number>> => {
  const entry = fileURLToPath(new URL("sample.ts", import.meta.url))
  const flags = ["--expose-gc", "--conditions=conveyor-source"]
  const { stdout } = await run(process.execPath, [...flags, entry, bench, String(group), subject], {
    maxBuffer: 2 ** 28
  })
  // Before its last line stands what the subject itself has to say.
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!)
}

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}`)
}

/** Five samples of each subject in turn (A B A B …), so that a drift of the machine is shared. */
const measure = async (bench: string, index: number, { cases, subjects }: Group): Promise<ReadonlyArray<Result>> => {
  const names = Object.keys(subjects)
  const samples = new Map(names.map((name): [string, Array<ReadonlyArray<number>>] => [name, []]))
  for (let round = 0; round < samplesEach; round++) {
    for (const name of names) {
      progress(`${bench}: ${cases[0]!.case}: ${name} ${round + 1}/${samplesEach}`)
      samples.get(name)!.push(await sample(bench, index, name))
    }
  }
  progress("")
  return cases.flatMap((it, at) =>
    names.map((subject) => {
      const values = samples.get(subject)!.map((taken) => taken[at]!)
      const [middle, min, max] = [median(values), Math.min(...values), Math.max(...values)]
      return { case: it.case, subject, unit: it.unit, median: middle, min, max }
    })
  )
}

const versions = (): Record<string, string> => {
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(new URL("package.json", import.meta.url), "utf8")
  )
  return { node: process.versions.node, ...devDependencies }
}

export const report = async (bench: string, groups: ReadonlyArray<Group>): Promise<Report> => {
  const results: Array<Result> = []
  for (const [index, group] of groups.entries()) results.push(...await measure(bench, index, group))
  const betterOf = new Map(groups.flatMap((group) => group.cases.map((it) => [it.case, it.better])))
  const ratios = results.filter(({ subject }) => subject === "ours").flatMap((ours) =>
    results.filter((peer) => peer.case === ours.case && peer.subject !== "ours").map((peer) => ({
      case: ours.case,
      over: peer.subject,
      ratio: betterOf.get(ours.case) === "more" ? ours.median / peer.median : peer.median / ours.median
    }))
  )
  const [cpu] = cpus()
  const machine = {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    os: `${type()} ${release()}`
  }
  return { bench, machine, versions: versions(), results, ratios }
}
