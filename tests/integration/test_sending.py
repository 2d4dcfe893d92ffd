"""Messages to a local webhook and a local mail server, over real connections."""

from __future__ import annotations

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from triage.sending import SendingError, send_message


class Webhook(BaseHTTPRequestHandler):
    """Keeps what was posted; the path says what is answered."""

    received: list[object]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).received.append(json.loads(body))
        self.send_response(int(self.path.rsplit("/", 1)[-1]))
        self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Mail(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as takes one message."""

    received: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part.decode())
                type(self).received.append("".join(lines))
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")


@pytest.fixture
def webhook() -> Iterator[str]:
    Webhook.received = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def mail_port() -> Iterator[int]:
    Mail.received = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def test_a_webhook_gets_slacks_json_and_nobody_is_called(webhook: str) -> None:
    send_message(SecretStr(f"{webhook}/secret/200"), "A week", "<!channel> & <b>\n- T1")
    [sent] = Webhook.received
    assert isinstance(sent, dict)
    assert sent["text"] == "*A week*\n&lt;!channel&gt; &amp; &lt;b&gt;\n- T1"
    assert sent["unfurl_links"] is False


def test_mail_arrives_through_the_library(mail_port: int) -> None:
    target = f"mailto://127.0.0.1:{mail_port}?from=triage@fennwick.example&to=mira@fennwick.example"
    send_message(SecretStr(target + "&mode=insecure&format=text"), "A week", "- T1 parcels")
    [sent] = Mail.received
    assert "Subject: A week" in sent
    assert "mira@fennwick.example" in sent


@pytest.mark.parametrize(
    "address",
    [
        "WEBHOOK/secret/500",
        "WEBHOOK/secret/302",
        "http://127.0.0.1:9/secret",
        "http://chat.fennwick.example/secret",
        "nosuchscheme://secret",
        "mailto://127.0.0.1:9?from=a@b.example&to=secret@b.example&mode=insecure",
    ],
)
def test_whatever_fails_is_an_error_that_does_not_tell_the_address(
    address: str, webhook: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(SendingError) as caught:
        send_message(SecretStr(address.replace("WEBHOOK", webhook)), "A week", "text")
    told = str(caught.value) + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("apprise")
    )
    captured = capfd.readouterr()
    assert "secret" not in told + captured.out + captured.err
    assert caught.value.__cause__ is None
