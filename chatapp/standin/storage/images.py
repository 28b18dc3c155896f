"""Images on their way out: smaller, cropped, recoded. `/storage/v1/render/image/…` with `width`, `height`, `resize`,
`quality` and `format`, as hosted.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from chatapp.standin.database import Row

from .downloads import HARMLESS, file_response, public_row, signed_row, visible
from .errors import StorageError, invalid
from .service import Storage

LARGEST_SIDE = 2500  # pixels, as hosted
LARGEST_FILE = 25 * 1024 * 1024  # bytes, as hosted
MOST_PIXELS = 50_000_000  # as hosted; a small file can unfold into more memory than there is
FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
_one_at_a_time = asyncio.Semaphore(1)  # each may need 200 MB


@dataclass(frozen=True)
class Transformation:
    """What shall become of an image. No width and height: its own size."""

    width: int | None
    height: int | None
    resize: str
    quality: int
    keeps_format: bool


async def get_public(storage: Storage, request: Request) -> Response:
    """Return an image of a public bucket."""
    return await _rendered(storage, request, await public_row(storage, request))


async def get(storage: Storage, request: Request) -> Response:
    """Return an image the caller may select."""
    return await _rendered(storage, request, await visible(storage, request))


async def get_signed(storage: Storage, request: Request) -> Response:
    """Return an image by a signed address; what shall become of it is part of the signature."""
    row, signed = await signed_row(storage, request)
    return await _rendered(storage, request, row, signed.get("transform"))


async def _rendered(storage: Storage, request: Request, row: Row, given: object = None) -> Response:
    wanted = _wanted(given if isinstance(given, dict) else dict(request.query_params))
    about, path = row["metadata"] or {}, storage.files.path(row["version"])
    kind = about.get("mimetype", "")
    if not kind.startswith("image/") or kind.startswith("image/svg"):  # a drawing fits every size
        return file_response(storage, request, row)
    if about.get("size", 0) > LARGEST_FILE:
        raise StorageError(413, "Payload too large", "The image is too large to be transformed", "EntityTooLarge")
    async with _one_at_a_time:
        content, rendered = await asyncio.to_thread(_render, path, wanted, request.headers.get("accept", ""))
    headers = {**HARMLESS, "cache-control": about.get("cacheControl", "no-cache"), "vary": "accept"}
    return Response(content, media_type=rendered, headers=headers)


def _wanted(given: dict[str, object]) -> Transformation:
    resize = str(given.get("resize") or "cover")
    if resize not in ("cover", "contain", "fill"):
        raise invalid("resize must be cover, contain or fill")
    if given.get("format") not in (None, "", "origin"):
        raise invalid("format must be origin")
    sides = [_number(given.get(name), name, 1, LARGEST_SIDE) for name in ("width", "height")]
    quality = _number(given.get("quality"), "quality", 20, 100) or 80
    return Transformation(sides[0], sides[1], resize, quality, given.get("format") == "origin")


def _number(value: object, name: str, least: int, most: int) -> int | None:
    text = "" if value is None else str(value)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise invalid(f"{name} must be from {least} to {most}")
    return int(text)


def _render(path: Path, wanted: Transformation, accepted: str) -> tuple[bytes, str]:
    """Return the bytes and their kind. WebP goes to whoever takes it, unless the format is to stay."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - most projects never need it

    try:
        with Image.open(path, formats=["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise StorageError(413, "Payload too large", "The image has too many pixels", "EntityTooLarge")
            image, own = ImageOps.exif_transpose(opened), (opened.format or "PNG").lower()
            size = _size(image.width, image.height, wanted)
            image = ImageOps.fit(image, size) if wanted.resize == "cover" else image.resize(size)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise StorageError(422, "InvalidRequest", "The object is not an image that can be transformed") from error
    name = "webp" if "image/webp" in accepted and not wanted.keeps_format else own if own in FORMATS else "png"
    content = io.BytesIO()
    if name == "jpeg" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    image.save(content, FORMATS[name], quality=wanted.quality)
    return content.getvalue(), f"image/{name}"


def _size(width: int, height: int, wanted: Transformation) -> tuple[int, int]:
    """One side given: the other follows. Both: `contain` fits inside, `cover` and `fill` take them as they are."""
    across, down = wanted.width, wanted.height
    if across and down and wanted.resize != "contain":
        return across, down
    factors = [side / own for side, own in ((across, width), (down, height)) if side]
    factor = min(factors, default=1.0)
    return max(1, round(width * factor)), max(1, round(height * factor))
