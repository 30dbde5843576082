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
import { makeGrid } from "../src/scene/grid";
import { CameraMessageSchema, SceneMessageSchema, type SceneMessage } from "../src/scene/pb/privet/v1/scene_pb";
import type { Reason } from "../src/scene/scene";
import { CAMERAS, type DevCamera } from "./mock-cameras";
import { background, BLOCK, cover, light, patch, provenBlocks, shareAt, startedMs, state } from "./mock-scene";

const DAY = 86_400_000;
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
