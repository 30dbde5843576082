/** A live stream whose cameras say what the test tells them to say: real messages over a socket that is not one. */

import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { makeGrid } from "../src/scene/grid";
import { LiveScenes, type Socket } from "../src/scene/live";
import { CameraMessageSchema, Condition, ImageFormat, Reason, SceneMessageSchema } from "../src/scene/pb/privet/v1/scene_pb";

export const WALL_MS = 1_700_000_000_000;
/** 4 x 2 blocks. */
export const GRID = makeGrid(32, 16, 8, 0);
const BLOCKS = GRID.columns * GRID.rows;

type Kind = NonNullable<MessageInitShape<typeof SceneMessageSchema>["kind"]>;

export interface Said {
  readonly condition: Condition;
  readonly reason?: Reason;
  /** Blocks, of eight. */
  readonly proven?: number;
  readonly covered?: number;
  /** Without it there is no background and no cover: nothing was ever shown. */
  readonly pictured?: boolean;
  /** How long after the cover the heartbeat was sent. */
  readonly coverAgeMs?: number;
}

export class FakeLive {
  nowMs = 0;
  readonly scenes: LiveScenes;
  readonly #socket: Socket = { binaryType: "blob", onopen: null, onmessage: null, onclose: null, close: () => undefined };
  #sequence = 0n;

  constructor() {
    this.scenes = new LiveScenes("ws://x/api/live", {
      connect: () => this.#socket,
      nowMs: () => this.nowMs,
      random: () => 0,
      later: () => () => undefined,
      login: () => undefined,
      fullSize: () => Promise.resolve(null),
    });
  }

  say(camera: string, said: Said): void {
    const { proven = BLOCKS, covered = 0, pictured = true, coverAgeMs = 0 } = said;
    if (pictured) {
      const background = {
        head: this.#head(),
        grid: GRID,
        proven: Uint8Array.of(first(proven)),
        format: ImageFormat.WEBP,
        image: Uint8Array.of(1),
        oldestWallNs: ns(WALL_MS - 3 * 3_600_000),
        newestWallNs: ns(WALL_MS),
      };
      this.#send(camera, { case: "background", value: background });
      const cover = { head: this.#head(), epoch: 0, durationNs: 200_000_000n, bits: Uint8Array.of(first(covered)) };
      this.#send(camera, { case: "cover", value: cover });
    }
    const state = {
      head: this.#head(WALL_MS + coverAgeMs),
      condition: said.condition,
      reason: said.reason ?? Reason.NONE,
      provenBlocks: pictured ? proven : 0,
      ...(pictured ? { grid: GRID } : {}),
    };
    this.#send(camera, { case: "state", value: state });
  }

  drop(): void {
    this.#socket.onclose?.(Object.assign(new Event("close"), { code: 1006, reason: "", wasClean: false }));
  }

  #head(wallMs = WALL_MS): { session: bigint; sequence: bigint; wallNs: bigint } {
    this.#sequence += 1n;
    return { session: 1n, sequence: this.#sequence, wallNs: ns(wallMs) };
  }

  #send(camera: string, kind: Kind): void {
    const data = toBinary(CameraMessageSchema, create(CameraMessageSchema, { camera, scene: { kind } }));
    this.#socket.onmessage?.(new MessageEvent("message", { data: new Uint8Array(data).buffer }));
  }
}

function first(blocks: number): number {
  return (0xff << (BLOCKS - blocks)) & 0xff;
}

function ns(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}
