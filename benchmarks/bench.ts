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

const show = ({ bench, machine, ratios, results, versions }: Report): void => {
  console.log(`\n${bench} · ${machine.cpu} × ${machine.cores}, ${machine.memory}, ${machine.os}`)
  console.log(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "))
  console.table(
    results.map((it) => ({
      case: it.case,
      subject: it.subject,
      unit: it.unit,
      median: figure(it.median),
      range: `${figure(it.min)} – ${figure(it.max)}`,
      "ours is": ratios.filter((ratio) => ratio.case === it.case && ratio.over === it.subject)
        .map(({ ratio }) => `${figure(ratio)} ×`).join("")
    }))
  )
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
