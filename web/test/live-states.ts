/** Every state a camera can be in, how it comes about, and the words for it. */

import { Condition, Reason } from "../src/scene/pb/privet/v1/scene_pb";
import type { FakeLive } from "./fake-live";

export interface LiveState {
  readonly name: string;
  /** Has the camera say what leads there. */
  readonly bring: (live: FakeLive, camera: string) => void;
  readonly tone: string;
  readonly dim: boolean;
  readonly en: string;
  readonly ar: string;
}

export const LIVE_STATES: readonly LiveState[] = [
  { name: "nothing heard", bring: () => undefined, tone: "unknown", dim: true, en: "Nothing heard yet", ar: "لا خبر بعد" },
  {
    name: "starting",
    bring: (live, camera) => live.say(camera, { condition: Condition.STARTING, pictured: false }),
    tone: "quiet",
    dim: true,
    en: "Starting: waiting for the first picture",
    ar: "يبدأ: في انتظار أول صورة",
  },
  {
    name: "proving",
    bring: (live, camera) => live.say(camera, { condition: Condition.AWAKE, proven: 4 }),
    tone: "degraded",
    dim: false,
    en: "Proving the place: 50% of the picture",
    ar: "يُثبَت المكان: 50% من الصورة",
  },
  {
    name: "guarded",
    bring: (live, camera) => live.say(camera, { condition: Condition.AWAKE }),
    tone: "guarded",
    dim: false,
    en: "Guarded",
    ar: "محروس",
  },
  {
    name: "something there",
    bring: (live, camera) => live.say(camera, { condition: Condition.AWAKE, covered: 3 }),
    tone: "busy",
    dim: false,
    en: "something is there",
    ar: "هناك شيء",
  },
  {
    name: "asleep",
    bring: (live, camera) => live.say(camera, { condition: Condition.ASLEEP }),
    tone: "guarded",
    dim: false,
    en: "Quiet: nothing moves",
    ar: "هادئ: لا شيء يتحرك",
  },
  {
    name: "blind",
    bring: (live, camera) => live.say(camera, { condition: Condition.BLIND }),
    tone: "degraded",
    dim: true,
    en: "Blind: what the camera sends does not fit the place",
    ar: "أعمى: ما ترسله الكاميرا لا يطابق المكان",
  },
  {
    name: "offline, with what to do",
    bring: (live, camera) => live.say(camera, { condition: Condition.OFFLINE, reason: Reason.REFUSED }),
    tone: "degraded",
    dim: true,
    en: "Password refused. Correct it in secrets.toml.",
    ar: "رُفضت كلمة المرور. صحّحها في secrets.toml.",
  },
  {
    name: "sparse",
    bring: (live, camera) => live.say(camera, { condition: Condition.AWAKE, reason: Reason.OVERLOADED }),
    tone: "degraded",
    dim: false,
    en: "Looked at every few seconds only: this machine does not keep up",
    ar: "يُنظر إليه كل بضع ثوانٍ فقط: هذا الجهاز لا يلحق بالكاميرات",
  },
  {
    name: "stale",
    bring: (live, camera) => {
      live.say(camera, { condition: Condition.AWAKE });
      live.nowMs += 12_400;
    },
    tone: "unknown",
    dim: true,
    en: "Nothing heard for 12 s: what is shown may be old",
    ar: "لا خبر منذ 12 ث: قد يكون المعروض قديمًا",
  },
  {
    name: "a heartbeat but no cover",
    bring: (live, camera) => live.say(camera, { condition: Condition.AWAKE, coverAgeMs: 7200 }),
    tone: "unknown",
    dim: true,
    en: "No report on this place for 7 s: what is shown may be old",
    ar: "لم يُذكر ما هو هناك منذ 7 ث: قد يكون المعروض قديمًا",
  },
];
