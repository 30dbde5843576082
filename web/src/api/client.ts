/** Asks the API. Types come from its OpenAPI description; who is not logged in (any more) is sent to the login page. */

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Camera = components["schemas"]["CameraModel"];
export type Timeline = components["schemas"]["Timeline"];
export type Span = components["schemas"]["SpanModel"];
export type SpanKind = Span["kind"];
export type Site = components["schemas"]["Site"];
export type Storage = components["schemas"]["Storage"];
export type Stored = components["schemas"]["StoredModel"];
export type Offer = components["schemas"]["OfferModel"];
export type Decision = components["schemas"]["DecisionModel"];
export type Session = components["schemas"]["Session"];

/** The API said no, or nothing. `status` is 0 if nothing. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export function goToLogin(): void {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

const client = createClient<paths>({ baseUrl: location.origin });

client.use({
  onResponse: ({ response }) => {
    if (response.status === 401) goToLogin();
  },
});

/** Throws ApiError unless there is an answer with data. */
async function answered<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(error instanceof Error ? error.message : String(error), 0, { cause: error });
  }
  if (answer.data === undefined) throw new ApiError(detailOf(answer.error, answer.response), answer.response.status);
  return answer.data;
}

function detailOf(problem: unknown, response: Response): string {
  if (typeof problem === "object" && problem !== null && "detail" in problem && typeof problem.detail === "string") {
    return problem.detail;
  }
  return `${response.status} ${response.statusText}`;
}

export function fetchSite(signal: AbortSignal): Promise<Site> {
  return answered(client.GET("/api/site", { signal }));
}

export function fetchStorage(signal: AbortSignal): Promise<Storage> {
  return answered(client.GET("/api/storage", { signal }));
}

export function fetchSession(signal: AbortSignal): Promise<Session> {
  return answered(client.GET("/api/session", { signal }));
}

export function fetchCameras(signal: AbortSignal): Promise<Camera[]> {
  return answered(client.GET("/api/cameras", { signal }));
}

export function fetchTimeline(
  camera: string,
  fromMs: number,
  toMs: number,
  bins: number,
  signal: AbortSignal,
): Promise<Timeline> {
  const query = { from_ms: Math.floor(fromMs), to_ms: Math.ceil(toMs), bins };
  return answered(client.GET("/api/cameras/{id}/timeline", { params: { path: { id: camera }, query }, signal }));
}

export function askOffer(camera: string): Promise<Offer> {
  return answered(client.POST("/api/cameras/{id}/commission", { params: { path: { id: camera } }, cache: "no-store" }));
}

/** The picture of an offer, as an object URL: no address that a cache could keep. Revoke it when it is decided on. */
export async function fetchOffered(offer: Offer): Promise<string> {
  const response = await fetch(offer.picture, { cache: "no-store" });
  if (response.status === 401) goToLogin();
  if (!response.ok) throw new ApiError(`${response.status} ${response.statusText}`, response.status);
  return URL.createObjectURL(await response.blob());
}

/** What a signer says, in the words that are recorded, whatever the page's language is. */
export const STATEMENT = "nobody is in this picture";

export function signOffer(camera: string, offer: string): Promise<Decision> {
  const params = { path: { id: camera, offer } };
  return answered(client.POST("/api/cameras/{id}/commission/{offer}/sign", { params, body: { statement: STATEMENT } }));
}

export function refuseOffer(camera: string, offer: string): Promise<Decision> {
  return answered(client.POST("/api/cameras/{id}/commission/{offer}/refuse", { params: { path: { id: camera, offer } } }));
}

export async function logOut(): Promise<void> {
  await client.POST("/logout", { parseAs: "text" });
  location.assign("/login");
}

/** The scene stream of a span, as it arrives. */
export async function fetchScene(
  camera: string,
  fromMs: number,
  toMs: number,
  stepMs: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const query = new URLSearchParams({ from_ms: String(Math.floor(fromMs)), to_ms: String(Math.ceil(toMs)) });
  if (stepMs > 0) query.set("step_ms", String(stepMs));
  const response = await fetch(`/api/cameras/${encodeURIComponent(camera)}/scene?${query.toString()}`, { signal });
  if (response.status === 401) goToLogin();
  if (!response.ok || response.body === null) throw new ApiError(`${response.status} ${response.statusText}`, response.status);
  return response.body;
}

/** The picture of a background at its full size; null if another is in force by now. */
export async function fetchBackground(camera: string, session: bigint, sequence: bigint): Promise<Uint8Array | null> {
  const query = new URLSearchParams({ session: String(session), sequence: String(sequence) });
  const response = await fetch(`/api/cameras/${encodeURIComponent(camera)}/background?${query.toString()}`);
  if (response.status === 401) goToLogin();
  if (response.status === 404) return null;
  if (!response.ok) throw new ApiError(`${response.status} ${response.statusText}`, response.status);
  return new Uint8Array(await response.arrayBuffer());
}

export function snapshotPath(camera: string, atMs: number | null): string {
  const query = atMs === null ? "" : `?at_ms=${Math.floor(atMs)}`;
  return `/api/cameras/${encodeURIComponent(camera)}/snapshot.jpg${query}`;
}

export function exportPath(camera: string, fromMs: number, toMs: number): string {
  return `/api/cameras/${encodeURIComponent(camera)}/export.mp4?from_ms=${Math.floor(fromMs)}&to_ms=${Math.ceil(toMs)}`;
}

export function livePath(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live?backgrounds=small`;
}
