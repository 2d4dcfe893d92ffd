"""Headless Chromium and the accessibility checker axe-core, for tests of the report page."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path
from playwright.sync_api import Browser, sync_playwright

AXE_VERSION = "4.14.1"
START_TIMEOUT_MS = 180_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without these Chromium asks its maker's hosts for news of its own accord.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that Playwright installed."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=ARGUMENTS, timeout=START_TIMEOUT_MS
        )
        try:
            yield browser
        finally:
            browser.close()


def axe_script() -> str:
    """The checker, installed by npm below a cache folder (once per version)."""
    default = user_cache_path("feedback-triage-tests")
    folder = Path(os.environ.get("TRIAGE_TEST_NODE") or default) / f"axe-core-{AXE_VERSION}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix"]
        subprocess.run([*command, str(folder), f"axe-core@{AXE_VERSION}"], check=True)
    return script.read_text("utf-8")
