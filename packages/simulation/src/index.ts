/** Runs an effect under a seed that decides every interleaving; searches seeds; replays one. */
export * as Simulation from "./Simulation.ts"

/** Failures, delays, interruptions and crashes at named points, decided by the seed. */
export * as Faults from "./Faults.ts"

/** What became of a run. */
export * as Outcome from "./Outcome.ts"

/** What happened in a run, event by event. */
export * as Trace from "./Trace.ts"

/** How a run ends that does not end by itself, and how a search fails. */
export * as SimulationError from "./SimulationError.ts"
