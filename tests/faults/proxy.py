"""A wire that can be cut: TCP between a process and PostgreSQL, severed at a moment that a test names."""

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Self

CHUNK = 65_536
COMMITTED = b"INSERT 0 "  # PostgreSQL sends what it says of a statement once the statement is committed


class Wire:
    """Listens on a port of loopback and passes bytes on to another, both ways."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._cut: Callable[[bytes, bool], bool] = lambda _bytes, _answer: False
        self.was_cut = threading.Event()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._open.close()

    def cut_after_the_commit(self) -> None:
        """The database has carried the next insert out; its answer never arrives."""
        self._arm(lambda passed, is_answer: is_answer and COMMITTED in passed)

    def cut_before(self, sign: bytes) -> None:
        """What carries these bytes never arrives at the database."""
        self._arm(lambda passed, is_answer: not is_answer and sign in passed)

    def _arm(self, cut: Callable[[bytes, bool], bool]) -> None:
        self.was_cut.clear()
        self._cut = cut

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for each in (near, far):
                    self._open.callback(each.close)
                for source, sink, is_answer in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pass_on, args=(source, sink, is_answer), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):  # the other direction has closed both
            while passed := source.recv(CHUNK):
                if self._cut(passed, is_answer):
                    self._cut = lambda _bytes, _answer: False
                    self.was_cut.set()
                    break
                sink.sendall(passed)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
