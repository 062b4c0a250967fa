"""An image file becomes the pixels that it shows, of one size and colour, or is refused with a reason of one line."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from convae.data.image_files import ANIMATION, PROFILE, UnusableImageError, decode, decoder, read_header

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


def pixels(content: bytes, size: tuple[int, int] = (SIDE, SIDE), colour: str = "rgb", background=WHITE) -> np.ndarray:
    found, _ = decode(content, (CHANNELS[colour], *size), background)
    return found


def only_colour(content: bytes, background=WHITE, colour: str = "rgb") -> tuple[int, ...]:
    found = pixels(content, background=background, colour=colour)
    assert (found == found[:, :1, :1]).all()
    return tuple(found[:, 0, 0].tolist())


def reason(content: bytes, size: tuple[int, int] = (SIDE, SIDE)) -> str:
    with pytest.raises(UnusableImageError) as caught:
        decode(content, (3, *size), WHITE)
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
}
LOSSY = {
    "JPEG": ("JPEG", {"quality": 95}),
    "progressive JPEG": ("JPEG", {"quality": 95, "progressive": True}),
    "WebP": ("WEBP", {"quality": 95}),
    "JPEG in TIFF": ("TIFF", {"compression": "jpeg", "quality": 95}),
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
    assert set(versions) == {"pillow", "libjpeg_turbo", "zlib", "webp", "libtiff"}
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
        found, notes = decode(content, (3, SIDE, SIDE), WHITE)
        assert found[:, 0, 0].tolist() == [200, 0, 0]
        assert notes == [ANIMATION]


def test_a_phones_second_view_of_a_photograph_is_no_animation():
    content = saved(PHOTO, "MPO", save_all=True, append_images=[PHOTO.rotate(90)], quality=95)
    found, notes = decode(content, (3, 32, 32), WHITE)
    assert notes == []
    assert np.array_equal(found, pixels(saved(PHOTO, "JPEG", quality=95), (32, 32)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_is_told_and_changes_no_pixel(kind):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found, notes = decode(saved(PHOTO, kind, icc_profile=profile), (3, 32, 32), WHITE)
    without, nothing = decode(saved(PHOTO, kind), (3, 32, 32), WHITE)
    assert (notes, nothing) == ([PROFILE], [])
    assert np.array_equal(found, without)


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
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n", id="a line break"),
        pytest.param(b"not an image\n" * 100, id="text"),
        pytest.param(bytes(10_000), id="zeros"),
        pytest.param(b"<!DOCTYPE html><title>Sign in</title>", id="HTML"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>', id="SVG"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", id="Git LFS"),
        *(pytest.param(saved(PHOTO, kind), id=kind) for kind in ("PDF", "PPM", "ICO", "TGA", "EPS", "PCX")),
    ],
)
def test_what_is_of_no_listed_format_is_refused(content):
    assert reason(content) == "is not an image that Pillow reads"


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
    assert reason(claiming(*size)[kind]) == "has more than 89,478,485 pixels"


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WebP"])  # the others may hold so many, all alike
def test_a_small_file_that_claims_as_many_pixels_as_are_safe_is_refused_too(kind):
    reason(claiming(9_000, 9_000)[kind])


@pytest.mark.parametrize(
    "image", [filled("F", 0.5), filled("I", 70_000), Image.fromarray(np.zeros((8, 8), np.int32))], ids=["F", "I", "int"]
)
def test_numbers_of_no_known_range_are_refused(image):
    assert reason(saved(image, "TIFF")).startswith("has pixels of 32 bits or with a sign")


@pytest.mark.parametrize(("bits", "number_format"), [(16, 2), (32, 1), (32, 2), (32, 3), (16, 3), (64, 3)])
def test_signed_wide_and_broken_numbers_are_refused(bits, number_format):
    reason(tiff(bits, bytes(SIDE * bits), number_format=number_format))


def test_colours_that_only_a_profile_can_convert_are_refused():
    assert reason(saved(filled("LAB", (136, 80, 67)), "TIFF")) == "has LAB colours: save it with RGB ones"


SHAPES = st.tuples(st.sampled_from([1, 3]), st.integers(8, 40), st.integers(8, 40))


def assert_decoded_or_refused(content: bytes, shape: tuple[int, int, int]) -> None:
    try:
        found, _ = decode(content, shape, WHITE)
    except UnusableImageError:
        return
    assert found.dtype == np.uint8
    assert found.shape == shape


@settings(deadline=None)
@given(st.binary() | st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"GIF89a"]), SHAPES)
def test_any_bytes_are_decoded_or_refused(content, shape):
    assert_decoded_or_refused(content, shape)


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
        assert read_header(tmp_path / "file") == expected
    assert read_header(tmp_path) is None
