/**
 * Bytes of a `SceneMessage` to scene values. The same rules as src/privet/core/wire.py, held equal by vectors/scene-stream.
 *
 * Decoding is strict: whatever breaks the specification throws `WireError`. What a reader must skip is null: a message of a kind
 * that this version does not know, and a patch, cover or light of another epoch than the grid in force.
 */

import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { readBitmap } from "./bits";
import { makeGrid, type Grid } from "./grid";
import {
  CameraMessageSchema,
  SceneMessageSchema,
  type Background as BackgroundMessage,
  type Cover as CoverMessage,
  type Grid as GridMessage,
  type Head as HeadMessage,
  type Light as LightMessage,
  type Patch as PatchMessage,
  type SceneMessage,
  type State as StateMessage,
} from "./pb/privet/v1/scene_pb";
import {
  CONDITIONS,
  IMAGE_TYPES,
  REASONS,
  type Background,
  type Cover,
  type Head,
  type ImageType,
  type Light,
  type Patch,
  type Scene,
  type State,
} from "./scene";
import { withoutMistyped } from "./wire-types";

export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_COVER_NS = 10_000_000_000n;
const MAX_LIGHT_CELLS = 64;
const CAMERA_ID = /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;

/** Which rule a rejected message broke: the words of docs/ref/scene-stream.md, "What is rejected". */
export type Rejection =
  | "malformed"
  | "head"
  | "time"
  | "grid"
  | "bitmap"
  | "image"
  | "format"
  | "no-grid"
  | "rectangle"
  | "duration"
  | "cells"
  | "enumeration"
  | "counts";

/** Bytes that break the specification of the scene stream. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly reason: Rejection;

  constructor(reason: Rejection, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Read one `SceneMessage`. `grid` is the one in force (of the last background or state): patches, covers and lights before it are
 * refused.
 */
export function decode(data: Uint8Array, grid: Grid | null): Scene | null {
  if (data.length > MAX_MESSAGE_BYTES) {
    throw new WireError("malformed", `scene message of ${data.length} bytes: at most ${MAX_MESSAGE_BYTES} are taken`);
  }
  return fromMessage(parse(SceneMessageSchema, data), grid);
}

/** Read one `CameraMessage`: the camera's id and its message, still to be put through `fromMessage` with that camera's grid. */
export function decodeCamera(data: Uint8Array): { camera: string; message: SceneMessage } {
  if (data.length > MAX_MESSAGE_BYTES) {
    throw new WireError("malformed", `camera message of ${data.length} bytes: at most ${MAX_MESSAGE_BYTES} are taken`);
  }
  const { camera, scene } = parse(CameraMessageSchema, data);
  if (!CAMERA_ID.test(camera)) throw new WireError("malformed", "camera message without a camera's id");
  if (scene === undefined) throw new WireError("malformed", "camera message without a scene");
  return { camera, message: scene };
}

/** As `decode`, from a parsed message. */
export function fromMessage(message: SceneMessage, grid: Grid | null): Scene | null {
  const { kind } = message;
  switch (kind.case) {
    case "background":
      return readBackground(kind.value);
    case "patch":
      return sameEpoch(kind.value, grid) ? readPatch(kind.value, known(grid)) : null;
    case "cover":
      return sameEpoch(kind.value, grid) ? readCover(kind.value, known(grid)) : null;
    case "light":
      return sameEpoch(kind.value, grid) ? readLight(kind.value) : null;
    case "state":
      return readState(kind.value);
    case undefined:
      return null;
  }
}

/** As protobuf, without fields that this version does not know. */
export function parseScene(data: Uint8Array): SceneMessage {
  return parse(SceneMessageSchema, data);
}

function parse<T extends DescMessage>(schema: T, data: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(schema, withoutMistyped(schema, data), { readUnknownFields: false });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WireError("malformed", `${data.length} bytes are not a message: ${why}`, { cause: error });
  }
}

/** A grid or bitmap that cannot be is a broken rule of the message it stands in. */
function checked<T>(reason: Rejection, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new WireError(reason, error.message, { cause: error });
    throw error;
  }
}

function known(grid: Grid | null): Grid {
  if (grid === null) throw new WireError("no-grid", "no grid is known yet");
  return grid;
}

function sameEpoch(message: PatchMessage | CoverMessage | LightMessage, grid: Grid | null): boolean {
  readHead(message.head);
  return message.epoch === known(grid).epoch;
}

function readWallNs(name: string, value: bigint): bigint {
  if (value < 0n) throw new WireError("time", `${name} of ${String(value)}: before 1970`);
  return value;
}

function readHead(message: HeadMessage | undefined): Head {
  if (message === undefined || message.session === 0n || message.sequence === 0n) {
    throw new WireError("head", "head without session or sequence");
  }
  return { session: message.session, sequence: message.sequence, wallNs: readWallNs("wall_ns", message.wallNs) };
}

function readGrid(message: GridMessage | undefined): Grid {
  return checked("grid", () =>
    makeGrid(message?.widthPx ?? 0, message?.heightPx ?? 0, message?.blockPx ?? 0, message?.epoch ?? 0),
  );
}

/** Values of an enumeration count from 1; 0 and unknown ones are refused. */
function readEnum<T>(names: readonly T[], value: number, reason: "enumeration" | "format"): T {
  const name = names[value - 1];
  if (name === undefined) throw new WireError(reason, `${value} is not a known value`);
  return name;
}

function readImageType(value: number): ImageType {
  return readEnum(IMAGE_TYPES, value, "format");
}

function readBackground(message: BackgroundMessage): Background {
  const grid = readGrid(message.grid);
  const proven = checked("bitmap", () => readBitmap(message.proven, grid.rows, grid.columns));
  if (message.image.length > 0 !== proven.bytes.some((byte) => byte !== 0)) {
    throw new WireError("image", "a background has an image exactly when a block is proven");
  }
  const oldestWallNs = readWallNs("oldest_wall_ns", message.oldestWallNs);
  const newestWallNs = readWallNs("newest_wall_ns", message.newestWallNs);
  if (oldestWallNs > newestWallNs || message.image.length > 0 !== (oldestWallNs !== 0n)) {
    throw new WireError(
      "time",
      `proven from ${String(oldestWallNs)} to ${String(newestWallNs)} ns: in order, and 0 exactly while no block is proven`,
    );
  }
  return {
    kind: "background",
    head: readHead(message.head),
    grid,
    proven,
    imageType: readImageType(message.format),
    image: message.image,
    oldestWallNs,
    newestWallNs,
  };
}

function readPatch(message: PatchMessage, grid: Grid): Patch {
  if (message.columns === 0 || message.rows === 0) throw new WireError("rectangle", "empty rectangle");
  if (message.column + message.columns > grid.columns || message.row + message.rows > grid.rows) {
    throw new WireError("rectangle", `rectangle reaches beyond the grid of ${grid.columns} x ${grid.rows} blocks`);
  }
  const promoted = checked("bitmap", () => readBitmap(message.promoted, message.rows, message.columns));
  if (message.image.length === 0 || promoted.bytes.every((byte) => byte === 0)) {
    throw new WireError("image", "no image or no promoted block");
  }
  return {
    kind: "patch",
    head: readHead(message.head),
    epoch: message.epoch,
    column: message.column,
    row: message.row,
    promoted,
    imageType: readImageType(message.format),
    image: message.image,
  };
}

function readCover(message: CoverMessage, grid: Grid): Cover {
  if (message.durationNs <= 0n || message.durationNs > MAX_COVER_NS) {
    throw new WireError("duration", `duration of ${String(message.durationNs)} ns: take 1 to ${String(MAX_COVER_NS)}`);
  }
  const covered = checked("bitmap", () => readBitmap(message.bits, grid.rows, grid.columns));
  return {
    kind: "cover",
    head: readHead(message.head),
    epoch: message.epoch,
    durationNs: Number(message.durationNs),
    covered,
  };
}

function readLight(message: LightMessage): Light {
  const { columns, rows, gain, offset } = message;
  if (!(rows >= 1 && rows <= MAX_LIGHT_CELLS && columns >= 1 && columns <= MAX_LIGHT_CELLS)) {
    throw new WireError("cells", `${columns} x ${rows} cells: take 1 to ${MAX_LIGHT_CELLS} each way`);
  }
  for (const cells of [gain, offset]) {
    if (cells.length !== rows * columns) throw new WireError("cells", `${rows * columns} cells, found ${cells.length} bytes`);
  }
  return { kind: "light", head: readHead(message.head), epoch: message.epoch, columns, rows, gain, offset };
}

function readState(message: StateMessage): State {
  const grid = message.grid === undefined ? null : readGrid(message.grid);
  const blocks = grid === null ? 0 : grid.rows * grid.columns;
  if (Math.max(message.provenBlocks, message.blindBlocks) > blocks) {
    throw new WireError("counts", `${message.provenBlocks} proven and ${message.blindBlocks} blind blocks of ${blocks}`);
  }
  return {
    kind: "state",
    head: readHead(message.head),
    condition: readEnum(CONDITIONS, message.condition, "enumeration"),
    reason: readEnum(REASONS, message.reason, "enumeration"),
    coverUntilWallNs: readWallNs("cover_until_wall_ns", message.coverUntilWallNs),
    grid,
    provenBlocks: message.provenBlocks,
    blindBlocks: message.blindBlocks,
  };
}
