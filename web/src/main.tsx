/** Puts the application on the page. */

import { prefetch } from "./start";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { browserPorts } from "./app/browser-ports";
import "./design/tokens.css";
import "./design/base.css";
import "./design/frame.css";
import "./design/wall.css";
import "./design/camera.css";
import "./design/system.css";
import "./design/narrow.css";
import "./design/commission.css";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no element for the application");
void prefetch.worthShowing.then(() =>
  createRoot(root).render(
    <StrictMode>
      <App ports={browserPorts(prefetch)} />
    </StrictMode>,
  ),
);
