"""The report page: one self-contained HTML file, readable offline, on a phone, in the dark.

``content`` says what is on it, ``layout`` where each report lies on its map, ``rendering`` makes
the HTML. No I/O: whoever calls loads the facts and keeps the file.
"""

from triage.page.content import Page, Standing, make_page
from triage.page.layout import lay_out, spread_copies
from triage.page.points import Places, choose_points, name_rows
from triage.page.rendering import content_policy, render_page
from triage.page.themes import ThemeFacts

__all__ = [
    "Page",
    "Places",
    "Standing",
    "ThemeFacts",
    "choose_points",
    "content_policy",
    "lay_out",
    "make_page",
    "name_rows",
    "render_page",
    "spread_copies",
]
