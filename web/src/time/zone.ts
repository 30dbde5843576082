/** Times in the site's zone. All pure: milliseconds UTC and a zone's name in, text and numbers out. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const parts = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();
const MAX_OFFSETS = 4096;

const UTC = "UTC";

/** The zone itself if this browser knows it, else UTC. */
export function knownZone(zone: string): string {
  // Until the site's zone is known it is UTC: for that no tables of zones have to be read.
  if (zone === UTC) return zone;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return UTC;
  }
}

/** By how much local time is ahead of UTC at `atMs`, in ms. Zones change at whole quarter hours, so one answer serves each. */
export function offsetMs(zone: string, atMs: number): number {
  if (zone === UTC) return 0;
  const quarter = Math.floor(atMs / (15 * MINUTE));
  const key = `${zone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  let format = parts.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-u-hc-h23", {
      timeZone: zone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    parts.set(zone, format);
  }
  const at = quarter * 15 * MINUTE;
  const fields = new Map(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const field = (type: Intl.DateTimeFormatPartTypes): number => fields.get(type) ?? 0;
  const local = Date.UTC(field("year"), field("month") - 1, field("day"), field("hour"), field("minute"), field("second"));
  if (offsets.size > MAX_OFFSETS) offsets.clear();
  offsets.set(key, local - at);
  return local - at;
}

/** The moment at which clocks of the zone show `localMs` (ms as if it were UTC); the earlier one if they show it twice. */
export function fromLocalMs(zone: string, localMs: number): number {
  const before = localMs - offsetMs(zone, localMs - DAY);
  if (before + offsetMs(zone, before) === localMs) return before;
  return localMs - offsetMs(zone, localMs + DAY);
}

/** "+02:00", "-03:30". */
export function offsetText(zone: string, atMs: number): string {
  const minutes = Math.round(offsetMs(zone, atMs) / MINUTE);
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** "14:03:09" of the zone. */
export function clockText(zone: string, atMs: number, withSeconds = true): string {
  const local = new Date(atMs + offsetMs(zone, atMs));
  const text = `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}`;
  return withSeconds ? `${text}:${pad(local.getUTCSeconds())}` : text;
}

const dateFormats = new Map<string, Intl.DateTimeFormat>();

/** "Tue, 14 May", in the language's own way. */
export function dateText(zone: string, atMs: number, locale: string): string {
  const key = `${locale} ${zone}`;
  let format = dateFormats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
    dateFormats.set(key, format);
  }
  return format.format(atMs);
}

export function fullText(zone: string, atMs: number, locale: string): string {
  return `${dateText(zone, atMs, locale)} ${clockText(zone, atMs)}`;
}

const relativeFormats = new Map<string, Intl.RelativeTimeFormat>();

/** Kept: making one takes longer than a tile's frame has. */
function relativeFormat(locale: string): Intl.RelativeTimeFormat {
  let format = relativeFormats.get(locale);
  if (format === undefined) {
    format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    relativeFormats.set(locale, format);
  }
  return format;
}

/** "3 minutes ago", in the language's own way. */
export function agoText(fromMs: number, nowMs: number, locale: string): string {
  const since = Math.max(0, nowMs - fromMs);
  const format = relativeFormat(locale);
  if (since < MINUTE) return format.format(-Math.floor(since / SECOND), "second");
  if (since < HOUR) return format.format(-Math.floor(since / MINUTE), "minute");
  if (since < 2 * DAY) return format.format(-Math.floor(since / HOUR), "hour");
  return format.format(-Math.floor(since / DAY), "day");
}

/** The largest unit that a duration is a fair number of, and how many: for plural words. */
export function roughly(durationMs: number): { unit: "seconds" | "minutes" | "hours" | "days"; count: number } {
  const tenth = (value: number): number => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  if (durationMs < MINUTE) return { unit: "seconds", count: Math.round(durationMs / SECOND) };
  if (durationMs < HOUR) return { unit: "minutes", count: tenth(durationMs / MINUTE) };
  if (durationMs < DAY) return { unit: "hours", count: tenth(durationMs / HOUR) };
  return { unit: "days", count: tenth(durationMs / DAY) };
}

/** "1:02:03" or "4:05". */
export function lengthText(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / SECOND));
  const hours = Math.floor(seconds / 3600);
  const rest = `${hours > 0 ? pad(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
