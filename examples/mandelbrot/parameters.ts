// What the command takes: the arguments of mcmandelbrot, and how its workers are.
import { Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { availableParallelism } from "node:os"

const positive = [(n: number) => n > 0, () => "expected a number above 0"] as const

export const parameters = {
  width: Argument.Int("Nx").pipe(
    Argument.withDescription("points in each row"),
    Argument.filter(...positive)
  ),
  cr: Argument.Finite("cr").pipe(Argument.withDescription("the centre, real part")),
  ci: Argument.Finite("ci").pipe(Argument.withDescription("the centre, imaginary part")),
  crPM: Argument.Finite("crPM").pipe(
    Argument.withDescription("how far the picture reaches to the left and the right of it"),
    Argument.filter(...positive)
  ),
  ciPM: Argument.Finite("ciPM").pipe(
    Argument.withDescription("how far up and down; by default as far"),
    Argument.filter(...positive),
    Argument.optional,
    Argument.map(Option.getOrUndefined)
  ),
  iterations: Flag.Int("iterations").pipe(
    Flag.withAlias("N"),
    Flag.withDescription("after how many steps a point is taken to be in the set"),
    Flag.filter((n) => n > 1, () => "expected 2 or more"),
    Flag.withDefault(2000)
  ),
  output: Flag.String("output").pipe(
    Flag.withAlias("o"),
    Flag.withDescription("the PNG file; by default standard output"),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  ),
  steepness: Flag.Finite("steepness").pipe(
    Flag.withAlias("s"),
    Flag.withDescription("the greater, the more values have the colours between black and white"),
    Flag.filter(...positive),
    Flag.withDefault(3)
  ),
  kind: Flag.Literals("kind", ["threads", "processes", "fibers"]).pipe(
    Flag.withDescription("what workers are"),
    Flag.withDefault("threads" as const)
  ),
  workers: Flag.Int("workers").pipe(
    Flag.withDescription("how many; by default one for each processor"),
    Flag.filter(...positive),
    Flag.withDefault(availableParallelism())
  ),
  compare: Flag.Boolean("compare").pipe(
    Flag.withDescription("compute it with one worker first, and tell how much faster it is with all"),
    Flag.withDefault(false)
  )
}
