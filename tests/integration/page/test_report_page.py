"""The report page in headless Chromium, from a file, as a person would use it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.page.browser import axe_script, running_browser
from tests.pages import facts, page_of
from triage.page import render_page
from triage.verification import ReleaseVerdict

# Playwright waits for what is expected; on a busy machine that takes its time.
PATIENCE_MS = 120_000
DOTS = 400
HOSTILE = (
    "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    " \u202egnp.exe\u202c <b>bold</b> &lt; https://example.com/x.png"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests here."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of five themes as a file, one of them hostile and one of too few people."""
    themes = [
        facts(1, "Parcels are counted twice", cells={(0, 0): 3, (1, 1): 5}, people=8),
        facts(2, "Maps are drawn upside down", cells={(1, 0): 4}, capability="multimodal"),
        facts(3, HOSTILE, cells={(1, 1): 4}, verdict=ReleaseVerdict.FIXED),
        facts(4, "Only one says so", people=1),
        facts(5, "Letters get lost", cells={(0, 1): 4}, issue="https://example.com/issues/5"),
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(page_of(themes, dots=DOTS, notes=[HOSTILE])), "utf-8")
    return path.as_uri()


class Opened:
    """A page that was opened, with all that the browser complained of or asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("console", lambda said: self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        # by a selector: a function that is asked a second time is an eval, which the page forbids
        page.wait_for_selector("#canvas[data-drawn]", state="attached")

    def drawn(self) -> int:
        """How many dots the map shows now."""
        self.page.wait_for_timeout(100)
        return int(self.page.locator("#canvas").get_attribute("data-drawn") or -1)

    def shown(self) -> list[str]:
        """The themes in the table, in order."""
        rows = self.page.locator("table.themes tbody tr:visible .id")
        return rows.all_inner_texts()


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    """The page in a window of its own; whatever happens, nothing may be asked for or complained."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = Opened(context.new_page(), address)
    yield opened
    assert opened.complaints == []
    assert {url.split("#")[0] for url in opened.requests} == {address}
    context.close()


def test_filters_narrow_table_map_and_counts_and_show_all_takes_them_back(opened: Opened) -> None:
    page = opened.page
    assert opened.shown() == ["T1", "T2", "T3", "T4", "T5"]
    assert opened.drawn() == 400
    page.select_option("#version", label="corvane-4.1")
    assert opened.shown() == ["T1", "T5"]
    expect(page.locator("table.themes tbody tr").first).to_contain_text("3 of 8 reports")
    expect(page.locator("#found")).to_have_text("2 of 5 themes, 7 of 21 reports in them")
    assert 0 < opened.drawn() < 400
    page.select_option("#source", label="api")
    assert opened.shown() == ["T1"]
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(page.locator("#found")).to_have_text("5 of 5 themes, 21 of 21 reports in them")
    page.select_option("#capability", label="multimodal")
    assert opened.shown() == ["T2"]
    page.get_by_role("button", name="Show all", exact=True).click()
    page.fill("#search", "maps UPSIDE")
    assert opened.shown() == ["T2"]
    assert page.locator("#ledger tbody tr:visible").count() == 1
    page.fill("#search", "nothing like it")
    expect(page.locator("#nothing")).to_be_visible()


def test_everything_is_reached_and_worked_by_keyboard(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    box = page.locator(".skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    expect(page.locator("#themes")).to_be_focused()
    page.get_by_role("button", name="People", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[data-sort=people]")).to_have_attribute("aria-sort", "ascending")
    assert opened.shown() == ["T1", "T2", "T3", "T5", "T4"]
    page.keyboard.press("Enter")
    assert opened.shown() == ["T4", "T2", "T3", "T5", "T1"]
    page.get_by_role("link", name="T2 Maps are drawn upside down").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#T2")).to_be_visible()
    expect(page.locator("#T2")).to_be_focused()
    page.locator("#canvas").focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    for key in ("+", "ArrowLeft", "ArrowUp", "-", "0"):
        page.keyboard.press(key)
    assert opened.drawn() == 400


def test_a_dot_tells_its_theme_and_leads_to_it(opened: Opened) -> None:
    page = opened.page
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    packed = base64.b64decode(json.loads(page.locator("#data").inner_text())["points"])
    x, y = (np.frombuffer(packed, "<u2", count=DOTS, offset=at)[1] / 65535 for at in (0, 2 * DOTS))
    page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"])
    expect(page.locator("#pointed")).to_have_text(
        "T1 Parcels are counted twice · corvane-4.2 · api"
    )
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#T1")).to_be_visible()


def test_hostile_text_of_a_report_stays_text(opened: Opened) -> None:
    page = opened.page
    assert page.title().startswith("Corvane")
    row = page.locator("table.themes tbody tr").nth(2)
    expect(row).to_contain_text("</script><script>document.title=")
    assert page.locator("img, table b, iframe, object").count() == 0
    assert "\u202e" not in page.locator("body").inner_text()
    assert page.evaluate("[...document.querySelectorAll('script')].length") == 2


def test_what_the_policy_does_not_name_does_not_run(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text))
    page.goto(address)
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
            const image = document.createElement('img');
            image.src = 'https://example.com/x.png';
            document.body.append(image);
        }"""
    )
    page.wait_for_timeout(200)
    assert page.title() != "taken"
    assert sum("Content Security Policy" in text for text in refused) >= 2
    context.close()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]
)
def test_no_barrier_and_no_overflow_in_light_and_dark_wide_and_narrow(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page = Opened(context.new_page(), address).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(n) for n in background[4:-1].split(",")) < 200) == (scheme == "dark")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(axe_script())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    said = [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
    ]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_without_script_every_theme_can_still_be_read(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("table.themes tbody tr").count() == 5
    expect(page.locator("noscript")).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    page.locator("details.theme summary").first.click()
    expect(page.locator("#T1")).to_be_visible()
    context.close()


def test_the_page_is_one_file(address: str) -> None:
    folder = Path(address.removeprefix("file://")).parent
    assert [path.name for path in folder.iterdir()] == ["report.html"]
