/** The application around the pages: the bar, the language, the keys, what is lost and found again. */

import { useEffect, useMemo, useState, type ReactElement } from "react";
import { CameraPage } from "../camera/camera-page";
import { Button, Dialog, Link } from "../design/components";
import { CommissionPage } from "../pages/commission-page";
import { SystemPage } from "../pages/system-page";
import { Renderer } from "../scene/renderer";
import { clockText, knownZone, offsetText } from "../time/zone";
import { WallPage } from "../wall/wall-page";
import { chooseLanguage, directionOf, LANGUAGES, localeOf, translator, type Language } from "../i18n/translate";
import { KeyList } from "./key-list";
import { useKeys } from "./keyboard";
import { useNow } from "./use-now";
import type { AppPorts } from "./browser-ports";
import { parseRoute, useAddress, type Route } from "./route";
import { AppContext, useAppContext, type AppValues } from "./context";
import { usePolled } from "./use-polled";
import { useConnected } from "./use-live-summary";

const LANGUAGE_KEY = "privet.language";
const CAMERAS_EVERY_MS = 5000;
const SITE_EVERY_MS = 300_000;
/** A connection that comes back sooner than this is not worth a word. */
const LOST_AFTER_MS = 3000;

function storedLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    return null;
  }
}

function storeLanguage(language: Language): void {
  try {
    localStorage.setItem(LANGUAGE_KEY, language);
  } catch {
    // Storage is closed to us: the choice lasts as long as the page.
  }
}

export function App({ ports }: { readonly ports: AppPorts }): ReactElement {
  const [language, setLanguage] = useState<Language>(() => chooseLanguage(storedLanguage(), navigator.languages));
  const [keysShown, showKeys] = useState(false);
  const [live] = useState(ports.connect);
  const [renderer] = useState(() => new Renderer());
  const site = usePolled(ports.site.ask, SITE_EVERY_MS, ports.site.answer());
  const cameras = usePolled(ports.cameras.ask, CAMERAS_EVERY_MS, ports.cameras.answer());
  const address = useAddress();
  const [path = "/", search = ""] = address.split("?");
  const route = useMemo(() => parseRoute(path, search), [path, search]);
  const zone = useMemo(() => knownZone(site.data?.timezone ?? "UTC"), [site.data?.timezone]);
  const t = useMemo(() => translator(language), [language]);
  const siteName = site.data?.name ?? t("product.name");

  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = directionOf(language);
    storeLanguage(language);
  }, [language]);
  useEffect(() => {
    document.title = route.page === "camera" ? `${route.camera} · ${siteName}` : siteName;
  }, [route, siteName]);
  useKeys({ "?": () => showKeys(true) });

  const values = useMemo<AppValues>(
    () => ({ t, language, locale: localeOf(language), zone, site: site.data, cameras: cameras.data, live, renderer, showKeys }),
    [t, language, zone, site.data, cameras.data, live, renderer],
  );
  return (
    <AppContext value={values}>
      <a className="skip" href="#main">
        {t("nav.skip")}
      </a>
      <Bar route={route} siteName={siteName} onLanguage={setLanguage} onLogOut={ports.logOut} />
      <main id="main" className={`main main-${route.page}`}>
        <Page route={route} address={address} ports={ports} />
      </main>
      <Trouble problem={cameras.problem} />
      {keysShown ? (
        <Dialog title={t("keys.title")} close={t("keys.close")} onClose={() => showKeys(false)}>
          <KeyList page={route.page} />
        </Dialog>
      ) : null}
    </AppContext>
  );
}

interface PageProps {
  readonly route: Route;
  readonly address: string;
  readonly ports: AppPorts;
}

function Page({ route, address, ports }: PageProps): ReactElement {
  const { t, cameras } = useAppContext();
  switch (route.page) {
    case "wall":
      return <WallPage />;
    case "system":
      return <SystemPage ports={ports.system} />;
    case "commission": {
      if (cameras === null) return <p className="notice">{t("load.waiting")}</p>;
      const camera = cameras.find((each) => each.id === route.camera);
      if (camera !== undefined) return <CommissionPage key={address} camera={camera} ports={ports.commission} />;
      return <NotFound words={t("camera.unknown")} />;
    }
    case "camera": {
      if (cameras === null) return <p className="notice">{t("load.waiting")}</p>;
      const camera = cameras.find((each) => each.id === route.camera);
      // Going to another address of the page begins it anew.
      if (camera !== undefined)
        return <CameraPage key={address} camera={camera} ports={ports.camera} atMs={route.atMs} spanMs={route.spanMs} />;
      return <NotFound words={t("camera.unknown")} />;
    }
    case "unknown":
      return <NotFound words={t("notFound.title")} />;
  }
}

function NotFound({ words }: { readonly words: string }): ReactElement {
  const { t } = useAppContext();
  return (
    <div className="notice">
      <h1>{words}</h1>
      <p>
        <Link to="/">{t("notFound.back")}</Link>
      </p>
    </div>
  );
}

interface BarProps {
  readonly route: Route;
  readonly siteName: string;
  readonly onLanguage: (language: Language) => void;
  readonly onLogOut: () => Promise<void>;
}

function Bar({ route, siteName, onLanguage, onLogOut }: BarProps): ReactElement {
  const { t, language, cameras, showKeys } = useAppContext();
  const attention = (cameras ?? []).filter((camera) => camera.stale || ["offline", "blind"].includes(camera.condition)).length;
  return (
    <header className="bar">
      <Link to="/" className="bar-name">
        <Leaf />
        <span>{siteName}</span>
      </Link>
      <nav aria-label={t("nav.label")}>
        <Link to="/" current={route.page === "wall"}>
          {t("nav.wall")}
        </Link>
        <Link to="/system" current={route.page === "system"}>
          {t("nav.system")}
        </Link>
      </nav>
      <p className="bar-summary">
        {cameras === null ? "" : t("wall.summary", { count: cameras.length })}
        {attention === 0 ? null : <span className="bar-attention">{t("wall.attention", { count: attention })}</span>}
      </p>
      <SiteClock />
      <div className="bar-tools">
        <Button look="bare" onClick={() => showKeys(true)} aria-keyshortcuts="?" aria-label={t("nav.keys")} title={t("nav.keys")}>
          ?
        </Button>
        {LANGUAGES.filter((each) => each !== language).map((each) => (
          <Button key={each} look="bare" lang={each} onClick={() => onLanguage(each)}>
            {translator(each)("language.name")}
          </Button>
        ))}
        <Button look="bare" onClick={() => void onLogOut()}>
          {t("nav.logout")}
        </Button>
      </div>
    </header>
  );
}

function SiteClock(): ReactElement {
  const { t, zone } = useAppContext();
  const nowMs = useNow();
  return (
    <time className="bar-clock" title={t("time.zone", { zone, offset: offsetText(zone, nowMs) })}>
      <bdi>{clockText(zone, nowMs)}</bdi>
    </time>
  );
}

function Leaf(): ReactElement {
  return (
    <svg viewBox="0 0 8 8" className="leaf" aria-hidden="true">
      <path d="M1 4h1v3H1zM3 2h1v5H3zM5 3h1v4H5zM2 5h1v2H2zM4 4h1v3H4zM6 5h1v2H6z" />
    </svg>
  );
}

function Trouble({ problem }: { readonly problem: string | null }): ReactElement | null {
  const { t, live } = useAppContext();
  const connected = useConnected(live);
  const nowMs = useNow();
  const lost = !connected && nowMs - live.unconnectedSinceMs > LOST_AFTER_MS;
  const words = problem !== null ? t("load.failed", { detail: problem }) : lost ? t("live.lost") : null;
  return words === null ? null : (
    <p className="trouble" role="status">
      {words}
    </p>
  );
}
