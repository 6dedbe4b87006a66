// What is sent to workers, so many at a time, and that it comes back as it went.

export interface Message {
  readonly id: number
  readonly name: string
}

export const message = (id: number): Message => ({ id, name: "echo" })

export const check = (sent: Message, answer: Message): void => {
  if (answer === sent || answer.id !== sent.id || answer.name !== sent.name) {
    throw new Error(`${JSON.stringify(sent)} was answered by ${JSON.stringify(answer)}`)
  }
}

const bufferSize = 2 ** 20

/** Buffers that go to and fro. */
export const buffers = (count: number): Array<Uint8Array<ArrayBuffer>> =>
  Array.from({ length: count }, () => new Uint8Array(bufferSize))

/** Marks a buffer, that it may be known again. */
export const mark = (bytes: Uint8Array, n: number): void => {
  bytes[0] = n
  bytes[bytes.length - 1] = n
}

export const checkMark = (bytes: Uint8Array, n: number): void => {
  if (bytes.length !== bufferSize || bytes[0] !== n % 256 || bytes.at(-1) !== n % 256) {
    throw new Error(`buffer ${n} came back as ${bytes.length} bytes, of ${bytes[0]}`)
  }
}

/** So many in flight at any time, until `count` of them are done. */
export type Round = (width: number, count: number) => Promise<unknown>

export const promises = (one: (n: number) => Promise<void>): Round => (width, count) => {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  return Promise.all(Array.from({ length: width }, lane))
}
