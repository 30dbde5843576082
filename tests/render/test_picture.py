from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from tests.render.places import background, block, head, nothing, patch, png, state, texture

from privet.core.errors import NotFoundError, WireError
from privet.core.grid import Grid
from privet.core.reader import SceneView, follow
from privet.core.scene import ImageFormat, Scene
from privet.render.paint import UNPROVEN
from privet.render.picture import Pictures, decode_image, decode_view

GRID = Grid(44, 30)


def view_of(*scenes: Scene) -> SceneView:
    return reduce(follow, scenes, SceneView())


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_a_background() -> None:
    painted = Pictures().decode_view(view_of(background(1, GRID, texture(44, 30))))
    assert np.array_equal(painted.picture, texture(44, 30))
    assert painted.proven.all()
    assert not painted.picture.flags.writeable


def test_nothing_is_proven() -> None:
    for view in (view_of(state(1, GRID)), view_of(background(1, GRID, texture(44, 30), nothing(GRID)))):
        painted = Pictures().decode_view(view)
        assert (painted.picture == UNPROVEN).all()
        assert not painted.proven.any()


def test_no_picture_has_come() -> None:
    with pytest.raises(NotFoundError, match="no picture"):
        decode_view(SceneView())


def test_of_a_patch_only_promoted_blocks_are_taken() -> None:
    old, new = texture(44, 30, 0), texture(44, 30, 1)
    promoted = np.array([[True, False], [False, True]])
    painted = Pictures().decode_view(view_of(background(1, GRID, old, block(GRID, (0, 0))), patch(2, GRID, (4, 2), promoted, new)))
    expected = old.copy()
    expected[16:24, 32:40] = new[16:24, 32:40]
    expected[24:30, 40:44] = new[24:30, 40:44]
    assert np.array_equal(painted.picture, expected)
    assert np.array_equal(painted.proven, block(GRID, (0, 0), (4, 2), (5, 3)))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 9)), max_size=8), st.data())
def test_patch_by_patch_is_the_same_as_at_once(steps: list[tuple[int, int, int]], data: st.DataObject) -> None:
    scenes: list[Scene] = [background(1, GRID, texture(44, 30), nothing(GRID))]
    scenes += [
        patch(2 + number, GRID, (column, row), np.ones((1, 1), np.bool_), texture(44, 30, seed))
        for number, (column, row, seed) in enumerate(steps)
    ]
    pictures, view = Pictures(), SceneView()
    for scene in scenes:
        view = follow(view, scene)
        if data.draw(st.booleans()):
            pictures.decode_view(view)
    once = Pictures().decode_view(view)
    assert np.array_equal(pictures.decode_view(view).picture, once.picture)
    assert np.array_equal(pictures.decode_view(view).proven, once.proven)


def test_a_picture_is_decoded_once() -> None:
    pictures = Pictures()
    view = view_of(background(1, GRID, texture(44, 30)))
    first = pictures.decode_view(view)
    assert pictures.decode_view(view) is not None
    assert pictures.decode_view(view).picture is first.picture
    patched = follow(view, patch(2, GRID, (0, 0), np.ones((1, 1), np.bool_), texture(44, 30, 1)))
    assert pictures.decode_view(patched).picture is not first.picture
    # The older view again: it must not be given the patch.
    assert np.array_equal(pictures.decode_view(view).picture, first.picture)


def test_the_same_head_with_another_image_is_another_picture() -> None:
    """A recording may hold a background with its patches folded in, under the head it was first sent with."""
    pictures = Pictures()
    pictures.decode_view(view_of(background(1, GRID, texture(44, 30, 0))))
    again = pictures.decode_view(view_of(background(1, GRID, texture(44, 30, 1))))
    assert np.array_equal(again.picture, texture(44, 30, 1))


def test_the_cache_is_bounded() -> None:
    size = 44 * 30 * 3
    pictures = Pictures(limit_bytes=2 * size)
    views = [view_of(replace(background(1, GRID, texture(44, 30, seed)), head=head(1, session=seed + 1))) for seed in range(3)]
    first = [pictures.decode_view(view).picture for view in views]
    again = [pictures.decode_view(view).picture for view in reversed(views)]
    assert again[0] is first[2]
    assert again[1] is first[1]
    assert again[2] is not first[0]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_huge_image_is_refused_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(WireError, match="image"):
        decode_image(bomb, ImageFormat.PNG, 44, 30)


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "I;16", "1", "LA"])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(WireError, match="mode"):
        decode_image(encoded(Image.new(mode, (44, 30)), "PNG"), ImageFormat.PNG, 44, 30)


def test_alpha_and_animation_are_refused() -> None:
    with pytest.raises(WireError, match="mode RGBA"):
        decode_image(encoded(Image.new("RGBA", (44, 30), (1, 2, 3, 4)), "WEBP", lossless=True), ImageFormat.WEBP, 44, 30)
    frames = [Image.new("RGB", (44, 30), (level, 0, 0)) for level in (0, 200)]
    for kind, image_format in (("PNG", ImageFormat.PNG), ("WEBP", ImageFormat.WEBP)):
        moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(WireError, match="one still picture"):
            decode_image(moving, image_format, 44, 30)


def test_profiles_and_orientation_are_refused() -> None:
    image = Image.new("RGB", (44, 30))
    turned = Image.Exif()
    turned[0x0112] = 6
    gamma = PngImagePlugin.PngInfo()
    gamma.add(b"gAMA", struct.pack(">I", 100_000))
    for data in (
        encoded(image, "PNG", icc_profile=b"profile"),
        encoded(image, "PNG", exif=turned),
        encoded(image, "PNG", pnginfo=gamma),
    ):
        with pytest.raises(WireError, match="plain sRGB"):
            decode_image(data, ImageFormat.PNG, 44, 30)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_cut_image_is_refused(kind: str) -> None:
    whole = encoded(Image.fromarray(texture(44, 30)), kind)
    for length in (0, 1, 12, 30, len(whole) // 2, len(whole) * 3 // 4):
        with pytest.raises(WireError, match="image"):
            decode_image(whole[:length], ImageFormat[kind], 44, 30)


@given(st.binary(max_size=80), st.sampled_from(ImageFormat))
def test_any_bytes_are_refused_as_one_kind_of_error(data: bytes, image_format: ImageFormat) -> None:
    with pytest.raises(WireError):
        decode_image(data, image_format, 44, 30)


@given(st.data())
def test_a_damaged_image_is_a_picture_or_refused(data: st.DataObject) -> None:
    whole = bytearray(png(texture(16, 9)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode_image(bytes(whole), ImageFormat.PNG, 16, 9)
    except WireError:
        return
    assert picture.shape == (9, 16, 3)
    assert picture.dtype == np.uint8


