import { Console, Effect } from "effect"
import { Cadence, Conveyor } from "effect-conveyor"

export const Greeting = Conveyor.layer("greeting", {
  cadence: Cadence.every("1 second", { anchor: "start" }),
  producer: () => Effect.succeed("hello"),
  consumers: [(greeting: string) => Console.log(greeting)]
})

export const notALayer = 5
