import * as DurationText from "effect-conveyor-connectors/DurationText"
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** Reads the texts of flags, and gathers what is wrong with all of them: who is told of one mistake at a time makes the next one. */
export class FlagTexts {
  readonly problems: Array<string> = []

  read<A>(
    flag: string,
    given: Option.Option<string>,
    expected: string,
    parse: (text: string) => A | undefined
  ): A | undefined {
    if (Option.isNone(given)) return undefined
    const value = parse(given.value)
    if (value === undefined) this.problems.push(`--${flag} ${given.value}: expected ${expected}`)
    return value
  }

  count(flag: string, given: Option.Option<string>, least: number): number | undefined {
    return this.read(flag, given, `a whole number of at least ${least}`, (text) => {
      const value = Number(text)
      return /^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined
    })
  }

  /** `which` says what is allowed, after "a length of time". */
  time(
    flag: string,
    given: Option.Option<string>,
    isAllowed: (millis: number) => boolean = () => true,
    which = ""
  ): Duration.Duration | undefined {
    return this.read(
      flag,
      given,
      `a length of time${which}, such as 500ms or 30s`,
      (text) =>
        Option.getOrUndefined(Option.filter(DurationText.parse(text), (time) => isAllowed(Duration.toMillis(time))))
    )
  }

  /** `which` says what is allowed, after "a size". */
  bytes(
    flag: string,
    given: Option.Option<string>,
    which: string,
    isAllowed: (bytes: number) => boolean
  ): number | undefined {
    return this.read(flag, given, `a size ${which}`, (text) => {
      const size = ByteSize.fromInput((/^\d+$/.test(text) ? Number(text) : text) as ByteSize.Input)
      const bytes = Option.getOrUndefined(Option.flatMap(size, ByteSize.toNumber))
      return bytes !== undefined && isAllowed(bytes) ? Math.floor(bytes) : undefined
    })
  }
}
