/** What the pages ask of the recorder, and how a browser does it. */

import {
  askOffer,
  fetchBackground,
  fetchOffered,
  fetchScene,
  fetchSession,
  fetchStorage,
  goToLogin,
  livePath,
  logOut,
  refuseOffer,
  signOffer,
  type Camera,
  type Site,
} from "../api/client";
import type { CameraPorts } from "../camera/camera-page";
import type { CommissionPorts } from "../pages/commission-page";
import type { SystemPorts } from "../pages/system-page";
import { BROWSER_PORTS, LiveScenes } from "../scene/live";
import type { Prefetch } from "./prefetch";
import type { Prefetched } from "./prefetched";

export interface AppPorts {
  readonly site: Prefetched<[AbortSignal], Site>;
  readonly cameras: Prefetched<[AbortSignal], Camera[]>;
  readonly connect: () => LiveScenes;
  readonly camera: CameraPorts;
  readonly commission: CommissionPorts;
  readonly system: SystemPorts;
  readonly logOut: () => Promise<void>;
}

export function browserPorts({ site, cameras, openTimeline }: Prefetch): AppPorts {
  return {
    site,
    cameras,
    connect: () =>
      new LiveScenes(livePath(), {
        ...BROWSER_PORTS,
        login: goToLogin,
        fullSize: (camera, { head }) => fetchBackground(camera, head.session, head.sequence),
      }),
    camera: { fetchScene, openTimeline },
    commission: { fetchSession, askOffer, fetchOffered, signOffer, refuseOffer },
    system: { fetchSession, fetchStorage, logOut },
    logOut,
  };
}
