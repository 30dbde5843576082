/** The list of keys, by page. */

import { Fragment, type ReactElement } from "react";
import type { Key } from "../i18n/en";
import type { Route } from "./route";
import { useAppContext } from "./context";

type KeyWords = Extract<Key, `keys.${string}`>;

const EVERYWHERE: readonly (readonly [string, KeyWords])[] = [["?", "keys.help"]];
const WALL: readonly (readonly [string, KeyWords])[] = [
  ["← → ↑ ↓", "keys.move"],
  ["Enter", "keys.open"],
  ["P", "keys.pin"],
];
const CAMERA: readonly (readonly [string, KeyWords])[] = [
  ["Space", "keys.play"],
  ["← →", "keys.step"],
  ["Shift ← →", "keys.minute"],
  ["↓ ↑", "keys.speed"],
  ["L", "keys.live"],
  ["+ −", "keys.zoom"],
  ["Home End", "keys.ends"],
  ["I O", "keys.mark"],
  ["Esc", "keys.back"],
];

export function KeyList({ page }: { readonly page: Route["page"] }): ReactElement {
  const { t } = useAppContext();
  const rows = [...(page === "wall" ? WALL : page === "camera" ? CAMERA : []), ...EVERYWHERE];
  return (
    <dl className="keys">
      {rows.map(([keys, words]) => (
        <Fragment key={words}>
          <dt dir="ltr">
            {keys.split(" ").map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{t(words)}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
