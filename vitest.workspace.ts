import { readdirSync } from "node:fs"
import { defineConfig } from "vitest/config"

const conditions = ["conveyor-source", "module", "node", "development|production"]

const unit = (name: string, root: string) => ({
  extends: true as const,
  test: { name, root, include: ["test/**/*.test.ts"], exclude: ["**/*.integration.test.ts", "**/node_modules/**"] }
})

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    slowTestThreshold: 250,
    projects: [
      ...readdirSync(new URL("packages", import.meta.url)).map((name) => unit(name, `packages/${name}`)),
      unit("repository", "."),
      {
        extends: true,
        test: {
          name: "integration",
          root: ".",
          include: ["{packages/*/,}test/**/*.integration.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false
        }
      }
    ]
  }
})
