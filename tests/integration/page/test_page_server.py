"""What serves the page beside the Prefect UI: one file, strict headers, this machine's names."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests
from fastapi.testclient import TestClient

from tests.ports import free_port
from triage.page import content_policy
from triage.pageserver import ServedPage, is_local, make_page_server
from triage.ports import PortError


def client(path: Path, host: str = "127.0.0.1") -> TestClient:
    """A browser that asks for the page by the machine's own name."""
    return TestClient(make_page_server(path, content_policy(), host), base_url="http://localhost")


def test_the_page_comes_as_it_is_now_under_the_strictest_headers(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("<p>one</p>")
    asked = client(path)
    answer = asked.get("/")
    assert answer.text == "<p>one</p>"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    path.write_text("<p>two</p>")
    assert asked.get("/").text == "<p>two</p>"
    assert asked.head("/").status_code == 200


def test_nothing_else_is_served(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("page")
    (tmp_path / "hash.key").write_text("secret")
    asked = client(path)
    for address in ("/hash.key", "/../hash.key", "/index.html", "/docs", "/openapi.json"):
        assert asked.get(address).status_code == 404
    assert asked.post("/").status_code == 405


def test_before_it_is_written_it_says_who_writes_it(tmp_path: Path) -> None:
    answer = client(tmp_path / "none.html").get("/")
    assert answer.status_code == 503
    assert "write_report" in answer.text


def test_a_foreign_name_that_points_here_reads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("page")
    foreign = {"host": "evil.example:4201"}
    assert client(path).get("/", headers=foreign).status_code == 421
    assert client(path, "0.0.0.0").get("/", headers=foreign).status_code == 200
    for name in ("localhost:4201", "127.0.0.1:4201", "[::1]:4201"):
        assert client(path).get("/", headers={"host": name}).status_code == 200


def test_which_addresses_only_this_machine_reaches() -> None:
    assert is_local("localhost")
    assert is_local("127.0.0.1")
    assert is_local("::1")
    assert not is_local("0.0.0.0")
    assert not is_local("triage.example")


def test_it_answers_from_start_to_stop_and_says_when_its_port_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("page")
    port = free_port()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        probe.listen()
        with pytest.raises(PortError, match="--page-port"):
            ServedPage(make_page_server(path, "", "127.0.0.1"), "127.0.0.1", port)
    served = ServedPage(
        make_page_server(path, "default-src 'none'", "127.0.0.1"), "127.0.0.1", port
    )
    served.start()
    assert requests.get(served.url, timeout=60).text == "page"
    served.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(served.url, timeout=5)
