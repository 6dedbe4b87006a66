// npm run bench [-- NAME] [--json]: measures ours beside the peers; without a name, lists the benchmarks and runs all.
import { globSync } from "node:fs"
import type { Group, Report } from "./harness.ts"
import { report } from "./harness.ts"

const all = globSync("*.bench.ts", { cwd: import.meta.dirname }).map((file) => file.slice(0, -".bench.ts".length))
  .toSorted()
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith("-"))
// npm keeps a --json that stands before its own `--` for itself, and says so here.
const json = process.argv.includes("--json") || process.env["npm_config_json"] === "true"

const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are: ${all.join(", ")}`)
  process.exit(64)
}

const figure = (value: number): string =>
  value.toLocaleString("en", value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n")
}

const show = ({ bench, machine, ratios, results, versions }: Report): void => {
  console.log(`\n${bench} · ${machine.cpu} × ${machine.cores}, ${machine.memory}, ${machine.os}`)
  console.log(`${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}\n`)
  const rows = results.map((it) => {
    const ratio = ratios.find(({ case: name, over }) => name === it.case && over === it.subject)
    const better = ratio === undefined ? "" : `${figure(ratio.ratio)} ×`
    return [it.case, it.subject, it.unit, figure(it.median), `${figure(it.min)} – ${figure(it.max)}`, better]
  })
  console.log(table([["case", "subject", "unit", "median of 5", "range", "above 1, ours is better"], ...rows]))
}

if (asked.length === 0 && !json) console.log(`benchmarks: ${all.join(", ")}`)

const reports: Array<Report> = []
for (const name of asked.length === 0 ? all : asked) {
  const { groups }: { groups: ReadonlyArray<Group> } = await import(`./${name}.bench.ts`)
  const made = await report(name, groups)
  reports.push(made)
  if (!json) show(made)
}
if (json) console.log(JSON.stringify(asked.length === 1 ? reports[0] : reports, undefined, 2))
