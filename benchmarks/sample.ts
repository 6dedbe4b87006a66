// Takes one sample in this process: node sample.ts BENCH GROUP SUBJECT, a JSON array as its last line.
import type { Group } from "./harness.ts"

const [bench, group, subject] = process.argv.slice(2)
const { groups }: { groups: ReadonlyArray<Group> } = await import(`./${bench}.bench.ts`)
const figures = await groups[Number(group)]!.subjects[subject!]!()
process.stdout.write(`\n${JSON.stringify(figures)}\n`, () => process.exit(0))
