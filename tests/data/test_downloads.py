"""A source delivers the very bytes that are meant, or is refused in one line that names it and says why.

The server and the files are real. The description is a test's own and names no other source, so that the outcome does
not depend on what this machine's network reaches.
"""

import gzip
import hashlib
import io
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from convae.data.description import Description
from convae.data.downloads import fetch
from convae.errors import ConvaeError

RAW = {"images": bytes(range(256)) * 40, "labels": b"0123456789"}
GZIPPED = {f"{name}.gz": gzip.compress(content, 1) for name, content in RAW.items()}
FIRST = "images.gz"  # what is asked for first
DEAD = "http://127.0.0.1:9"  # nobody listens there
HTML = b"<!DOCTYPE html><title>Sign in</title>"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def described(files: dict[str, bytes] = RAW, **values: Any) -> Description:
    listed = {name: {"size": len(content), "sha256": sha256(content)} for name, content in files.items()}
    images, *labels = files
    split = {"count": 1, "images": [images], "labels": labels}
    content = {"format": "idx", "shape": [1, 8, 8], "classes": ["a"], "mirrors": [], "train": split, "test": split}
    return Description(**{**content, "files": listed, **values})


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path[1:]
        self.server.requests.append(name)
        with suppress(ConnectionError):  # a client that has seen enough leaves
            self.server.answers.get(name, intact)(self, self.server.files.get(name))

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves `files`; `answers` says for which of them it does something else, and `requests` what it was asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.files = files
        self.answers: dict[str, Callable[[Handler, bytes], None]] = {}
        self.requests: list[str] = []


def reply(handler: Handler, body: bytes, length: int | None = None, code: int = 200, **headers: str) -> None:
    handler.send_response(code)
    for name, value in {**headers, **({"Content-Length": str(length)} if length is not None else {})}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def intact(handler: Handler, body: bytes | None) -> None:
    if body is None:
        handler.send_error(404)
    else:
        reply(handler, body, len(body))


def instead(body: bytes) -> Callable[[Handler, bytes], None]:
    return lambda handler, _: intact(handler, body)


def status(code: int) -> Callable[[Handler, bytes], None]:
    return lambda handler, _: handler.send_error(code)


def redirect(location: str) -> Callable[[Handler, bytes], None]:
    return lambda handler, _: reply(handler, b"", 0, 302, Location=location)


def cut_off(handler: Handler, body: bytes) -> None:
    reply(handler, body[:100], len(body))


def without_an_answer(handler: Handler, body: bytes) -> None:
    handler.rfile.read(1)  # until the client leaves


def without_an_end(handler: Handler, body: bytes) -> None:
    reply(handler, b"")
    for _ in range(1 << 10):
        handler.wfile.write(bytes(1 << 20))


def drip(handler: Handler, body: bytes) -> None:
    reply(handler, b"", len(body))
    for byte in body[:60]:
        handler.wfile.write(bytes([byte]))
        Event().wait(0.1)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    with Server(files) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mirror() -> Iterator[Server]:
    """A server that has the files, gzipped as at the public mirrors."""
    with serving(GZIPPED) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_other_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", DEAD)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("CONVAE_DOWNLOAD_SECONDS", raising=False)
    monkeypatch.delenv("CONVAE_MIRROR", raising=False)


def contents(description: Description) -> dict[str, bytes]:
    return {name: bytes(content) for name, content in fetch(Path("Mine.yaml"), description).items()}


@pytest.fixture
def fetch_from(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, bytes]]:
    def fetch_from(source: object, description: Description | None = None) -> dict[str, bytes]:
        monkeypatch.setenv("CONVAE_MIRROR", str(source))
        return contents(description or described())

    return fetch_from


@pytest.fixture
def refusal(fetch_from: Callable[..., dict[str, bytes]]) -> Callable[..., str]:
    """What `fetch` says against a source."""

    def refusal(source: object, description: Description | None = None) -> str:
        with pytest.raises(ConvaeError) as caught:
            fetch_from(source, description)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert message.startswith("Mine.yaml: no source has all ")
        assert message.endswith("set CONVAE_MIRROR to a folder or address that holds the files")
        return message

    return refusal


@pytest.mark.parametrize("files", [GZIPPED, RAW, {FIRST: GZIPPED[FIRST], "labels": RAW["labels"]}])
@pytest.mark.parametrize("kind", ["http address", "file address", "folder", "folder in the home folder"])
def test_a_mirror_is_an_address_or_a_folder_with_files_raw_or_gzipped(kind, files, tmp_path, monkeypatch, fetch_from):
    if kind == "http address":
        with serving(files) as server:
            assert fetch_from(server.address) == RAW
        return
    folder = tmp_path / "with a space"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch_from({"file address": folder.as_uri(), "folder": folder}.get(kind, f"~/{folder.name}/")) == RAW


ANSWERS = {
    "404": (status(404), "has no file images", 1),
    "500": (status(500), "the server answered 500", 3),
    "no answer": (without_an_answer, "no connection, or no answer in time", 3),
    "a part": (cut_off, "the connection ended before the file did", 1),
    "half an archive": (instead(GZIPPED[FIRST][:50]), "is truncated or damaged", 1),
    "a wrong checksum": (instead(GZIPPED[FIRST][:-8] + bytes(8)), "is truncated or damaged", 1),
    "other bytes": (instead(b"other"), f"images has SHA-256 {sha256(b'other')}, not {sha256(RAW['images'])}", 1),
    "an HTML page": (instead(HTML), f"{sha256(HTML)}, an HTML page, not", 1),
    "a redirect in circles": (redirect(f"/{FIRST}"), "TooManyRedirects: Exceeded 30 redirects", 31),
    "a redirect to nonsense": (redirect("http://["), "Invalid IPv6 URL", 1),
    "a gzip bomb": (instead(gzip.compress(bytes(1 << 24), 9)), "the server sends more than the file that is meant", 1),
    "no end": (without_an_end, "the server sends more than the file that is meant", 1),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_server_is_refused_that_answers_with(answer, mirror, refusal, monkeypatch):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", "0.3" if answer == "no answer" else "20")
    mirror.answers[FIRST], why, tries = ANSWERS[answer]
    message = refusal(mirror.address)
    assert f"({mirror.address}: " in message
    assert why in message
    assert mirror.requests.count(FIRST) == tries


def test_a_complete_download_is_not_repeated_unless_it_is_damaged(mirror: Server, tmp_path: Path) -> None:
    description = described(mirrors=[f"{mirror.address}/"])
    mirror.answers["labels.gz"] = mirror.answers["labels"] = lambda handler, body: handler.send_error(404)
    with pytest.raises(ConvaeError):
        fetch(Path("set.yaml"), description, tmp_path)
    mirror.answers.clear()
    mirror.requests.clear()
    for asked in (["labels.gz"], [], [FIRST]):
        files = fetch(Path("set.yaml"), description, tmp_path)
        assert {name: bytes(content) for name, content in files.items()} == RAW
        assert mirror.requests == asked
        mirror.requests.clear()
        if not asked:
            (tmp_path / sha256(RAW["images"])).write_bytes(b"damaged")


def test_a_failure_that_passes_is_no_failure(mirror, fetch_from, capsys):
    def at_first_busy(handler: Handler, body: bytes) -> None:
        mirror.answers.clear()
        reply(handler, b"", 0, 503, Retry_After="3600")

    mirror.answers[FIRST] = at_first_busy
    assert fetch_from(mirror.address) == RAW
    assert mirror.requests == [FIRST, FIRST, "labels.gz"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (DEAD, "no connection, or no answer in time"),
        ("http://[", "Invalid"),
        ("/no/such/folder", "has no file /no/such/folder/images"),
        ("file:///%00", "embedded null"),
        (__file__, "cannot be read (Not a directory)"),
    ],
)
def test_a_source_is_refused_that_is_not_there(source, why, refusal):
    assert why in refusal(source)


def test_a_huge_file_is_not_read(tmp_path, refusal):
    with open(tmp_path / FIRST, "wb") as file:
        file.truncate(1 << 40)
    assert "is larger than the file that is meant" in refusal(tmp_path)


def test_a_full_disk_is_no_fault_of_a_source(tmp_path, fetch_from):
    for name, content in RAW.items():
        (tmp_path / name).write_bytes(content)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(RAW["images"]) // 2, limits[1]))
    try:
        with pytest.raises(ConvaeError, match=r"^\.convae: cannot hold temporary files \(File too large\); make room"):
            fetch_from(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_slow_server_is_left_when_its_time_is_up(mirror, monkeypatch, refusal):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", "1")
    mirror.answers[FIRST] = drip
    started = time.monotonic()
    assert "not complete after 1 s" in refusal(mirror.address)
    assert time.monotonic() - started < 4
    assert mirror.requests == [FIRST]


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-1", "nan", "inf"])
def test_a_time_limit_must_be_a_number_above_0(seconds, mirror, monkeypatch, fetch_from):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", seconds)
    with pytest.raises(ConvaeError, match=f"CONVAE_DOWNLOAD_SECONDS: got '{seconds}'; want a number of seconds above"):
        fetch_from(mirror.address)
    assert not mirror.requests


def test_the_next_source_gives_what_the_first_did_not_and_all_that_failed_are_named(
    mirror, fetch_from, refusal, capsys
):
    mirror.answers["labels.gz"] = instead(b"other bytes")
    with serving(GZIPPED) as second:
        description = described(mirrors=[f"{second.address}/"])
        assert fetch_from(mirror.address, description) == RAW
        assert second.requests == ["labels.gz"]
        assert capsys.readouterr().err.startswith(f"download: {mirror.address}: labels has SHA-256 ")
        second.files = {}
        message = refusal(mirror.address, description)
    assert f"({mirror.address}: labels has SHA-256 " in message
    assert f"; {second.address}/: has no file labels)" in message


def test_a_password_in_an_address_is_used_but_not_printed(mirror, refusal, capsys):
    def protected(handler: Handler, body: bytes) -> None:
        handler.send_error(403 if handler.headers["Authorization"] == "Basic bWU6c2VjcmV0" else 401)

    mirror.answers[FIRST] = protected
    message = refusal(mirror.address.replace("//", "//me:secret@"))
    assert f"({mirror.address}: {FIRST}: the server answered 403" in message
    message += refusal("http://me:secret@127.0.0.1:99999/")
    assert "secret" not in message + capsys.readouterr().err


WHEEL = io.BytesIO()
with zipfile.ZipFile(WHEEL, "w") as _file:
    for _name, _content in RAW.items():
        _file.writestr(f"mine/{_name}.bin", _content)
PACKAGE = {"project": "mine", "file": "mine-1.whl", "size": len(WHEEL.getvalue()), "sha256": sha256(WHEEL.getvalue())}
PACKAGE |= {"members": {name: f"mine/{name}.bin" for name in RAW}}
LINK = b'<a href="/mine-1.whl">mine-1.whl</a>'


def test_a_package_index_is_a_source_too(monkeypatch):
    with serving({"simple/mine/": LINK, "mine-1.whl": WHEEL.getvalue()}) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/simple")
        assert contents(described(package=PACKAGE)) == RAW
        assert index.requests == ["simple/mine/", "mine-1.whl"]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (None, "cannot be listed (NoSuchProjectError"),
        (b'<a href="/other.whl">other.whl</a>', "has no file mine-1.whl"),
        (b'<meta name="pypi:repository-version" content="9.0">', "cannot be listed (UnsupportedRepoVersionError"),
        (LINK, f"mine-1.whl has SHA-256 {sha256(b'other bytes')}, not {PACKAGE['sha256']}"),
    ],
    ids=["no project", "no wheel", "a later protocol", "another wheel"],
)
def test_a_package_index_is_refused_that_has(page, why, monkeypatch):
    files = {"mine-1.whl": b"other bytes", **({"simple/mine/": page} if page else {})}
    with serving(files) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/simple")
        with pytest.raises(ConvaeError) as caught:
            fetch(Path("Mine.yaml"), described(package=PACKAGE))
    assert f"(package mine of the Python package index: {why}" in str(caught.value)


def test_where_the_archive_is_described_nothing_else_will_do_even_if_the_server_calls_gzip_an_encoding(
    mirror, fetch_from, refusal
):
    def encoded(handler: Handler, body: bytes) -> None:
        body = gzip.compress(body) if "gzip" in handler.headers["Accept-Encoding"] else body
        reply(handler, body, Content_Encoding="gzip")

    mirror.answers[FIRST] = encoded
    assert fetch_from(mirror.address, described(GZIPPED)) == GZIPPED
    for other in (gzip.compress(RAW["images"], 9), RAW["images"][:50]):
        mirror.answers[FIRST] = instead(other)
        message = refusal(mirror.address, described(GZIPPED))
        assert f"{FIRST} has SHA-256 {sha256(other)}, not {sha256(GZIPPED[FIRST])}" in message
