"""A load of prepared requests over keep-alive connections: `python -m bench.load PORT FILE CONNECTIONS`.

FILE holds one whole HTTP request after another, each behind its length; each is sent once, by whichever connection is
free. Prints rate, percentiles and the number of answers that were not 2xx, as JSON. Runs as a process of its own, so
that it costs the servers nothing but its share of the machine, the same for every case.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvloop

from bench.harness import percentile


def request(path: str, body: str, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    content = body.encode()
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def write(file: Path, requests: Sequence[bytes]) -> None:
    file.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in requests))


def read(file: Path) -> list[bytes]:
    data, at, found = file.read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    await reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
    return int(head[9:12])


async def _client(port: int, waiting: Iterator[bytes], took: list[float], bad: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for each in waiting:
        begun = time.perf_counter()
        writer.write(each)
        status = await _answer(reader)
        took.append(time.perf_counter() - begun)
        if status >= 300:
            bad.append(status)
    writer.close()


async def run(port: int, requests: Sequence[bytes], connections: int) -> dict[str, float]:
    took: list[float] = []
    bad: list[int] = []
    waiting = iter(requests)
    begun = time.perf_counter()
    await asyncio.gather(*(_client(port, waiting, took, bad) for _ in range(connections)))
    rate = len(requests) / (time.perf_counter() - begun)
    return {"rate": rate, "p50_ms": percentile(took, 50) * 1e3, "p99_ms": percentile(took, 99) * 1e3, "bad": len(bad)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(run(int(sys.argv[1]), read(Path(sys.argv[2])), int(sys.argv[3])))))
