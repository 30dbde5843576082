// @vitest-environment happy-dom
import { fireEvent, screen, within } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import type { Session, Storage } from "../../src/api/client";
import { SystemPage, type SystemPorts } from "../../src/pages/system-page";
import { cameraOf, COUNTERS, showIn } from "../component";
import { FakeLive } from "../fake-live";
import { never } from "../fake-recorder";
import { LIVE_STATES } from "../live-states";

const STORAGE: Storage = {
  bytes: 1_230_000_000,
  quota_bytes: null,
  free_bytes: 312_000_000_000,
  retention_hours: 72,
  retention_reason: "",
  cameras: [{ camera: "gate", recordings: 70, bytes: 110_000_000, oldest_ms: 0, error: "" }],
  index_fails: false,
};

function ports(changes: Partial<SystemPorts> = {}): SystemPorts {
  const session: Session = { name: "guard", role: "viewer", permissions: [], expires_ms: null };
  return {
    fetchSession: () => Promise.resolve(session),
    fetchStorage: () => Promise.resolve(STORAGE),
    logOut: () => Promise.resolve(),
    ...changes,
  };
}

function row(): HTMLElement {
  return screen.getAllByRole("row")[1] as HTMLElement;
}

function cells(): (string | null)[] {
  return within(row())
    .getAllByRole("cell")
    .map((each) => each.textContent);
}

describe.each(["en", "ar"] as const)("a camera's row, in %s", (language) => {
  test.each(LIVE_STATES.map((state) => [state.name, state] as const))("%s", (_, state) => {
    const live = new FakeLive();
    state.bring(live, "gate");
    showIn(language, live, <SystemPage ports={ports({ fetchStorage: never })} />, [cameraOf("gate")]);
    expect(cells()[0]).toBe(state[language]);
    expect(row().querySelector(`.tag-${state.tone}`)).not.toBeNull();
  });
});

describe("the system", () => {
  test("says what is stored, how much may be and who is logged in, once it is known", async () => {
    const live = new FakeLive();
    showIn("en", live, <SystemPage ports={ports()} />, [cameraOf("gate")]);
    expect(cells()).toEqual(["Nothing heard yet", "100%", "912 MB", "14.2 kbit/s", "–", "3"]);
    expect(await screen.findByText("guard")).toBeTruthy();
    expect(cells().slice(1)).toEqual(["100%", "912 MB", "14.2 kbit/s", "110 MB", "3"]);
    const facts = [...document.querySelectorAll(".system-facts .field")].map((each) => each.textContent.replace(/\s+/g, " "));
    expect(facts).toContain("Storage1.2 GB no quota set");
    expect(facts).toContain("Free on the disk312 GB");
    expect(facts).toContain("Kept for72 hours");
    expect(facts).toContain("SignaturesNothing waits");
  });

  test("says why a camera is not recorded, and that the index fails", async () => {
    const failing = {
      ...STORAGE,
      index_fails: true,
      cameras: [{ camera: "gate", recordings: 70, bytes: 110_000_000, oldest_ms: 0, error: "no space left on device" }],
    };
    showIn("en", new FakeLive(), <SystemPage ports={ports({ fetchStorage: () => Promise.resolve(failing) })} />, [
      cameraOf("gate"),
    ]);
    expect(await screen.findByText("no space left on device", { exact: false })).toBeTruthy();
    expect(document.querySelectorAll(".system-facts .tag-degraded").length).toBe(1);
  });

  test("names the quota, in Arabic too, and the cameras that wait for a signature", async () => {
    const quota = { ...STORAGE, quota_bytes: 50_000_000_000 };
    const waiting = cameraOf("gate", { counters: { ...COUNTERS, candidate_blocks: 5 } });
    showIn("ar", new FakeLive(), <SystemPage ports={ports({ fetchStorage: () => Promise.resolve(quota) })} />, [waiting]);
    expect(await screen.findByText("من 50.0 GB على الأكثر", { exact: false })).toBeTruthy();
    expect(screen.getByText("كاميرا واحدة تنتظر توقيعًا (1)")).toBeTruthy();
    expect(within(row()).getByRole("link", { name: "اعتماد: 5 مربعات تنتظر" }).getAttribute("href")).toBe(
      "/camera/gate/commission",
    );
  });

  test("what does not come is not made up", () => {
    const silent = ports({
      fetchSession: () => Promise.reject(new Error("no")),
      fetchStorage: () => Promise.reject(new Error("no")),
    });
    showIn("en", new FakeLive(), <SystemPage ports={silent} />, []);
    expect(document.querySelector(".system-facts")?.textContent).toContain("Free on the disk–");
  });

  test("logs out", () => {
    let out = 0;
    const counted = ports({
      logOut: () => {
        out += 1;
        return Promise.resolve();
      },
    });
    showIn("en", new FakeLive(), <SystemPage ports={counted} />, []);
    fireEvent.click(screen.getByRole("button", { name: "Log out" }));
    expect(out).toBe(1);
  });
});
