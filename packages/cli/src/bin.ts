#!/usr/bin/env node
import { version } from "./internal/version.ts"

const args = process.argv.slice(2)

// Answered before Effect is imported, which takes longer than Node itself takes to start.
if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) process.stdout.write(`conveyor ${version}\n`)
else void import("./internal/main.ts").then(({ main }) => main(args))
