/**
 * The live scene stream: one WebSocket for all cameras of a page, reconnected with jittered back-off, folded per camera.
 *
 * Belongs here: the connection's life and what each camera's stream says now. Not here: drawing, words, React.
 */

import { followMessage, NOTHING_SEEN, type SceneView } from "./reader";
import { msOf, type Background } from "./scene";
import { freshnessOf, type Freshness } from "./freshness";
import { decodeCamera, WireError } from "./wire";

/** What is known of a camera, and when (monotonic ms) its last heartbeat came. */
export interface LiveView {
  readonly view: SceneView;
  readonly heardMs: number;
}

/** The part of WebSocket that is used. */
export interface Socket {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  close(): void;
}

export interface LivePorts {
  readonly connect: (url: string) => Socket;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly later: (act: () => void, delayMs: number) => () => void;
  /** The server does not know who this is (any more). */
  readonly login: () => void;
  /** The full-size picture of a camera's background, which came small; null: another is in force. */
  readonly fullSize: (camera: string, background: Background) => Promise<Uint8Array | null>;
}

/** Close code of a socket whose opener is not logged in. */
const CLOSE_LOGIN = 4401;

export const BROWSER_PORTS: Omit<LivePorts, "login" | "fullSize"> = {
  connect: (url) => new WebSocket(url),
  nowMs: () => performance.now(),
  random: () => Math.random(),
  later: (act, delayMs) => {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Attempt 0 is at once, then doubling from half a second to 30 s, anywhere in the upper half of it. */
export function nextDelayMs(attempt: number, random: number): number {
  if (attempt <= 0) return 0;
  const ceiling = Math.min(30_000, 500 * 2 ** Math.min(attempt - 1, 16));
  return ceiling * (0.5 + random / 2);
}

/** By this machine's own clock for silence, by the stream's for how far its covers reach. */
export function liveFreshness({ view, heardMs }: LiveView, nowMs: number): Freshness {
  return freshnessOf(view, view.head === null ? 0 : msOf(view.head.wallNs), nowMs - heardMs);
}

export class LiveScenes {
  readonly #url: string;
  readonly #ports: LivePorts;
  readonly #views = new Map<string, LiveView>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #socket: Socket | null = null;
  #cancelRetry: (() => void) | null = null;
  #attempt = 0;
  #closed = false;
  #connected = false;
  readonly #watchers = new Set<() => void>();
  /** ms UTC: when the connection was last lost, or first asked for. */
  unconnectedSinceMs = Date.now();
  /** Messages that broke the specification and were skipped. */
  damaged = 0;

  constructor(url: string, ports: LivePorts) {
    this.#url = url;
    this.#ports = ports;
    this.#connect();
  }

  view(camera: string): LiveView | undefined {
    return this.#views.get(camera);
  }

  nowMs(): number {
    return this.#ports.nowMs();
  }

  /** Calls `changed` after every message of `camera`; returns how to stop. */
  subscribe(camera: string, changed: () => void): () => void {
    const listeners = this.#listeners.get(camera) ?? new Set();
    this.#listeners.set(camera, listeners);
    listeners.add(changed);
    return () => listeners.delete(changed);
  }

  /** The full-size picture of a background of `camera`: this stream's come small. null: another is in force by now. */
  fullSize(camera: string, background: Background): Promise<Uint8Array | null> {
    return this.#ports.fullSize(camera, background);
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#socket?.close();
  }

  /** Whether messages come, and how to be told when that changes. */
  get connected(): boolean {
    return this.#connected;
  }

  watchConnection(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (!connected) this.unconnectedSinceMs = Date.now();
    for (const changed of this.#watchers) changed();
  }

  #connect(): void {
    const socket = this.#ports.connect(this.#url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event: MessageEvent<unknown>) => {
      // Only a connection that delivers counts as up: a server that accepts and drops must not be hammered.
      this.#attempt = 0;
      this.#setConnected(true);
      if (event.data instanceof ArrayBuffer) this.#take(new Uint8Array(event.data));
    };
    socket.onclose = (event) => {
      if (this.#closed || this.#socket !== socket) return;
      this.#setConnected(false);
      if (event.code === CLOSE_LOGIN) {
        this.#ports.login();
        return;
      }
      this.#attempt += 1;
      this.#cancelRetry = this.#ports.later(() => this.#connect(), nextDelayMs(this.#attempt, this.#ports.random()));
    };
  }

  #take(data: Uint8Array): void {
    // One camera's bad message must not take the wall down; what it would have said is drawn as unknown by staleness.
    const rejected = (): void => {
      this.damaged += 1;
    };
    let parsed: ReturnType<typeof decodeCamera>;
    try {
      parsed = decodeCamera(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      rejected();
      return;
    }
    const { camera, message } = parsed;
    const known = this.#views.get(camera);
    const before = known?.view ?? NOTHING_SEEN;
    const view = followMessage(before, message, rejected);
    if (view === before) return;
    const heartbeat = known === undefined || view.state !== before.state;
    this.#views.set(camera, { view, heardMs: heartbeat ? this.#ports.nowMs() : known.heardMs });
    for (const changed of this.#listeners.get(camera) ?? []) changed();
  }
}
