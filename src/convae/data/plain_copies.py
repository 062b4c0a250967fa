"""Take the metadata out of image files in which Pillow stumbles over them: the pixels are sound all the same."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
# What the pixels depend on. Beside these, EXIF has the orientation.
PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
JPEG = b"\xff\xd8"
START_OF_SCAN = 0xDA
# JFIF and Adobe's marker decide on the colours, and EXIF has the orientation; comments and other APPn do not matter.
JPEG_METADATA = {*range(0xE0, 0xF0), 0xFE} - {0xE0, 0xE1, 0xEE}


def without_metadata(content: bytes) -> bytes | None:
    """Copy an image file without the metadata that the pixels do not depend on.

    Returns
    -------
    bytes or None
        None if it is not a PNG or JPEG file, or cannot be read up to its pixels.
    """
    try:
        if content.startswith(PNG):
            return _plain_png(content)
        if content.startswith(JPEG):
            return _plain_jpeg(content)
    except (struct.error, IndexError):
        pass
    return None


def check_sums(png: bytes) -> None:
    """Refuse a PNG file that is cut off or has a chunk with a wrong check sum.

    Raises
    ------
    ValueError
        If it is one.
    """
    at, kind = len(PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", png, at) if len(png) >= at + 12 else (0, b"")
        end = at + 8 + length
        if not kind or len(png) < end + 4:
            raise ValueError("it is cut off")
        if zlib.crc32(png[at + 4 : end]) != int.from_bytes(png[end : end + 4]):
            raise ValueError(f"wrong check sum of {kind!r}")
        at = end + 4


def _plain_png(content: bytes) -> bytes:
    parts, at, kind = [PNG], len(PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        chunk = content[at : at + 12 + length]
        if kind in PNG_CHUNKS or (kind == b"eXIf" and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])):
            parts.append(chunk)
        at += 12 + length
    return b"".join(parts)


def _plain_jpeg(content: bytes) -> bytes | None:
    parts, at = [JPEG], len(JPEG)
    while True:
        while content[at] == content[at + 1] == 0xFF:  # padding
            at += 1
        if content[at] != 0xFF:
            return None
        marker, length = struct.unpack_from(">xBH", content, at)
        if marker == START_OF_SCAN:
            return b"".join([*parts, content[at:]])
        if marker not in JPEG_METADATA:
            parts.append(content[at : at + 2 + length])
        at += 2 + length
