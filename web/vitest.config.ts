import { defineConfig } from "vitest/config";

// Components run in a document of their own: `// @vitest-environment happy-dom` at the head of the test.
export default defineConfig({ test: { include: ["test/**/*.test.{ts,tsx}"], environment: "node" } });
