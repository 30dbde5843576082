/** A recorder for pages: every question is answered as the test says, and what was asked is kept. */

import { TimelineLoader } from "../src/timeline/timeline-loader";
import type { Timeline } from "../src/api/client";
import type { CameraPorts } from "../src/camera/camera-page";

export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** The scene stream of these messages. */
export function sceneBody(messages: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const each of messages) controller.enqueue(Uint8Array.of(...varint(each.length), ...each));
      controller.close();
    },
  });
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

/** No timeline comes; of the past it is known what `fetchScene` says. */
export function cameraPorts(fetchScene: CameraPorts["fetchScene"] = never): CameraPorts {
  return { fetchScene, openTimeline: () => new TimelineLoader(() => never<Timeline>()) };
}
