import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { make } from "../docs/guides/scaling.ts"
import { files } from "./support/repository.ts"

describe("guides", () => {
  it("show what the policies do: `npm run guides` makes nothing new", () => {
    const made = make()
    for (const { text, url } of made) {
      assert.isTrue(readFileSync(url, "utf8") === text, `${url.pathname} is out of date`)
    }
    assert.sameMembers(
      files("docs/guides/*.svg").map((path) => path.split("/").at(-1)),
      made.map(({ url }) => url.pathname.split("/").at(-1)).filter((name) => name!.endsWith(".svg"))
    )
  })

  it("are drawn the same each time", () => {
    assert.deepStrictEqual(make(), make())
  })
})
