"""A webhook receiver on a real socket: answers as it is told, and checks signatures as a stranger would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Message:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self) -> Any:
        return Webhook(SECRET).verify(self.body, self.headers)


@dataclass
class WebhookReceiver:
    """`answers` are given in turn, then 204 for ever."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[Message] = field(default_factory=list)
    before_answering: Callable[[], object] = lambda: None

    def will_answer(self, *statuses: int, **headers: str) -> None:
        self.answers += [
            (status, {name.replace("_", "-"): text for name, text in headers.items()}) for status in statuses
        ]

    @property
    def accepted_ids(self) -> set[str]:
        return {message.id for message in self.got}


@contextmanager
def receiving() -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(Message({name.lower(): text for name, text in self.headers.items()}, body))
            receiver.before_answering()
            status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/alerts"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def told(message: Message) -> Any:
    return json.loads(message.body)["data"]
