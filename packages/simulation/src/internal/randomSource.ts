/**
 * sfc32 (Chris Doty-Humphrey, PractRand): four 32-bit words of state, no multiplication, passes the usual batteries. It is
 * seeded through splitmix32, so that neighbouring seeds and the streams of one seed have nothing in common. Effect's own
 * seeded generator (ISAAC) sets up 512 words for every seed, which would cost more than a small run.
 */
export class RandomSource {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number, stream: number) {
    let state = (seed >>> 0) ^ Math.imul(stream, 0x9e3779b9)
    const word = (salt: number): number => {
      state = (state + 0x9e3779b9 + salt) | 0
      let mixed = state ^ (state >>> 16)
      mixed = Math.imul(mixed, 0x21f0aaad)
      mixed ^= mixed >>> 15
      mixed = Math.imul(mixed, 0x735a2d97)
      return mixed ^ (mixed >>> 15)
    }
    this.a = word(Math.floor(seed / 0x1_0000_0000) | 0)
    this.b = word(0)
    this.c = word(stream)
    // Twelve rounds are what the generator's author asks for before its first output is used.
    for (let round = 0; round < 12; round++) this.uint32()
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound)
  }

  /** A 53-bit fraction in [0, 1). */
  double(): number {
    return ((this.uint32() & 0x1f_ffff) * 0x1_0000_0000 + this.uint32()) / 0x20_0000_0000_0000
  }

  chance(probability: number): boolean {
    return probability >= 1 || (probability > 0 && this.double() < probability)
  }

  pick<A>(choices: readonly [A, ...Array<A>]): A {
    return choices[this.below(choices.length)]!
  }
}
