// @vitest-environment happy-dom
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, type Decision, type Offer, type Session } from "../../src/api/client";
import { CommissionPage, type CommissionPorts } from "../../src/pages/commission-page";
import { cameraOf, showIn } from "../component";
import { FakeLive } from "../fake-live";

const OFFER: Offer = {
  offer: "offer-1",
  picture_sha256: "",
  block_px: 8,
  columns: 4,
  rows: 2,
  bitmap: "",
  made_ms: 0,
  expires_ms: 300_000,
  blocks: 3,
  width_px: 32,
  height_px: 16,
  picture: "/api/cameras/gate/commission/offer-1/picture.png",
  good_for_ms: 300_000,
};
const SIGNED: Decision = { outcome: "signed", signed_blocks: 2, lapsed_blocks: 1, saved: true };

let asked: string[] = [];
let forgotten: string[] = [];
beforeEach(() => {
  asked = [];
  forgotten = [];
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void forgotten.push(url));
});

function ports(changes: Partial<CommissionPorts> = {}, permissions: Session["permissions"] = ["commission"]): CommissionPorts {
  return {
    fetchSession: () => Promise.resolve({ name: "signer", role: "administrator", permissions, expires_ms: null }),
    askOffer: () => Promise.resolve(OFFER),
    fetchOffered: () => Promise.resolve("blob:offered"),
    signOffer: (camera, offer) => {
      asked.push(`sign ${camera} ${offer}`);
      return Promise.resolve(SIGNED);
    },
    refuseOffer: (camera, offer) => {
      asked.push(`refuse ${camera} ${offer}`);
      return Promise.resolve({ outcome: "refused", signed_blocks: 0, lapsed_blocks: 0, saved: true });
    },
    ...changes,
  };
}

function show(given: CommissionPorts, language: "en" | "ar" = "en") {
  return showIn(
    language,
    new FakeLive(),
    <CommissionPage camera={cameraOf("gate", { background_oldest_ms: null })} ports={given} />,
  );
}

async function offered(): Promise<void> {
  fireEvent.click(screen.getByRole("button", { name: "Show me what waits" }));
  fireEvent.load(await screen.findByRole("img"));
}

const button = (name: string): HTMLButtonElement => screen.getByRole<HTMLButtonElement>("button", { name });

describe("commissioning", () => {
  test.each([
    ["en", "Show me what waits", "3 blocks are offered", "Nothing is background yet", "I have looked at the whole picture"],
    ["ar", "أرني ما ينتظر", "3 مربعات معروضة", "لا خلفية بعد", "نظرت إلى الصورة كلها"],
  ] as const)("shows what is offered, how old the background is and how long is left: %s", async (language, ask, ...words) => {
    show(ports(), language);
    fireEvent.click(screen.getByRole("button", { name: ask }));
    const picture = await screen.findByRole("img");
    expect(picture.getAttribute("src")).toBe("blob:offered");
    for (const each of words) expect(screen.getByText(each)).toBeTruthy();
    expect(screen.getByRole("timer").textContent).toMatch(/[45]:\d\d/);
  });

  test("is signed only after the picture came and was looked at", async () => {
    show(ports());
    fireEvent.click(screen.getByRole("button", { name: "Show me what waits" }));
    const picture = await screen.findByRole("img");
    const sign = (): HTMLButtonElement => button("Nobody is in this picture");
    fireEvent.click(screen.getByRole("checkbox"));
    expect(sign().disabled).toBe(true);
    fireEvent.load(picture);
    expect(sign().disabled).toBe(false);
    fireEvent.click(screen.getByRole("checkbox"));
    expect(sign().disabled).toBe(true);
    fireEvent.click(screen.getByRole("checkbox"));
    fireEvent.click(sign());
    expect(await screen.findByText("Signed: 2 blocks are background now.")).toBeTruthy();
    expect(screen.getByText(/1 block has lapsed/)).toBeTruthy();
    expect(asked).toEqual(["sign gate offer-1"]);
    expect(forgotten).toEqual(["blob:offered"]);
  });

  test("is refused without having looked at all of it: one person is enough", async () => {
    show(ports());
    await offered();
    fireEvent.click(button("Somebody or something is there"));
    expect(await screen.findByText(/^Refused\./)).toBeTruthy();
    expect(asked).toEqual(["refuse gate offer-1"]);
  });

  test("a picture is forgotten when the page is left", async () => {
    const page = show(ports());
    await offered();
    page.unmount();
    expect(forgotten).toEqual(["blob:offered"]);
  });

  test("what is over cannot be signed any more", async () => {
    show(ports({ askOffer: () => Promise.resolve({ ...OFFER, good_for_ms: 0 }) }));
    fireEvent.click(screen.getByRole("button", { name: "Show me what waits" }));
    expect(await screen.findByText(/^The time is over\./)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Nobody is in this picture" })).toBeNull();
    expect(button("Look again").disabled).toBe(false);
  });

  test("a busy worker may be asked once more with the same offer; any other failure ends it", async () => {
    const statuses = [503, 409];
    const fail = (): Promise<Decision> => Promise.reject(new ApiError("try later", statuses.shift() ?? 0));
    show(ports({ signOffer: fail }));
    await offered();
    fireEvent.click(screen.getByRole("checkbox"));
    fireEvent.click(button("Nobody is in this picture"));
    expect(await screen.findByText("Not done: try later")).toBeTruthy();
    fireEvent.click(button("Nobody is in this picture"));
    expect(await screen.findByText("Nothing was shown: try later")).toBeTruthy();
    expect(screen.queryByRole("img")).toBeNull();
  });

  test.each([
    ["en", "Your account may not commission cameras."],
    ["ar", "لا يحق لحسابك اعتماد الكاميرات."],
  ] as const)("who may not is told so, and not asked: %s", async (language, words) => {
    show(ports({}, ["view"]), language);
    expect(await screen.findByText(words)).toBeTruthy();
    await waitFor(() => expect(screen.queryByRole("button")).toBeNull());
  });
});
