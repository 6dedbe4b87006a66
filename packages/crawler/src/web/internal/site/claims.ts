/**
 * Which item has taken a URL: its own, or one that was led there. So a page that several redirects lead to is fetched once, as far as
 * one process knows of it.
 */
export class Claims {
  private readonly owners = new Map<string, string>()

  /** Takes a URL for an item, and gives the item that has it: the same, or the one that was first. */
  take(url: string, owner: string): string {
    const first = this.owners.get(url)
    if (first !== undefined) return first
    this.owners.set(url, owner)
    return owner
  }

  /** Gives back what an item took, because it failed. */
  release(urls: Iterable<string>): void {
    for (const url of urls) this.owners.delete(url)
  }
}
