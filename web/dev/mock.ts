/**
 * A stand-in for the server while pages are being worked on: `npm run dev`. Not part of the product, not used by its tests.
 *
 * It answers the API's routes with made-up cameras, one of each condition, as the contract says.
 */

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Plugin } from "vite";
import type { Camera, Span, Timeline } from "../src/api/client";
import { packBits } from "../src/scene/bits";
import { makeGrid } from "../src/scene/grid";
import {
  CameraMessageSchema,
  Condition as ConditionValue,
  ImageFormat,
  Reason as ReasonValue,
  SceneMessageSchema,
  type SceneMessage,
} from "../src/scene/pb/privet/v1/scene_pb";
import type { Condition, Reason } from "../src/scene/scene";
import { coverAt, paintPicture } from "./mock-picture";
import { encodePng } from "./png";

interface DevCamera {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly condition: Condition;
  readonly reason: Reason;
  /** Share proven when the page opens; grows if below 1. */
  readonly proven: number;
  readonly silent?: boolean;
}

const CAMERAS: readonly DevCamera[] = [
  {
    id: "gate",
    name: "Gate",
    place: "Main gate, north",
    seed: 1,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
  },
  {
    id: "bay",
    name: "Loading bay",
    place: "Hall 2, east side",
    seed: 2,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
  },
  {
    id: "yard",
    name: "Yard",
    place: "Behind hall 2",
    seed: 3,
    width: 768,
    height: 576,
    condition: "awake",
    reason: "none",
    proven: 0.3,
  },
  {
    id: "store",
    name: "Store",
    place: "Hall 1, racks",
    seed: 4,
    width: 1280,
    height: 720,
    condition: "asleep",
    reason: "none",
    proven: 1,
  },
  {
    id: "stairs",
    name: "Stairs",
    place: "Office, ground floor",
    seed: 5,
    width: 768,
    height: 576,
    condition: "blind",
    reason: "moved",
    proven: 1,
  },
  {
    id: "roof",
    name: "Roof",
    place: "Hall 1, roof",
    seed: 6,
    width: 1280,
    height: 720,
    condition: "offline",
    reason: "refused",
    proven: 0,
  },
  {
    id: "fence",
    name: "Fence",
    place: "South fence",
    seed: 7,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
    silent: true,
  },
  {
    id: "ramp",
    name: "Ramp",
    place: "Hall 2, west side",
    seed: 8,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "overloaded",
    proven: 1,
  },
];

const BLOCK = 8;
const DAY = 86_400_000;
const startedMs = Date.now();
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
function provenBlocks(camera: DevCamera, share: number): Uint8Array {
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

function shareAt(camera: DevCamera, atMs: number): number {
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

function background(camera: DevCamera, atMs: number): SceneMessage {
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

function cover(camera: DevCamera, atMs: number): SceneMessage {
  const { columns, rows } = makeGrid(camera.width, camera.height, BLOCK, 0);
  const blocks =
    camera.condition === "awake" && !camera.silent ? coverAt(camera.seed, atMs, columns, rows) : new Uint8Array(columns * rows);
  const value = { head: head(camera, atMs), epoch: 0, durationNs: 200_000_000n, bits: packBits(blocks, rows, columns).bytes };
  return create(SceneMessageSchema, { kind: { case: "cover", value } });
}

function light(camera: DevCamera, atMs: number): SceneMessage {
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

function state(camera: DevCamera, atMs: number, condition = camera.condition, reason = camera.reason): SceneMessage {
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
function patch(camera: DevCamera, before: Uint8Array, after: Uint8Array, atMs: number): SceneMessage | null {
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

const REASONS: Partial<Record<Span["kind"], Reason>> = { sparse: "overloaded", blind: "obscured", offline: "unreachable" };

/** The recorded past: each camera was offline for a while, asleep at night, looked at seldom and unrecorded once a day. */
function kindAt(camera: DevCamera, atMs: number): Span["kind"] {
  const part = (atMs + camera.seed * 1_700_000) % DAY;
  if (part > 0.62 * DAY && part < 0.66 * DAY) return "gap";
  if (part > 0.3 * DAY && part < 0.34 * DAY) return "offline";
  if (part > 0.5 * DAY && part < 0.52 * DAY) return "blind";
  if (part > 0.54 * DAY && part < 0.56 * DAY) return "sparse";
  const minute = atMs % 900_000;
  return minute < 300_000 ? "asleep" : "awake";
}

function timelineOf(camera: DevCamera, fromMs: number, toMs: number, bins: number): Timeline {
  const binMs = Math.max(1, Math.ceil((toMs - fromMs) / bins));
  const now = Date.now();
  const density: (number | null)[] = [];
  const spans: Span[] = [];
  for (let at = fromMs; at < toMs; at += binMs) {
    const kind = at > now ? "gap" : kindAt(camera, at);
    const busy = Math.max(0, Math.sin(at / 1_100_000 + camera.seed) * Math.sin(at / 173_000) * 0.14);
    density.push(kind === "gap" || kind === "offline" ? null : kind === "awake" || kind === "sparse" ? busy : 0);
    const last = spans.at(-1);
    if (last?.kind === kind) spans[spans.length - 1] = { ...last, to_ms: Math.min(toMs, at + binMs) };
    else spans.push({ from_ms: at, to_ms: Math.min(toMs, at + binMs), kind });
  }
  return { from_ms: fromMs, to_ms: toMs, bin_ms: binMs, density, spans };
}

function describe(camera: DevCamera): Camera {
  const grid = makeGrid(camera.width, camera.height, BLOCK, 0);
  const share = shareAt(camera, Date.now());
  const zero = 0;
  return {
    id: camera.id,
    name: camera.name,
    place: camera.place,
    purpose: "See who comes and goes outside working hours",
    controller: "Harbour Storage Ltd",
    condition: camera.condition,
    reason: camera.reason,
    since_ms: startedMs,
    heard_ms: Date.now(),
    stale: camera.silent === true,
    grid:
      camera.proven === 0
        ? null
        : { width_px: camera.width, height_px: camera.height, block_px: BLOCK, epoch: 0, columns: grid.columns, rows: grid.rows },
    proven_blocks: Math.round(share * grid.rows * grid.columns),
    blind_blocks: 0,
    proven_share: share,
    background_oldest_ms: startedMs - 3 * 3_600_000,
    background_newest_ms: startedMs - 60_000,
    decoding: "software",
    counters: {
      packets: 180_000 * camera.seed,
      bytes_received: 912_000_000 * camera.seed,
      frames_decoded: 90_000,
      frames_analysed: 30_000,
      frames_damaged: zero,
      connects: camera.seed % 3,
      covers_sent: 30_000,
      covers_dropped: zero,
      bytes_sent: 9_400_000 * camera.seed,
      looks: 1200,
      looks_with_hit: 90,
      promoted_blocks: 14_000,
      proofs_restarted: 220,
      looks_starved: 0,
      proofs_put_off: 0,
      pictures_put_off: 0,
      packets_dropped: 0,
      frames_left_out: 0,
      frames_hardware: 0,
      sub_stream: "none",
      candidate_blocks: zero,
      sharpness_milli: 412,
      saves_failed: 0,
      state_unsaved_seconds: 0,
    },
    capacity_bits_per_second: grid.rows * grid.columns * 5,
    sent_bits_per_second: 14_200 + 900 * camera.seed,
  };
}

function delimitedBytes(message: SceneMessage): Buffer {
  const body = toBinary(SceneMessageSchema, message);
  const length: number[] = [];
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) break;
  }
  return Buffer.concat([Uint8Array.from(length), body]);
}

function sendScene(camera: DevCamera, fromMs: number, toMs: number, stepMs: number, response: ServerResponse): void {
  response.setHeader("content-type", "application/x-protobuf; delimited=true");
  const end = Math.min(toMs, Date.now());
  response.write(delimitedBytes(background(camera, Math.min(fromMs, Date.now()))));
  response.write(delimitedBytes(light(camera, fromMs)));
  const every = Math.max(200, stepMs);
  for (let at = fromMs; at < end; at += every) {
    const kind = kindAt(camera, at);
    if (kind === "gap") continue;
    response.write(delimitedBytes(state(camera, at, kind === "sparse" ? "awake" : kind, REASONS[kind] ?? "none")));
    if (kind === "awake" || kind === "sparse" || kind === "asleep") response.write(delimitedBytes(cover(camera, at)));
  }
  response.end();
}

function answer(request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? "/", "http://mock");
  const json = (value: unknown): true => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
    return true;
  };
  const number = (name: string): number => Number(url.searchParams.get(name) ?? "0");
  const parts = url.pathname.split("/");
  if (url.pathname === "/api/site") {
    return json({
      name: "Harbour Storage",
      timezone: "Europe/Berlin",
      version: "0.1.0.dev0",
      controller: "",
      retention_hours: 72,
      retention_reason: "",
    });
  }
  if (url.pathname === "/api/storage") {
    const cameras = CAMERAS.map((each, index) => ({
      camera: each.id,
      recordings: 70 + index,
      bytes: 110_000_000 * (index + 1),
      oldest_ms: Date.now() - 70 * 3_600_000,
      error: "",
    }));
    return json({
      bytes: cameras.reduce((sum, each) => sum + each.bytes, 0),
      quota_bytes: 50_000_000_000,
      free_bytes: 312_000_000_000,
      index_fails: false,
      retention_hours: 72,
      retention_reason: "",
      cameras,
    });
  }
  if (url.pathname === "/api/session")
    return json({ name: "administrator", role: "administrator", permissions: ["view", "export", "admin"], expires_ms: null });
  if (url.pathname === "/api/cameras") return json(CAMERAS.map(describe));
  const camera = CAMERAS.find((each) => each.id === parts[3]);
  if (parts[1] !== "api" || camera === undefined) return false;
  if (parts[4] === "timeline") return json(timelineOf(camera, number("from_ms"), number("to_ms"), number("bins") || 600));
  if (parts[4] === "scene") {
    sendScene(camera, number("from_ms"), number("to_ms"), number("step_ms"), response);
    return true;
  }
  return false;
}

/** Server frames are never masked; clients' frames are ignored but for their end. */
function frame(data: Uint8Array): Buffer {
  const header = data.length < 126 ? Buffer.alloc(2) : data.length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  header[0] = 0x82;
  if (data.length < 126) header[1] = data.length;
  else if (data.length < 65536) {
    header[1] = 126;
    header.writeUInt16BE(data.length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(data.length), 2);
  }
  return Buffer.concat([header, data]);
}

function serveLive(request: IncomingMessage, socket: Duplex): void {
  const key = `${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const send = (camera: DevCamera, scene: SceneMessage | null): void => {
    if (scene !== null && !socket.destroyed)
      socket.write(frame(toBinary(CameraMessageSchema, create(CameraMessageSchema, { camera: camera.id, scene }))));
  };
  const proven = new Map<string, Uint8Array>();
  const openedMs = Date.now();
  for (const camera of CAMERAS) {
    if (camera.proven > 0) send(camera, background(camera, openedMs));
    proven.set(camera.id, provenBlocks(camera, shareAt(camera, openedMs)));
    if (camera.proven > 0) send(camera, cover(camera, openedMs));
    send(camera, state(camera, openedMs));
  }
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    const nowMs = Date.now();
    for (const camera of CAMERAS) {
      if (camera.silent === true && nowMs - openedMs > 1000) continue;
      if (camera.condition === "awake") send(camera, cover(camera, nowMs));
      if (ticks % 5 !== 0) continue;
      if (camera.condition === "awake") send(camera, light(camera, nowMs));
      const before = proven.get(camera.id) ?? new Uint8Array(0);
      const after = provenBlocks(camera, shareAt(camera, nowMs));
      if (camera.proven > 0 && camera.proven < 1) send(camera, patch(camera, before, after, nowMs));
      proven.set(camera.id, after);
      send(camera, state(camera, nowMs));
    }
  }, 200);
  const stop = (): void => clearInterval(timer);
  socket.on("close", stop);
  socket.on("error", stop);
}

export function mockServer(): Plugin {
  return {
    name: "privet-mock",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!answer(request, response)) next();
      });
      server.httpServer?.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
        if (request.url?.startsWith("/api/live") === true) serveLive(request, socket);
      });
    },
  };
}
