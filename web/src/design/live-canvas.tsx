/** A canvas that shows a camera's live scene. */

import { useEffect, useRef, type ReactElement } from "react";
import type { LiveScenes } from "../scene/live";
import { Picture } from "../scene/picture";

interface Props {
  readonly live: LiveScenes;
  readonly camera: string;
  readonly maxWidthPx: number;
}

export function LiveCanvas({ live, camera, maxWidthPx }: Props): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const picture = new Picture(canvas.current, maxWidthPx);
    const show = (): void => picture.show(live.view(camera)?.view ?? null);
    const stop = live.subscribe(camera, show);
    show();
    return () => {
      stop();
      picture.close();
    };
  }, [live, camera, maxWidthPx]);
  return <canvas ref={canvas} className="picture" aria-hidden="true" />;
}
