// Makes the figures and the table of scaling.md: `npm run guides`.
import { Effect, Random } from "effect"
import * as ScalingPolicy from "effect-collector/ScalingPolicy"
import * as ScalingReplay from "effect-collector/ScalingReplay"
import { readFileSync, writeFileSync } from "node:fs"
import { arrivals, draw, service, size, wait } from "./scalingFigure.ts"
import type { Panel, Run } from "./scalingFigure.ts"

interface Load {
  readonly name: string
  readonly profile: ReadonlyArray<ScalingReplay.Phase>
  readonly panels: ReadonlyArray<Panel>
  readonly slowdown?: (at: number, busy: number) => number
}

const rising: ScalingReplay.Phase = { lasts: "20 seconds", rate: [20, 400], service: "50 millis" }

const loads: ReadonlyArray<Load> = [
  {
    name: "steady",
    profile: [{ lasts: "80 seconds", rate: 200, service: "50 millis" }],
    panels: [arrivals, size, wait]
  },
  {
    name: "step",
    profile: [
      { lasts: "20 seconds", rate: 20, service: "50 millis" },
      { lasts: "30 seconds", rate: 400, service: "50 millis" },
      { lasts: "30 seconds", rate: 20, service: "50 millis" }
    ],
    panels: [arrivals, size, wait]
  },
  { name: "sawtooth", profile: [rising, rising, rising], panels: [arrivals, size, wait] },
  {
    name: "spike",
    profile: [
      { lasts: "20 seconds", rate: 40, service: "50 millis" },
      { lasts: "2 seconds", rate: 1000, service: "50 millis" },
      { lasts: "38 seconds", rate: 40, service: "50 millis" }
    ],
    panels: [arrivals, size, wait]
  },
  {
    // What is called does 20 at once at full speed, and for 30 seconds only 6: 120 a second, of 150 that arrive.
    name: "slow-downstream",
    profile: [{ lasts: "120 seconds", rate: 150, service: "50 millis" }],
    panels: [arrivals, size, wait, service],
    slowdown: (at, busy) => Math.max(1, busy / (at >= 30_000 && at < 60_000 ? 6 : 20))
  }
]

// #region replay
const replay = (
  policy: ScalingPolicy.ScalingPolicy,
  arrivals: ReadonlyArray<ScalingReplay.Arrival>,
  slowdown?: (at: number, busy: number) => number
) => ScalingReplay.run({ policy, arrivals, max: 50, slowdown, pointEvery: "500 millis", lasts: arrivals.at(-1)!.at })
// #endregion

const runsOf = ({ profile, slowdown }: Load): ReadonlyArray<Run> => {
  const arrivals = Effect.runSync(ScalingReplay.arrivals(profile).pipe(Random.withSeed(1)))
  return [ScalingPolicy.little(), ScalingPolicy.gradient()].map((policy) => ({
    policy: policy.name,
    replay: replay(policy, arrivals, slowdown)
  }))
}

const millis = (value: number): string => value >= 10 ? value.toFixed(0) : value.toFixed(1)

const rowsOf = (name: string, runs: ReadonlyArray<Run>): ReadonlyArray<ReadonlyArray<string>> =>
  runs.map(({ policy, replay: { changes, maxSize, meanSize, service, wait } }) => [
    name,
    `\`${policy}\``,
    millis(wait.mean),
    millis(wait.p99),
    millis(service.mean),
    meanSize.toFixed(1),
    `${maxSize}`,
    `${changes.length}`
  ])

const header = ["load", "policy", "mean wait", "p99 wait", "mean service", "mean size", "largest", "changes"]

const tableOf = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column]!)].map((s) => s.length))
  )
  const line = (cells: ReadonlyArray<string>) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

const guide = new URL("scaling.md", import.meta.url)

/** Every file that is made, with what should be in it; the guide as it is, with its table as it should be. */
export const make = (): ReadonlyArray<{ readonly url: URL; readonly text: string }> => {
  const made = loads.map((load) => ({ load, runs: runsOf(load) }))
  const table = tableOf(made.flatMap(({ load, runs }) => rowsOf(load.name, runs)))
  return [
    ...made.map(({ load, runs }) => ({
      url: new URL(`scaling-${load.name}.svg`, import.meta.url),
      text: draw(load.panels, runs)
    })),
    {
      url: guide,
      text: readFileSync(guide, "utf8").replace(
        /(<!-- table -->\n\n)[\s\S]*?(\n\n<!-- end of table -->)/,
        (_, before: string, after: string) => `${before}${table}${after}`
      )
    }
  ]
}

if (import.meta.main) {
  for (const { text, url } of make()) writeFileSync(url, text)
}
