import * as Cookies from "effect/http/Cookies"

export interface CookieJar {
  readonly headerFor: (url: URL, now: number) => string | undefined
  readonly store: (url: URL, setCookies: ReadonlyArray<string>, now: number) => void
}

const maxHosts = 1000
const maxCookiesPerHost = 50
const maxCookieLength = 4096

/**
 * Cookies that go back to the host that set them, and to no other: what Domain widens is ignored, so that no list of public
 * suffixes is needed. The newest of each host are kept; a host that has not been seen for longest is forgotten first.
 */
export const make = (): CookieJar => {
  const hosts = new Map<string, ReadonlyArray<Cookies.Cookie>>()
  return {
    headerFor: ({ hostname, href }, now) => {
      const cookies = hosts.get(hostname)
      return cookies === undefined ? undefined : Cookies.toRequestCookieHeader(cookies, href, now)
    },
    store: ({ hostname, href }, setCookies, now) => {
      if (setCookies.length === 0) return
      const set = setCookies.filter((header) => header.length <= maxCookieLength)
      const own = Cookies.fromIterable(
        Object.values(Cookies.fromSetCookie(set).cookies).map((cookie) =>
          Object.assign(Object.create(Object.getPrototypeOf(cookie)), cookie, {
            options: { ...cookie.options, domain: undefined }
          })
        )
      )
      const cookies = Cookies.mergeIntoArray(hosts.get(hostname) ?? [], href, own, now)
      hosts.delete(hostname)
      hosts.set(hostname, cookies.slice(-maxCookiesPerHost))
      const [oldest] = hosts.keys()
      if (hosts.size > maxHosts) hosts.delete(oldest!)
    }
  }
}
