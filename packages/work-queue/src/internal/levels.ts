import { Link, List } from "./list.ts"

// Whoever asks for the lowest or the highest walks over empty levels to find it, and never over the same twice, unless
// somebody came or moved beyond them meanwhile: so walking costs no more than those who come and move, level by level.

/** Where something stands among the levels. */
export class Place<T> extends Link<Place<T>> {
  level: number
  readonly value: T

  constructor(value: T, level: number) {
    super()
    this.value = value
    this.level = level
  }
}

/** Things that have a whole number each, which changes: in order of number, and within one in order of coming to it. */
export class Levels<T> {
  private readonly lists = new Map<number, List<Place<T>>>()
  /** Nothing stands below. */
  low = Infinity
  /** Nothing stands above. */
  private high = -Infinity

  insert(value: T, level: number): Place<T> {
    const place = new Place(value, level)
    this.join(place)
    return place
  }

  move(place: Place<T>, level: number): void {
    if (place.level === level) return
    this.delete(place)
    place.level = level
    this.join(place)
  }

  delete(place: Place<T>): void {
    const list = this.lists.get(place.level)!
    list.delete(place)
    if (list.first === undefined) this.lists.delete(place.level)
  }

  /** Who has stood longest on the lowest level, if that is below `bound`. */
  lowest(bound: number): T | undefined {
    for (; this.low < bound; this.low++) {
      const list = this.lists.get(this.low)
      if (list !== undefined) return list.first!.value
    }
    return undefined
  }

  /** Who has stood longest on the highest level; only while there is anybody. */
  highest(): T {
    while (true) {
      const list = this.lists.get(this.high)
      if (list !== undefined) return list.first!.value
      this.high--
    }
  }

  private join(place: Place<T>): void {
    this.low = Math.min(this.low, place.level)
    this.high = Math.max(this.high, place.level)
    const list = this.lists.get(place.level) ?? new List<Place<T>>()
    this.lists.set(place.level, list)
    list.append(place)
  }
}
