/** What can be posted, but not read by whoever receives it: it says that it is of a class Node does not have. */
export const unreadable = (): Blob => {
  const clone = Object.getOwnPropertySymbols(Blob.prototype).find(({ description }) =>
    description === "messaging_clone_symbol"
  )
  return Object.defineProperty(new Blob([]), clone!, {
    value: () => ({ data: {}, deserializeInfo: "internal/blob:Nothing" })
  })
}
