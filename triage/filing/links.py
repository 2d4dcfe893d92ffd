"""Addresses from reports as links that lead where they say and leave no trace elsewhere."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from triage.filing.markdown import code_span, safe_prose

# GitHub notes "mentioned this issue" on the page that is linked to; through this host it does
# not (documented by GitHub under "Avoiding backlinks to linked references").
_QUIET_HOST = "redirect.github.com"
_GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
# An owner, a repository, then one of these: the shape of a page that notes who links to it.
# GitLab writes /-/issues/ and is another tracker, which takes no notice.
_TRACKER_PATH = re.compile(
    r"/[^/]+/(?!-/)[^/]+/+(?:issues|pulls?|discussions|commits?)(?:/|$)", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_MAX_URL_CHARS = 1000


def safe_link(label: str, url: str) -> str:
    """A link for an http or https address, else the address as code.

    github.com is linked through the host that leaves no cross-reference. Any other host whose
    path looks like a tracker's may be a GitHub Enterprise that has no such host: its address
    is shown as code. So is one with user information, which can pretend to be another host.
    """
    target = _safe_target(url.strip())
    if target is None:
        return code_span(url)
    return f"[{safe_prose(label, 200) or 'link'}]({target})"


def _safe_target(url: str) -> str | None:
    if len(url) > _MAX_URL_CHARS or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host is None or not _HOST.fullmatch(host):
        return None
    if "@" in parts.netloc or "\\" in url:
        return None
    if _TRACKER_PATH.search(_read_path(f"{parts.query}/{parts.fragment}")):
        return None  # another page's address, carried along for a redirect
    if host in _GITHUB_HOSTS:
        host, port = _QUIET_HOST, None
    elif host != _QUIET_HOST and _TRACKER_PATH.search(_read_path(parts.path)):
        return None
    return _written(parts, host if port is None else f"{host}:{port}")


def _read_path(path: str) -> str:
    """The path as a server or browser may read it: decoded, without empty segments."""
    return re.sub(r"/+", "/", unquote(unquote(path)).replace("\\", "/"))


def _written(parts: SplitResult, netloc: str) -> str:
    """The address with every character encoded that Markdown, a table or HTML could read."""
    path = quote(parts.path, safe="/%:+,;=~-._", errors="replace")
    query = quote(parts.query, safe="/%:+,;=~-._&?", errors="replace").replace("&", "&amp;")
    fragment = quote(parts.fragment, safe="/%:+,;=~-._", errors="replace")
    return (
        f"{parts.scheme}://{netloc}{path}"
        + (f"?{query}" if query else "")
        + (f"#{fragment}" if fragment else "")
    )
