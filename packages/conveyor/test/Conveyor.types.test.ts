import { describe, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, type Layer, type Scope, type Stream } from "effect"
import { Cadence, Consumer, Conveyor, type ConveyorError, type ConveyorEvent, Lane, Producer } from "effect-conveyor"

interface Reading {
  readonly watts: number
  readonly at: string
}
class Offline {
  readonly _tag = "Offline"
}
class Modbus extends Context.Service<Modbus, { readonly read: Effect.Effect<Reading, Offline> }>()("types/Modbus") {}
class Inverter extends Producer.Service<Inverter, Reading, Offline>()("types/Inverter") {}
class ToReadings extends Consumer.Service<ToReadings, Reading, "down">()("types/ToReadings") {}
class ToAnything extends Consumer.Service<ToAnything, unknown>()("types/ToAnything") {}
class ToWatts extends Consumer.Service<ToWatts, { readonly watts: number }>()("types/ToWatts") {}
class ToText extends Consumer.Service<ToText, string>()("types/ToText") {}

const cadence = Cadence.every("1 second")

describe("Conveyor types", () => {
  it("requires the producer and every consumer, and passes the producer's error through", () => {
    const made = Conveyor.make("solar", {
      cadence,
      producer: Inverter,
      consumers: [ToReadings, Lane.configure(ToAnything, { capacity: 1 }), ToWatts]
    })
    expectTypeOf(made).toEqualTypeOf<
      Effect.Effect<
        Conveyor.Conveyor<Reading, Offline>,
        ConveyorError.ConveyorError,
        Inverter | ToReadings | ToAnything | ToWatts | Scope.Scope
      >
    >()
    expectTypeOf<Conveyor.Conveyor<Reading, Offline>["events"]>().toEqualTypeOf<
      Stream.Stream<ConveyorEvent.ConveyorEvent<Reading, Offline>>
    >()
  })

  it("refuses a consumer of another payload", () => {
    Conveyor.make("solar", {
      cadence,
      producer: Inverter,
      // @ts-expect-error a consumer of text does not fit a producer of readings
      consumers: [ToReadings, ToText]
    })
    Conveyor.make("solar", {
      cadence,
      producer: Inverter,
      // @ts-expect-error nor does it with lane options
      consumers: [Lane.configure(ToText, { capacity: 1 })]
    })
    Conveyor.make("solar", {
      cadence,
      producer: Inverter,
      // @ts-expect-error nor does a function of text
      consumers: [(text: string) => Effect.log(text)]
    })
  })

  it("infers the payload of inline functions and collects what they need", () => {
    const run = Conveyor.run("inline", {
      cadence,
      producer: (tick) => Effect.flatMap(Modbus, (modbus) => Effect.as(modbus.read, tick.index)),
      consumers: [(index) => {
        expectTypeOf(index).toEqualTypeOf<number>()
        return Effect.void
      }]
    })
    expectTypeOf<Effect.Services<typeof run>>().toEqualTypeOf<Modbus>()
  })

  it("gives a Layer that requires the services", () => {
    const layer = Conveyor.layer("solar", { cadence, producer: Inverter, consumers: [ToReadings] })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<never, ConveyorError.ConveyorError, Inverter | ToReadings>>()
  })

  it("gives a Layer of the conveyor's own service", () => {
    class Solar extends Conveyor.Service<Solar, Reading, Offline>()("types/Solar") {}
    const layer = Conveyor.layer(Solar, { cadence, producer: Inverter, consumers: [ToReadings] })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Solar, ConveyorError.ConveyorError, Inverter | ToReadings>>()
    // @ts-expect-error the service promises readings, the producer makes numbers
    Conveyor.layer(Solar, { cadence, producer: () => Effect.succeed(1), consumers: [] })
  })

  it("checks the functions behind the services", () => {
    Producer.layer(Inverter, Effect.map(Modbus, (modbus) => () => modbus.read))
    // @ts-expect-error the service promises readings
    Producer.layer(Inverter, Effect.succeed(() => Effect.succeed("text")))
    Consumer.layer(ToReadings, Effect.succeed((reading) => Effect.log(reading.watts)))
    // @ts-expect-error the service fails with "down", not with "other"
    Consumer.layer(ToReadings, Effect.succeed(() => Effect.fail("other" as const)))
  })
})
