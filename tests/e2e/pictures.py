"""`make docs-pictures`: pictures of every page, taken in Chromium from a running site with three cameras.

    python -m tests.e2e.pictures docs/pictures
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from tests.e2e import browser
from tests.e2e.site import running_site

PROVEN = 0.5
PROVEN_WITHIN_S = 300.0
CANDIDATES = 1500
PAST_S = 40.0
COLOURS = 256


def take(out: Path) -> None:
    """Write the pictures into `out`, each reduced to a palette: they lie in the repository."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="privet-pictures-") as directory, running_site(Path(directory)) as site:
        print(f"waiting until {PROVEN:.0%} of every place is proven", flush=True)
        site.wait_until_proven(PROVEN, PROVEN_WITHIN_S)
        time.sleep(PAST_S)
        at_ms = time.time_ns() // 1_000_000 - 20_000
        job = {"url": site.url, "token": site.token, "out": str(out.resolve()), "atMs": at_ms}
        browser.drive("pictures.mjs", job, within_s=240.0)
    with tempfile.TemporaryDirectory(prefix="privet-pictures-") as directory, running_site(Path(directory), "signature") as site:
        print("waiting for something to sign", flush=True)
        site.wait_for_candidates(CANDIDATES, PROVEN_WITHIN_S)
        browser.drive("pictures-commission.mjs", {"url": site.url, "token": site.token, "out": str(out.resolve())}, within_s=240.0)
    for path in sorted(out.glob("*.png")):
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        print(f"{path}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
