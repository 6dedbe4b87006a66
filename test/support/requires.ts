import { describe } from "@effect/vitest"
import { existsSync } from "node:fs"
import { delimiter } from "node:path"
import { isPostgresInstalled } from "./postgres.ts"

const isInstalled = (tool: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(`${folder}/${tool}`))

/** What tests need of the machine: how to tell that it is there, and the command that brings it. `.ci/run` has it all. */
const needs = {
  tmux: { isMet: isInstalled("tmux"), command: "sudo apt-get install tmux" },
  mount: { isMet: isInstalled("mount") && process.getuid?.() === 0, command: "sudo npm run test:integration" },
  openssl: { isMet: isInstalled("openssl"), command: "sudo apt-get install openssl" },
  postgres: { isMet: isPostgresInstalled, command: "sudo apt-get install postgresql" }
} as const

/**
 * A `describe` for tests that need something of the machine. Without it they are reported as skipped, with the command
 * that brings it. In CI nothing is skipped: there they run, and fail.
 */
export const requires = (need: keyof typeof needs): (name: string, suite: () => void) => void => {
  const { command, isMet } = needs[need]
  const isMissing = !isMet && process.env["CI"] === undefined
  return (name, suite) => describe.skipIf(isMissing)(`${name}${isMissing ? ` (needs ${need}: ${command})` : ""}`, suite)
}
