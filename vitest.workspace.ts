import { defineConfig } from "vitest/config"

const conditions = ["conveyor-source", "module", "node", "development|production"]

const project = (name: string, root: string) => ({
  extends: true as const,
  test: { name, root, include: ["test/**/*.test.ts"], exclude: ["**/*.integration.test.ts"] }
})

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    slowTestThreshold: 250,
    projects: [
      project("simulation", "packages/simulation"),
      project("work-queue", "packages/work-queue"),
      project("conveyor", "packages/conveyor"),
      project("connectors", "packages/connectors"),
      project("cli", "packages/cli"),
      { extends: true, test: { name: "repository", root: ".", include: ["test/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "integration",
          root: ".",
          include: ["packages/*/test/**/*.integration.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false
        }
      }
    ]
  }
})
