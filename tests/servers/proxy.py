"""A proxy in front of a real server: it counts requests, adds latency, and fails where a test wants it to."""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection"}


class Request(NamedTuple):
    """One request that came in.

    Attributes:
        method: GET, PUT, …
        path: decoded, with the bucket.
        query: its parameters.
        range: the header, or None.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    range: str | None


@dataclass
class Fault:
    """What happens instead of the server's answer, so many times."""

    act: Callable[[BaseHTTPRequestHandler], None]
    times: float = 1


@dataclass
class Proxy:
    """A server on a free port of this machine that hands everything on to another one.

    Attributes:
        upstream: host and port of the real server.
        requests: what came in, in order.
        latency: seconds before each answer.
        faults: what goes wrong, by the end of the path; "" for all paths.
    """

    upstream: tuple[str, int]
    requests: list[Request] = field(default_factory=list)
    latency: float = 0.0
    faults: dict[str, Fault] = field(default_factory=dict)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._busy = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Forget what came in, and let nothing go wrong."""
        self.requests.clear()
        self.faults.clear()
        self.latency, self.most_at_once = 0.0, 0

    def reads(self, bucket: str) -> Counter[str]:
        """How often each object of a bucket was read, by key; listings are none."""
        inside = [r for r in self.requests if r.method == "GET" and f"/{bucket}/" in r.path]
        return Counter(r.path.split(f"/{bucket}/", 1)[1] for r in inside if "comp" not in r.query)

    def listings(self) -> list[Request]:
        """The requests that listed something."""
        return [r for r in self.requests if "list-type" in r.query or "list" in r.query.get("comp", [])]

    def answer(self, key: str, status: int, code: str = "", times: float = 1) -> None:
        """Answer with an error, with a body as S3 and Azure give."""
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

        def act(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.faults[key] = Fault(act, times)

    def stall(self, key: str, seconds: float, times: float = 1) -> None:
        """Say nothing for a while, then hang up."""

        def act(handler: BaseHTTPRequestHandler) -> None:
            time.sleep(seconds)
            _hang_up(handler)

        self.faults[key] = Fault(act, times)

    def break_off(self, key: str, promised: int, times: float = 1) -> None:
        """Promise so many bytes, send half of them, and hang up."""

        def act(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(promised))
            handler.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            handler.send_header("ETag", '"x"')
            handler.end_headers()
            handler.wfile.write(b"x" * (promised // 2))
            handler.wfile.flush()
            _hang_up(handler)

        self.faults[key] = Fault(act, times)

    def _begin(self, handler: BaseHTTPRequestHandler) -> Fault | None:
        parts = urlsplit(handler.path)
        request = Request(
            handler.command, unquote(parts.path), parse_qs(parts.query, keep_blank_values=True),
            handler.headers.get("Range") or handler.headers.get("x-ms-range"),
        )  # fmt: skip
        with self._lock:
            self.requests.append(request)
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
            for end, fault in self.faults.items():
                if request.path.endswith(end) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _end(self) -> None:
        with self._lock:
            self._busy -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    upstream: http.client.HTTPConnection | None = None  # one per connection of a client, and so per thread

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy._begin(self)
        try:
            if self.proxy.latency:
                time.sleep(self.proxy.latency)
            self.hand_on(body) if fault is None else fault.act(self)
        finally:
            self.proxy._end()

    def hand_on(self, body: bytes) -> None:
        headers = {name.title(): value for name, value in self.headers.items() if name.lower() not in _HOP}
        for fresh in (False, True):
            if fresh or self.upstream is None:
                self.let_go()
                self.upstream = http.client.HTTPConnection(*self.proxy.upstream, timeout=60)
            try:
                self.upstream.request(self.command, self.path, body=body or None, headers=headers)
                answer = self.upstream.getresponse()
                data = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                if fresh:
                    raise
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {*_HOP, "content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(data)

    def let_go(self) -> None:
        if self.upstream is not None:
            self.upstream.close()

    def finish(self) -> None:
        self.let_go()
        super().finish()


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.handle_any)
