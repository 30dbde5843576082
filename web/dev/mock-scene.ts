/** What a mock camera sends: messages of the scene stream, made up from its condition and the time. */

import { create } from "@bufbuild/protobuf";
import { packBits } from "../src/scene/bits";
import { makeGrid } from "../src/scene/grid";
import {
  Condition as ConditionValue,
  ImageFormat,
  Reason as ReasonValue,
  SceneMessageSchema,
  type SceneMessage,
} from "../src/scene/pb/privet/v1/scene_pb";
import type { Condition, Reason } from "../src/scene/scene";
import type { DevCamera } from "./mock-cameras";
import { coverAt, paintPicture } from "./mock-picture";
import { encodePng } from "./png";

export const BLOCK = 8;
export const startedMs = Date.now();
const images = new Map<string, Uint8Array>();
const pictures = new Map<string, ReturnType<typeof paintPicture>>();

function ns(ms: number): bigint {
  return BigInt(Math.floor(ms)) * 1_000_000n;
}

function pictureOf(camera: DevCamera): ReturnType<typeof paintPicture> {
  let picture = pictures.get(camera.id);
  if (picture === undefined) pictures.set(camera.id, (picture = paintPicture(camera.seed, camera.width, camera.height)));
  return picture;
}

/** Blocks are proven from the edges inwards, raggedly. */
export function provenBlocks(camera: DevCamera, share: number): Uint8Array {
  const { columns, rows } = makeGrid(camera.width, camera.height, BLOCK, 0);
  if (share >= 1) return new Uint8Array(columns * rows).fill(1);
  return Uint8Array.from({ length: columns * rows }, (_, block) => {
    const x = (block % columns) / columns - 0.5;
    const y = Math.floor(block / columns) / rows - 0.6;
    const ragged = Math.abs(Math.sin(block * 12.9898) * 43758.5453) % 1;
    const late = 1 - Math.min(1, Math.hypot(x, y) * 1.3);
    return share >= 1 || late * 0.7 + ragged * 0.3 < share ? 1 : 0;
  });
}

export function shareAt(camera: DevCamera, atMs: number): number {
  return camera.proven >= 1 ? 1 : Math.min(1, camera.proven + Math.max(0, atMs - startedMs) / 90_000);
}

let sequence = 0n;

function head(camera: DevCamera, atMs: number) {
  sequence += 1n;
  return { session: BigInt(camera.seed), sequence, wallNs: ns(atMs) };
}

function gridOf(camera: DevCamera) {
  return { widthPx: camera.width, heightPx: camera.height, blockPx: BLOCK, epoch: 0 };
}

export function background(camera: DevCamera, atMs: number): SceneMessage {
  const { columns, rows } = makeGrid(camera.width, camera.height, BLOCK, 0);
  const share = shareAt(camera, atMs);
  const key = `${camera.id} ${share}`;
  const picture = pictureOf(camera);
  let image = images.get(key);
  if (image === undefined) images.set(key, (image = encodePng(picture.rgb, picture.width, picture.height)));
  const proven = provenBlocks(camera, share);
  const some = proven.some((block) => block === 1);
  const value = {
    head: head(camera, atMs),
    grid: gridOf(camera),
    proven: packBits(proven, rows, columns).bytes,
    format: ImageFormat.PNG,
    image: some ? image : new Uint8Array(0),
    oldestWallNs: some ? ns(startedMs - 3 * 3_600_000) : 0n,
    newestWallNs: some ? ns(startedMs - 60_000) : 0n,
  };
  return create(SceneMessageSchema, { kind: { case: "background", value } });
}

export function cover(camera: DevCamera, atMs: number): SceneMessage {
  const { columns, rows } = makeGrid(camera.width, camera.height, BLOCK, 0);
  const blocks =
    camera.condition === "awake" && !camera.silent ? coverAt(camera.seed, atMs, columns, rows) : new Uint8Array(columns * rows);
  const value = { head: head(camera, atMs), epoch: 0, durationNs: 200_000_000n, bits: packBits(blocks, rows, columns).bytes };
  return create(SceneMessageSchema, { kind: { case: "cover", value } });
}

export function light(camera: DevCamera, atMs: number): SceneMessage {
  const cells = Array.from({ length: 16 * 9 }, (_, cell) => {
    const cloud = Math.sin(atMs / 20_000 + (cell % 16) / 4 + camera.seed);
    return Math.round(128 + 6 * cloud);
  });
  const value = {
    head: head(camera, atMs),
    epoch: 0,
    columns: 16,
    rows: 9,
    gain: Uint8Array.from(cells),
    offset: new Uint8Array(16 * 9).fill(128),
  };
  return create(SceneMessageSchema, { kind: { case: "light", value } });
}

export function state(camera: DevCamera, atMs: number, condition = camera.condition, reason = camera.reason): SceneMessage {
  const blocks = provenBlocks(camera, shareAt(camera, atMs));
  const named = camera.proven > 0;
  const value = {
    head: head(camera, atMs),
    condition: ConditionValue[condition.toUpperCase() as Uppercase<Condition>],
    reason: ReasonValue[reason.toUpperCase() as Uppercase<Reason>],
    coverUntilWallNs: condition === "asleep" ? ns(atMs + 1000) : 0n,
    provenBlocks: named ? blocks.reduce((sum, block) => sum + block, 0) : 0,
    ...(named ? { grid: gridOf(camera) } : {}),
  };
  return create(SceneMessageSchema, { kind: { case: "state", value } });
}

/** A rectangle of newly proven blocks as a patch; null if none is new. */
export function patch(camera: DevCamera, before: Uint8Array, after: Uint8Array, atMs: number): SceneMessage | null {
  const { columns, rows } = makeGrid(camera.width, camera.height, BLOCK, 0);
  const fresh = after.map((block, index) => (block === 1 && before[index] === 0 ? 1 : 0));
  if (!fresh.some((block) => block === 1)) return null;
  const picture = pictureOf(camera);
  const value = {
    head: head(camera, atMs),
    epoch: 0,
    column: 0,
    row: 0,
    columns,
    rows,
    promoted: packBits(fresh, rows, columns).bytes,
    format: ImageFormat.PNG,
    image: encodePng(picture.rgb, picture.width, picture.height),
  };
  return create(SceneMessageSchema, { kind: { case: "patch", value } });
}
