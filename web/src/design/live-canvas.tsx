/** A canvas that shows a camera's live scene. */

import { useEffect, useRef, type ReactElement } from "react";
import type { LiveScenes } from "../scene/live";
import { Picture } from "../scene/picture";
import type { Renderer } from "../scene/renderer";

interface Props {
  readonly renderer: Renderer;
  readonly live: LiveScenes;
  readonly camera: string;
  readonly maxWidthPx: number;
}

export function LiveCanvas({ renderer, live, camera, maxWidthPx }: Props): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const picture = new Picture(renderer, canvas.current, maxWidthPx, (background) => live.fullSize(camera, background));
    const show = (): void => picture.show(live.view(camera)?.view ?? null);
    const stop = live.subscribe(camera, show);
    show();
    return () => {
      stop();
      picture.close();
    };
  }, [renderer, live, camera, maxWidthPx]);
  return <canvas ref={canvas} className="picture" aria-hidden="true" />;
}
