import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The build is served by the API from `/`, behind its login and a strict content security policy: nothing may be inlined.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/privet/api/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
});
