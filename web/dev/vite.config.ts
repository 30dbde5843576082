import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { mockServer } from "./mock";

// Pages on made-up data, for working on them.
export default defineConfig({ plugins: [react(), mockServer()], server: { host: "127.0.0.1" } });
