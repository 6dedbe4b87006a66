// npm run simulate [-- --minutes N]: runs every law of the repository again and again, each round from fresh seeds and
// deeper than the last, until N minutes (default 1) have passed or a law is broken.
import { spawnSync } from "node:child_process"
import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"
import { files, read, root } from "./support/repository.ts"

const { values } = parseArgs({ options: { minutes: { type: "string", default: "1" } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`--minutes must be a number above 0, got ${values.minutes}`)
  process.exit(64)
}

// The simulation's own tests count the runs of searches that are meant to fail; its laws are in its property tests.
const laws = files("packages/*/test/**/*.test.ts").filter((path) =>
  path.endsWith(".property.test.ts") ||
  !path.endsWith(".integration.test.ts") && !path.startsWith("packages/simulation/") &&
    /\bSimulation\.\w+\(/.test(read(path))
)

const vitest = ["run", "--config", "vitest.workspace.ts", "--reporter=dot", "--testTimeout=1800000", ...laws]
const until = performance.now() + minutes * 60_000
let runs = 1000

for (let round = 1; performance.now() < until; round++) {
  const started = performance.now()
  const settings = { SIMULATION_SEED: String(randomInt(2 ** 48 - 1)), SIMULATION_RUNS: String(runs) }
  const { signal, status } = spawnSync("vitest", vitest, {
    cwd: root,
    env: { ...process.env, ...settings },
    stdio: ["ignore", "ignore", "inherit"]
  })
  const seconds = (performance.now() - started) / 1000
  const named = Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(" ")
  if (status !== 0) {
    if (signal !== null) process.kill(process.pid, signal)
    console.error(`round ${round} broke a law; see it with: ${named} npm test`)
    process.exit(1)
  }
  console.log(
    `round ${round}: ${laws.length} files of laws hold, ${runs} seeds a search (${named}), ${seconds.toFixed(1)} s`
  )
  // A round costs its start as well, so it grows while another of twice the length still fits.
  if (performance.now() + 2 * seconds * 1000 < until) runs *= 2
}
