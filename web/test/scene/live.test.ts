import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { LiveScenes, liveFreshness, nextDelayMs, type LivePorts, type Socket } from "../../src/scene/live";
import { CameraMessageSchema, Condition, Reason } from "../../src/scene/pb/privet/v1/scene_pb";

class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  closed = false;

  close(): void {
    this.closed = true;
  }

  drop(code: number): void {
    this.onclose?.(Object.assign(new Event("close"), { code, reason: "", wasClean: false }));
  }

  deliver(data: Uint8Array): void {
    this.onmessage?.(new MessageEvent("message", { data: new Uint8Array(data).buffer }));
  }
}

/** Time that passes when told to. */
class FakeRim {
  readonly sockets: FakeSocket[] = [];
  logins = 0;
  nowMs = 0;
  #timers: { atMs: number; act: () => void }[] = [];

  readonly ports: LivePorts = {
    connect: () => {
      const socket = new FakeSocket();
      this.sockets.push(socket);
      return socket;
    },
    nowMs: () => this.nowMs,
    random: () => 1,
    later: (act, delayMs) => {
      const timer = { atMs: this.nowMs + delayMs, act };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
    },
    login: () => {
      this.logins += 1;
    },
    fullSize: (camera, { head }) => Promise.resolve(Uint8Array.of(camera.length, Number(head.sequence))),
  };

  advance(byMs: number): void {
    this.nowMs += byMs;
    const due = this.#timers.filter((each) => each.atMs <= this.nowMs);
    this.#timers = this.#timers.filter((each) => each.atMs > this.nowMs);
    for (const { act } of due) act();
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("nobody has connected");
    return last;
  }
}

function heartbeat(camera: string, sequence: number): Uint8Array {
  return toBinary(
    CameraMessageSchema,
    create(CameraMessageSchema, {
      camera,
      scene: {
        kind: {
          case: "state",
          value: {
            head: { session: 1n, sequence: BigInt(sequence), wallNs: 1_700_000_000_000_000_000n },
            condition: Condition.AWAKE,
            reason: Reason.NONE,
          },
        },
      },
    }),
  );
}

describe("back-off", () => {
  test("is at once first, grows, and stays within 30 s", () => {
    expect(nextDelayMs(0, 0.5)).toBe(0);
    for (let attempt = 1; attempt < 60; attempt++) {
      expect(nextDelayMs(attempt, 0)).toBeGreaterThanOrEqual(250);
      expect(nextDelayMs(attempt, 1)).toBeLessThanOrEqual(30_000);
      expect(nextDelayMs(attempt + 1, 0.5)).toBeGreaterThanOrEqual(nextDelayMs(attempt, 0.5));
    }
  });
});

describe("the live connection", () => {
  test("tells a camera's listeners of that camera's messages only", () => {
    const rim = new FakeRim();
    const live = new LiveScenes("ws://x/api/live", rim.ports);
    const heard: string[] = [];
    live.subscribe("gate", () => heard.push("gate"));
    const stop = live.subscribe("yard", () => heard.push("yard"));
    rim.socket.deliver(heartbeat("gate", 1));
    rim.socket.deliver(heartbeat("yard", 1));
    rim.socket.deliver(heartbeat("yard", 1)); // said already
    stop();
    rim.socket.deliver(heartbeat("yard", 2));
    expect(heard).toEqual(["gate", "yard"]);
    expect(live.view("yard")?.view.state?.head.sequence).toBe(2n);
  });

  test("a message that breaks the rules is counted and changes nothing", () => {
    const rim = new FakeRim();
    const live = new LiveScenes("ws://x/api/live", rim.ports);
    rim.socket.deliver(heartbeat("gate", 1));
    const before = live.view("gate");
    rim.socket.deliver(Uint8Array.of(0xff, 0xff));
    rim.socket.deliver(heartbeat("NOT A CAMERA", 1));
    expect(live.damaged).toBe(2);
    expect(live.view("gate")).toBe(before);
  });

  test("comes back after a loss, later each time, sooner once it has delivered", () => {
    const rim = new FakeRim();
    const live = new LiveScenes("ws://x/api/live", rim.ports);
    rim.socket.drop(1006);
    rim.advance(499);
    expect(rim.sockets).toHaveLength(1);
    rim.advance(1);
    expect(rim.sockets).toHaveLength(2);
    rim.socket.drop(1006);
    rim.advance(999);
    expect(rim.sockets).toHaveLength(2);
    rim.advance(1);
    expect(rim.sockets).toHaveLength(3);
    rim.socket.deliver(heartbeat("gate", 1));
    expect(live.connected).toBe(true);
    rim.socket.drop(1006);
    expect(live.connected).toBe(false);
    rim.advance(500);
    expect(rim.sockets).toHaveLength(4);
  });

  test("a session that is over leads to the login page, not to another attempt", () => {
    const rim = new FakeRim();
    new LiveScenes("ws://x/api/live", rim.ports);
    rim.socket.drop(4401);
    rim.advance(60_000);
    expect(rim.logins).toBe(1);
    expect(rim.sockets).toHaveLength(1);
  });

  test("is silent after two seconds without a heartbeat, by this machine's clock", () => {
    const rim = new FakeRim();
    const live = new LiveScenes("ws://x/api/live", rim.ports);
    rim.socket.deliver(heartbeat("gate", 1));
    const known = live.view("gate");
    if (known === undefined) throw new Error("the heartbeat was not taken");
    rim.advance(2000);
    expect(liveFreshness(known, rim.nowMs)).not.toBe("silent");
    rim.advance(1);
    expect(liveFreshness(known, rim.nowMs)).toBe("silent");
  });

  test("closing ends it", () => {
    const rim = new FakeRim();
    const live = new LiveScenes("ws://x/api/live", rim.ports);
    live.close();
    rim.socket.drop(1000);
    rim.advance(60_000);
    expect(rim.socket.closed).toBe(true);
    expect(rim.sockets).toHaveLength(1);
  });
});
