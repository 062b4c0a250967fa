"""An image file becomes the pixels that it shows, of one size and colour, or is refused with a reason of one line."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from tifffile import imwrite

from convae.data.contents import FolderFiles, header
from convae.data.image_files import ANIMATION, CROPPED, DARK_COLOURS, PROFILE, decode
from convae.data.image_formats import UnusableImageError, decoder
from convae.network.preparation import Preparation

WHITE = (255, 255, 255)
BLUE = (0, 0, 255)
SIDE = 8
CHANNELS = {"grey": 1, "rgb": 3}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def filled(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (SIDE, SIDE), colour)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour_type: int, row: bytes, transparent: bytes = b"") -> bytes:
    """Build a PNG file of equal rows, from its specification alone."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    extra = chunk(b"tRNS", transparent) if transparent else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + extra
        + chunk(b"IDAT", zlib.compress((b"\0" + row) * height))
        + chunk(b"IEND", b"")
    )


def tiff(bits: int, values: bytes, interpretation: int = 1, number_format: int = 1) -> bytes:
    """Build an uncompressed grey TIFF file of 8 x 8 pixels, from its specification alone."""
    tags = [(256, SIDE), (257, SIDE), (258, bits), (259, 1), (262, interpretation), (273, 0), (277, 1), (278, SIDE)]
    tags += [(279, len(values)), (339, number_format)]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + values


def pixels(
    content: bytes, size: tuple[int, int] = (SIDE, SIDE), colour: str = "rgb", background=WHITE, **preparation: object
) -> np.ndarray:
    shape = CHANNELS[colour], *size
    return decode(content, shape, Preparation(background=background, **preparation)).pixels


def only_colour(content: bytes, background=WHITE, colour: str = "rgb") -> tuple[int, ...]:
    found = pixels(content, background=background, colour=colour)
    assert (found == found[:, :1, :1]).all()
    return tuple(found[:, 0, 0].tolist())


def notes(content: bytes, size: tuple[int, int] = (SIDE, SIDE)) -> list[str]:
    return decode(content, (3, *size), Preparation()).notes


def reason(content: bytes, size: tuple[int, int] = (SIDE, SIDE), **preparation: object) -> str:
    with pytest.raises(UnusableImageError) as caught:
        decode(content, (3, *size), Preparation(**preparation))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 200
    return message


PHOTO = Image.fromarray(noise(32, 32))
LOSSLESS = {
    "PNG": ("PNG", {}),
    "lossless WebP": ("WEBP", {"lossless": True}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "LZW TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "deflated TIFF": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "PPM": ("PPM", {}),
    "JPEG 2000": ("JPEG2000", {}),
    "TGA": ("TGA", {}),
    "ICO": ("ICO", {"sizes": [(32, 32)]}),
}
LOSSY = {
    "JPEG": ("JPEG", {"quality": 95}),
    "progressive JPEG": ("JPEG", {"quality": 95, "progressive": True}),
    "WebP": ("WEBP", {"quality": 95}),
    "JPEG in TIFF": ("TIFF", {"compression": "jpeg", "quality": 95}),
    "lossy JPEG 2000": ("JPEG2000", {"irreversible": True, "quality_mode": "dB", "quality_layers": [50]}),
    "AVIF": ("AVIF", {"quality": 95}),
    "GIF": ("GIF", {}),
}
FILES = {name: saved(PHOTO, kind, **options) for name, (kind, options) in {**LOSSLESS, **LOSSY}.items()}


@pytest.mark.parametrize("name", LOSSLESS)
def test_the_pixels_of_a_file_without_loss_are_its_own(name):
    found = pixels(FILES[name], (32, 32))
    assert found.dtype == np.uint8
    assert np.array_equal(found, noise(32, 32).transpose(2, 0, 1))


@pytest.mark.parametrize("name", LOSSY)
def test_the_pixels_of_a_file_with_loss_are_about_its_own(name):
    kind, options = LOSSY[name]
    smooth = np.linspace(0, 255, 32).astype(np.uint8).repeat(32).reshape(32, 32)
    found = pixels(saved(Image.fromarray(smooth).convert("RGB"), kind, **options), (32, 32))
    assert abs(found.astype(int) - smooth).max() <= 6


def test_the_decoder_tells_versions_that_are_there():
    versions = decoder()
    assert set(versions) == {"pillow", "libjpeg_turbo", "zlib", "webp", "libtiff", "jpg_2000", "avif"}
    assert all(version[0].isdigit() for version in versions.values())


# EXIF's orientation says what the first row and the first column of the file are. This is how to put them right.
UPRIGHT = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: np.rot90(image),
}


@pytest.mark.parametrize("orientation", [*UPRIGHT, 0, 9])  # the last two mean nothing
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exifs_orientation_is_applied(kind, orientation):
    quadrants = np.array([[(250, 0, 0), (0, 250, 0)], [(0, 0, 250), (250, 250, 250)]], np.uint8)
    stored = quadrants.repeat(16, axis=0).repeat(24, axis=1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    content = saved(Image.fromarray(stored), kind, exif=exif, **options)
    upright = UPRIGHT.get(orientation, UPRIGHT[1])(stored)
    found = pixels(content, upright.shape[:2])
    assert abs(found.astype(int) - upright.transpose(2, 0, 1)).max() <= 3


def palette() -> Image.Image:
    image = filled("P", 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    return image


WIDE = (SIDE, SIDE)  # of the images that are built by hand
# Each has one colour, half or wholly transparent: the file, and what it is on white and on blue. Half is 128 / 255.
TRANSPARENT = {
    "RGBA PNG": (saved(filled("RGBA", (200, 100, 50, 128)), "PNG"), (227, 177, 152), (100, 50, 152)),
    "RGBA WebP": (saved(filled("RGBA", (200, 100, 50, 128)), "WEBP", lossless=True), (227, 177, 152), (100, 50, 152)),
    "RGBA TIFF": (saved(filled("RGBA", (200, 100, 50, 128)), "TIFF"), (227, 177, 152), (100, 50, 152)),
    "LA PNG": (saved(filled("LA", (100, 128)), "PNG"), (177, 177, 177), (50, 50, 177)),
    "palette, levels": (saved(palette(), "PNG", transparency=b"\xff\x80"), (227, 177, 152), (100, 50, 152)),
    "palette, one colour": (saved(palette(), "PNG", transparency=1), WHITE, BLUE),
    "palette, another colour": (saved(palette(), "PNG", transparency=0), (200, 100, 50), (200, 100, 50)),
    "GIF": (saved(palette(), "GIF", transparency=1), WHITE, BLUE),
    "RGB": (saved(filled("RGB", (1, 2, 3)), "PNG", transparency=(1, 2, 3)), WHITE, BLUE),
    "RGB, another colour": (saved(filled("RGB", (1, 2, 3)), "PNG", transparency=(1, 2, 4)), (1, 2, 3), (1, 2, 3)),
    "grey": (saved(filled("L", 5), "PNG", transparency=5), WHITE, BLUE),
    "grey, another level": (saved(filled("L", 5), "PNG", transparency=6), (5, 5, 5), (5, 5, 5)),
    "grey of 1 bit": (png(*WIDE, 1, 0, b"\xff", b"\0\1"), WHITE, BLUE),
    "grey of 2 bits": (png(*WIDE, 2, 0, b"\x55" * 2, b"\0\1"), WHITE, BLUE),
    "grey of 2 bits, another": (png(*WIDE, 2, 0, b"\x55" * 2, b"\0\2"), (85, 85, 85), (85, 85, 85)),
    "grey of 4 bits": (png(*WIDE, 4, 0, b"\x33" * 4, b"\0\3"), WHITE, BLUE),
    "grey of 16 bits": (png(*WIDE, 16, 0, b"\x12\x34" * 8, b"\x12\x34"), WHITE, BLUE),
    "grey of 16 bits, a close one": (png(*WIDE, 16, 0, b"\x12\x34" * 8, b"\x12\x35"), (18,) * 3, (18,) * 3),
    "LA of 16 bits": (png(*WIDE, 16, 4, struct.pack(">2H", 25_700, 32_896) * 8), (177, 177, 177), (50, 50, 177)),
    "RGBA of 16 bits": (
        png(*WIDE, 16, 6, struct.pack(">4H", 51_400, 25_700, 12_850, 32_896) * 8),
        (227, 177, 152),
        (100, 50, 152),
    ),
    "RGB of 16 bits": (png(*WIDE, 16, 2, b"\x12\x34\x56\x78\x9a\xbc" * 8, b"\x12\x34\x56\x78\x9a\xbc"), WHITE, BLUE),
    "RGB of 16 bits, another": (
        png(*WIDE, 16, 2, struct.pack(">3H", 25_700, 25_700, 25_700) * 8, struct.pack(">3H", 100, 100, 100)),
        (100, 100, 100),
        (100, 100, 100),
    ),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparency_lies_on_the_background(name):
    content, on_white, on_blue = TRANSPARENT[name]
    assert only_colour(content) == pytest.approx(on_white, abs=1)
    assert only_colour(content, BLUE) == pytest.approx(on_blue, abs=1)
    (grey,) = only_colour(content, BLUE, "grey")
    assert grey == pytest.approx(np.dot(on_blue, (0.299, 0.587, 0.114)), abs=1.5)


def test_what_is_not_transparent_is_not_changed_by_the_background():
    image = PHOTO.convert("RGBA")
    image.putalpha(255)
    image.paste((0, 0, 0, 0), (0, 0, 16, 32))
    found = pixels(saved(image, "PNG"), (32, 32), background=(1, 2, 3))
    assert np.array_equal(found[:, :, 16:], noise(32, 32).transpose(2, 0, 1)[:, :, 16:])
    assert (found[:, :, :16] == np.array([1, 2, 3]).reshape(3, 1, 1)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bits_are_scaled_to_the_nearest_of_8_and_not_clipped(kind, order):
    levels = np.linspace(0, 65_535, 1024).round().reshape(32, 32).astype(order)
    found = pixels(saved(Image.fromarray(levels), kind), (32, 32), "grey")[0]
    assert np.array_equal(found, np.rint(levels / 257))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_few_bits_of_grey_span_black_to_white(depth):
    most = b"\xff" * depth
    assert only_colour(png(*WIDE, depth, 0, most)) == WHITE
    assert only_colour(png(*WIDE, depth, 0, bytes(depth))) == (0, 0, 0)


@pytest.mark.parametrize(("bits", "interpretation"), [(1, 0), (1, 1), (8, 0), (8, 1), (12, 1), (16, 0), (16, 1)])
def test_a_grey_tiff_says_whether_its_highest_level_is_black_or_white(bits, interpretation):
    content = tiff(bits, b"\xff" * (SIDE * bits), interpretation)
    assert only_colour(content) == {0: (0, 0, 0), 1: WHITE}[interpretation]


def written(image: np.ndarray, **options: object) -> bytes:
    """Write a TIFF file without Pillow."""
    file = io.BytesIO()
    imwrite(file, image, **options)
    return file.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "layout", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_that_another_program_has_written_is_read_right_or_refused(order, layout, channels, planes, bits):
    highest = 2**bits - 1
    image = np.random.default_rng(0).integers(0, highest + 1, (channels, 20, 36)).astype(f"u{bits // 8}")
    image[3:] = highest  # opaque
    expected = image[:3] / highest * 255
    options = {"byteorder": order, **layout, "photometric": "rgb" if channels > 1 else "minisblack"}
    if channels > 1:
        options["planarconfig"] = planes
    if channels == 4:
        options["extrasamples"] = ["unassalpha"]
    content = written(np.moveaxis(image, 0, -1) if planes == "contig" and channels > 1 else image, **options)
    if planes == "separate" and channels > 1 and bits == 16:
        assert reason(content, (20, 36)).startswith("has separate planes of a kind that Pillow misreads")
    else:
        found = pixels(content, (20, 36), "rgb" if channels > 1 else "grey")
        assert abs(found - expected).max() <= 1  # Pillow takes the upper 8 bits of 16 in colour


def test_the_preview_that_begins_a_cameras_raw_file_is_refused():
    assert reason(written(noise(8, 8), subfiletype=1)).startswith("is a camera's raw file, or begins with a preview")


@pytest.mark.parametrize("magic", ["P1", "P2", "P3", "P4", "P5", "P6"])
@pytest.mark.parametrize("highest", [1, 255, 1023, 65_535])
def test_levels_of_netpbms_formats_are_scaled_from_their_highest(magic, highest):
    shape = (SIDE, SIDE, 3) if magic in ("P3", "P6") else (SIDE, SIDE)
    levels = np.random.default_rng(0).integers(0, highest + 1, shape)
    if magic in ("P1", "P4"):
        levels, highest = 1 - levels % 2, 1  # 1 is black
    header = f"{magic}\n# a comment\n{SIDE} {SIDE}\n" + (f"{highest}\n" if magic not in ("P1", "P4") else "")
    if magic in ("P1", "P2", "P3"):
        stored = (1 - levels if magic == "P1" else levels).ravel()
        data = " ".join(map(str, stored)).encode()
    elif magic == "P4":
        data = np.packbits(1 - levels, axis=1).tobytes()
    else:
        data = levels.astype(">u2" if highest > 255 else np.uint8).tobytes()
    found = pixels(header.encode() + data).transpose(1, 2, 0)
    assert abs(found - (levels / highest * 255).reshape(SIDE, SIDE, -1)).max() <= 1


def test_colours_of_jpeg_2000_that_pillow_wraps_around_are_refused():
    content = bytearray(saved(PHOTO, "JPEG2000"))
    depth = content.index(b"\xff\x4f\xff\x51") + 42
    for number in range(3):
        content[depth + 3 * number] = 9  # 10 bits
    assert reason(bytes(content), (32, 32)).startswith("has colours of more than 8 bits")


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_greys_of_jpeg_2000_are_scaled(bits):
    image = Image.fromarray(np.full((32, 32), 2**bits - 1, np.uint16 if bits > 8 else np.uint8))
    content = bytearray(saved(image, "JPEG2000"))
    assert only_colour(bytes(content)) == ((255,) * 3 if bits != 12 else (16,) * 3)  # Pillow writes all 16 bits


def test_a_palettes_colours_are_taken():
    assert only_colour(saved(palette(), "PNG")) == (200, 100, 50)
    assert only_colour(saved(palette(), "GIF")) == (200, 100, 50)
    assert only_colour(saved(palette(), "BMP")) == (200, 100, 50)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_one_bit_is_black_or_white(kind):
    bits = noise(16, 16, 1) > 127
    found = pixels(saved(Image.fromarray(bits), kind), (16, 16), "grey")
    assert np.array_equal(found[0], np.where(bits, 255, 0))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("ink", "seen"), [((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_inks_become_colours(kind, ink, seen):
    options = {"quality": 100} if kind == "JPEG" else {}
    assert only_colour(saved(filled("CMYK", ink), kind, **options)) == pytest.approx(seen, abs=2)


def test_grey_is_what_itu_r_601_says_of_colours():
    found = pixels(FILES["PNG"], (32, 32), "grey")
    assert found.shape == (1, 32, 32)
    assert abs(found[0] - noise(32, 32) @ np.array([0.299, 0.587, 0.114])).max() <= 1


def test_of_several_frames_the_first_is_taken_and_told():
    first, second = filled("RGB", (200, 0, 0)), filled("RGB", (0, 200, 0))
    for kind, options in {"GIF": {}, "WEBP": {"lossless": True}, "PNG": {}, "TIFF": {}}.items():
        content = saved(first, kind, save_all=True, append_images=[second], **options)
        assert pixels(content)[:, 0, 0].tolist() == [200, 0, 0]
        assert notes(content) == [ANIMATION]


def test_a_phones_second_view_of_a_photograph_is_no_animation():
    content = saved(PHOTO, "MPO", save_all=True, append_images=[PHOTO.rotate(90)], quality=95)
    assert notes(content) == []
    assert np.array_equal(pixels(content, (32, 32)), pixels(saved(PHOTO, "JPEG", quality=95), (32, 32)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_is_told_and_changes_no_pixel(kind):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content, without = saved(PHOTO, kind, icc_profile=profile), saved(PHOTO, kind)
    assert (notes(content), notes(without)) == ([PROFILE], [])
    assert np.array_equal(pixels(content, (32, 32)), pixels(without, (32, 32)))


def turned(tags: dict[int, tuple[int, int, bytes]]) -> bytes:
    """Build EXIF with an orientation of 6 and with other tags: types, counts and values."""
    entries = b"".join(
        struct.pack(">HHI4s", tag, *each) for tag, each in sorted({**tags, 0x0112: (3, 1, b"\0\6\0\0")}.items())
    )
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, len(tags) + 1) + entries + bytes(4)


def with_chunk(content: bytes, kind: bytes, data: bytes) -> bytes:
    """Put a chunk into a PNG file, behind its header."""
    return content[:33] + chunk(kind, data) + content[33:]


def with_segment(content: bytes, marker: int, data: bytes) -> bytes:
    """Put a segment into a JPEG file, at the beginning."""
    return content[:2] + struct.pack(">BBH", 255, marker, len(data) + 2) + data + content[2:]


ODD_EXIF = turned(
    {0x0100: (2, 4, b"abc\0"), 0x0132: (3, 1, b"\0\1\0\0"), 0x8769: (2, 4, b"xyz\0"), 0x8825: (4, 1, b"\xff" * 4)}
)
# Chunks of PNG files and segments of JPEG files in which Pillow stumbles.
ODD_CHUNKS = {
    "text over 1 MB": (b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000))),
    "profile over 1 MB": (b"iCCP", b"a\0\0" + zlib.compress(bytes(2_000_000))),
    "profile of an unknown compression": (b"iCCP", b"a\0\7abc"),
    "profile without a name": (b"iCCP", b"abc"),
    "gamma without a value": (b"gAMA", b""),
    "resolution without a value": (b"pHYs", b"1"),
    "EXIF that is none": (b"eXIf", b"abc"),
    "animation without frames": (b"acTL", b"abc"),
}
ODD_SEGMENTS = {
    "index of views that is none": (0xE2, b"MPF\0abc"),
    "index of views that ends early": (0xE2, b"MPF\0II*\0\x08\0\0\0\7"),
    "Photoshop's resources that end early": (0xED, b"Photoshop 3.0\x008BIM\4"),
    "profile that ends early": (0xE2, b"ICC_PROFILE\0"),
    "EXIF that is none": (0xE1, b"Exif\0\0abc"),
}
ODD = {
    **{f"PNG, {name}": with_chunk(FILES["PNG"], *each) for name, each in ODD_CHUNKS.items()},
    "PNG, wrong check sum of a text": with_chunk(FILES["PNG"], b"tEXt", b"a\0b")[:44] + b"1234" + FILES["PNG"][33:],
    **{f"JPEG, {name}": with_segment(FILES["JPEG"], *each) for name, each in ODD_SEGMENTS.items()},
}


@pytest.mark.parametrize("name", ODD)
def test_sound_pixels_with_odd_metadata_are_read(name, tmp_path):
    assert np.array_equal(pixels(ODD[name], (32, 32)), pixels(FILES[name.partition(",")[0]], (32, 32)))
    (tmp_path / "odd").write_bytes(ODD[name])
    assert header(FolderFiles(tmp_path, ["odd"]), 0) == (32, 32, False)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_turned_image_is_put_upright_whatever_its_other_tags(kind, tmp_path):
    photo = Image.fromarray(noise(16, 24))
    plain = saved(photo, kind, **({"lossless": True} if kind == "WEBP" else {}))
    options = {"lossless": True, "exif": ODD_EXIF} if kind == "WEBP" else {}
    content = {
        "PNG": lambda: with_chunk(plain, b"eXIf", ODD_EXIF[6:]),
        "JPEG": lambda: with_segment(plain, 0xE1, ODD_EXIF),
        "WEBP": lambda: saved(photo, kind, **options),
        "TIFF": lambda: written(noise(16, 24), extratags=[(274, 3, 1, 6, True), (34665, 4, 1, 7, True)]),
    }[kind]()
    assert np.array_equal(pixels(content, (24, 16)), np.rot90(pixels(plain, (16, 24)), -1, (1, 2)))
    (tmp_path / "turned").write_bytes(content)
    assert header(FolderFiles(tmp_path, ["turned"]), 0) == (24, 16, False)


def test_dark_colours_of_16_bits_are_told():
    for level, told in ((8_191, [DARK_COLOURS]), (8_192, [])):
        colour = np.full((8, 8, 3), (5, level, 100), np.uint16)
        assert notes(png(SIDE, SIDE, 16, 2, colour[0].astype(">u2").tobytes())) == told
        assert notes(written(colour, photometric="rgb")) == told
    assert notes(saved(filled("RGB", (1, 2, 3)), "PNG")) == []


def test_an_image_that_loses_more_than_half_to_cropping_is_told():
    assert notes(png(17, 8, 8, 0, bytes(17)), (8, 8)) == [CROPPED]
    assert notes(png(16, 8, 8, 0, bytes(16)), (8, 8)) == []
    assert decode(png(17, 8, 8, 0, bytes(17)), (1, 8, 8), Preparation(fit="pad")).notes == []


def test_the_middle_of_a_wide_or_tall_image_is_used():
    found = pixels(saved(Image.fromarray(noise(8, 20)), "PNG"), (8, 12))
    assert np.array_equal(found, noise(8, 20).transpose(2, 0, 1)[:, :, 4:16])
    found = pixels(saved(Image.fromarray(noise(24, 12)), "PNG"), (8, 12))
    assert np.array_equal(found, noise(24, 12).transpose(2, 0, 1)[:, 8:16])


def test_the_middle_of_an_image_far_wider_than_high_is_taken():
    row = bytes(32_763) + b"\xff" * 9 + bytes(32_763)  # white in the middle of 65,535
    found = pixels(png(65_535, 9, 8, 0, row), (9, 9), "grey")
    assert (found == 255).all()


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_each_pixel_of_a_smaller_image_is_the_mean_of_a_block(factor):
    large = noise(8 * factor, 12 * factor)
    blocks = large.reshape(8, factor, 12, factor, 3).mean(axis=(1, 3))
    found = pixels(saved(Image.fromarray(large), "PNG"), (8, 12))
    assert abs(found - blocks.transpose(2, 0, 1)).max() <= 1


@pytest.mark.parametrize("side", [8, 12, 24, 31])
def test_a_smaller_image_is_enlarged_bicubically(side):
    small = Image.fromarray(noise(side, side))
    expected = np.asarray(small.resize((32, 32), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.array_equal(pixels(saved(small, "PNG"), (32, 32)), expected)


def test_a_quarter_of_the_size_is_enough_and_less_is_not():
    assert pixels(png(8, 16, 8, 0, bytes(8)), (64, 32)).shape == (3, 64, 32)
    assert reason(png(7, 16, 8, 0, bytes(7)), (64, 32)) == "has 16 x 7 pixels, less than a quarter of 64 x 32"
    assert reason(png(8, 15, 8, 0, bytes(8)), (64, 32)) == "has 15 x 8 pixels, less than a quarter of 64 x 32"
    assert reason(png(2, 2, 8, 0, bytes(2)), (9, 9)).endswith("less than a quarter of 9 x 9")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\n", id="a line break"),
        pytest.param(b"not an image\n" * 100, id="text"),
        pytest.param(bytes(10_000), id="zeros"),
        pytest.param(b"<!DOCTYPE html><title>Sign in</title>", id="HTML"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", id="Git LFS"),
        pytest.param(saved(PHOTO, "TGA")[:-18], id="TGA of version 1"),
    ],
)
def test_what_is_no_image_is_refused(content):
    assert reason(content) == "is not an image that Pillow reads"
    assert reason(b"") == "is empty"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'<?xml version="1.0"?><svg width="8" height="8"/>', "is an SVG drawing: export it as PNG"),
        (saved(PHOTO, "PDF"), "is a PDF document: export its pages as PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "is a HEIC image: convert it to JPEG, "),
        (b"\0\0\0\x18ftypmif1" + bytes(100), "is a HEIC image: convert it to JPEG, "),
        (saved(PHOTO, "PCX"), "is of the format PCX: save it as PNG"),
        (b"FUJIFILMCCD-RAW " + bytes(100), "is a camera's raw file"),
    ],
)
def test_an_image_of_another_format_is_refused_with_its_name_and_what_to_do(content, message):
    assert reason(content).startswith(message)


@pytest.mark.parametrize("kind", FILES)
def test_the_beginning_of_a_file_is_refused(kind):
    for percent in range(10, 100, 5):
        reason(FILES[kind][: len(FILES[kind]) * percent // 100], (32, 32))


def test_a_wrong_byte_anywhere_in_a_png_is_refused():
    content = saved(Image.fromarray(noise(8, 8)), "PNG")
    end = len(content) - 12  # of what says something: the last chunk only says that it is the last
    for place in range(end):
        for wrong in (0x01, 0x80):
            reason(content[:place] + bytes([content[place] ^ wrong]) + content[place + 1 :])


def claiming(width: int, height: int) -> dict[str, bytes]:
    """Build tiny files whose headers claim so many pixels."""
    small = saved(filled("RGB", WHITE), "JPEG")
    frame = small.index(b"\xff\xc0") + 5
    vp8x = b"VP8X" + struct.pack("<I4x", 10) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return {
        "PNG": b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b""),
        "JPEG": small[:frame] + struct.pack(">HH", height, width) + small[frame + 4 :],
        "BMP": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0),
        "GIF": b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + saved(palette(), "GIF")[13:],
        "TIFF": struct.pack("<2sHIH", b"II", 42, 8, 6)
        + b"".join(
            struct.pack("<HHII", tag, 4, 1, value)
            for tag, value in [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 90)]
        )
        + bytes(4),
        "WebP": b"RIFF" + struct.pack("<I", 4 + len(vp8x)) + b"WEBP" + vp8x,
    }


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("size", [(65_000, 65_000), (9_500, 9_500)])
def test_a_small_file_that_claims_more_pixels_than_are_safe_is_refused(kind, size):
    assert reason(claiming(*size)[kind]) == "has more than 89,478,485 pixels (data.largest_pixels)"


@pytest.mark.parametrize("kind", LOSSLESS)
def test_the_most_pixels_that_are_safe_can_be_chosen(kind):
    assert reason(FILES[kind], (32, 32), largest_pixels=1023).startswith("has more than 1,023 pixels")
    before = Image.MAX_IMAGE_PIXELS
    assert pixels(FILES[kind], (32, 32), largest_pixels=1024).shape == (3, 32, 32)
    assert before == Image.MAX_IMAGE_PIXELS


def test_an_image_of_more_pixels_than_pillow_ever_takes_is_read_if_the_limit_allows_it():
    content = png(20_000, 9_000, 1, 0, b"\xff" * 2500)
    assert (pixels(content, (9, 20), "grey", largest_pixels=180_000_000) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WebP"])  # the others may hold so many, all alike
def test_a_small_file_that_claims_as_many_pixels_as_are_safe_is_refused_too(kind):
    reason(claiming(9_000, 9_000)[kind])


@pytest.mark.parametrize(
    "image", [filled("F", 0.5), filled("I", 70_000), Image.fromarray(np.zeros((8, 8), np.int32))], ids=["F", "I", "int"]
)
def test_numbers_of_no_known_range_are_refused(image):
    assert "of unknown range: save it with 8 or 16 bits" in reason(saved(image, "TIFF"))


@pytest.mark.parametrize(("bits", "number_format"), [(8, 2), (16, 2), (32, 1), (32, 2), (32, 3), (16, 3), (64, 3)])
def test_signed_wide_and_broken_numbers_are_refused(bits, number_format):
    reason(tiff(bits, bytes(SIDE * bits), number_format=number_format))


def test_colours_that_only_a_profile_can_convert_are_refused():
    assert reason(saved(filled("LAB", (136, 80, 67)), "TIFF")) == "has LAB colours: save it with RGB ones"


SHAPES = st.tuples(st.sampled_from([1, 3]), st.integers(8, 40), st.integers(8, 40))


def assert_decoded_or_refused(content: bytes, shape: tuple[int, int, int]) -> None:
    try:
        found = decode(content, shape, Preparation()).pixels
    except UnusableImageError:
        return
    assert found.dtype == np.uint8
    assert found.shape == shape


@settings(deadline=None)
@given(st.binary() | st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"GIF89a"]), SHAPES)
def test_any_bytes_are_decoded_or_refused(content, shape):
    assert_decoded_or_refused(content, shape)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(list(FILES)), SHAPES)
def test_a_damaged_file_is_decoded_or_refused(data, name, shape):
    content = bytearray(FILES[name])
    # What is in the first hundred bytes says most about the rest; so do TIFF's last ones.
    places = st.integers(0, 99) | st.integers(-200, -1) | st.integers(0, len(content) - 1)
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=5)):
        content[place] = byte
    assert_decoded_or_refused(bytes(content), shape)


def test_a_header_gives_the_upright_size_and_whether_the_file_is_grey(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        saved(PHOTO.crop((0, 0, 20, 10)), "JPEG"): (10, 20, False),
        saved(PHOTO.crop((0, 0, 20, 10)), "JPEG", exif=exif): (20, 10, False),
        saved(filled("L", 5), "PNG"): (SIDE, SIDE, True),
        saved(Image.fromarray(np.zeros((9, 8), np.uint16)), "PNG"): (9, 8, True),
        claiming(65_000, 65_000)["PNG"]: None,
        b"text": None,
    }
    for content, expected in files.items():
        (tmp_path / "file").write_bytes(content)
        assert header(FolderFiles(tmp_path, ["file"]), 0) == expected
    assert header(FolderFiles(tmp_path, ["."]), 0) is None
