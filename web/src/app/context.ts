/** What every page needs: words, the site's time zone, the live streams, the cameras of the register. */

import { createContext, useContext } from "react";
import type { Camera, Site } from "../api/client";
import type { LiveScenes } from "../scene/live";
import type { Renderer } from "../scene/renderer";
import type { Language, Translate } from "../i18n/translate";

export interface AppValues {
  readonly t: Translate;
  readonly language: Language;
  readonly locale: string;
  readonly zone: string;
  readonly site: Site | null;
  readonly cameras: readonly Camera[] | null;
  readonly live: LiveScenes;
  readonly renderer: Renderer;
  readonly showKeys: (shown: boolean) => void;
}

export const AppContext = createContext<AppValues | null>(null);

export function useAppContext(): AppValues {
  const values = useContext(AppContext);
  if (values === null) throw new Error("a page stands outside the application");
  return values;
}
