import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["e2e/**/*.browser.test.ts"], environment: "node", testTimeout: 30_000, fileParallelism: false },
});
