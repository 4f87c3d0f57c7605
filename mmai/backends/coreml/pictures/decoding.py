"""Pictures decoded as people see them: any format and mode Pillow knows, upright, in RGB. Bringing them to size is resizing.py's.

Transparent pixels are laid over white, as on a page. Color profiles are left aside, as those who trained the models left them;
of an animation the first frame is taken.
"""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from mmai.errors import UsageError
from mmai.values.request import ImagePart

MAX_PIXELS = 178_956_970
"""More are refused before they are decoded, as Pillow itself would: half a gigabyte of RGB."""

WHITE = (255, 255, 255)

FULL_SCALES = (1.0, 255.0, 65_535.0)
"""White, of gray levels that are no bytes: the least of these that holds the brightest pixel, or that pixel."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its complaints about odd files go to standard error
_decoding = threading.Lock()


def decode(part: ImagePart) -> Image.Image:
    """The picture in RGB, 8 bits each, turned as its EXIF data says.

    Raises:
        UsageError: it is no picture, is damaged, or is too large.
    """
    name = f"`{part.name}`" if part.name else "the picture"
    if not part.data:
        raise UsageError(f"{name} is empty")
    try:
        with _quiet(), Image.open(io.BytesIO(part.data)) as image:
            _demand_size(image, name)
            image.load()
            return _over_white(_in_bytes(_upright(image)))
    except (UsageError, KeyboardInterrupt):
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError) as exc:
        raise UsageError(f"{name} is no picture of a format that is read here") from exc
    except MemoryError as exc:
        raise UsageError(f"{name} takes more memory than there is") from exc
    except Exception as exc:  # decoders of damaged files raise whatever comes: SyntaxError, struct.error, IndexError
        raise UsageError(f"{name} cannot be decoded: {_reason(exc)}") from exc


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings; the filters are the whole process's, so one thread at a time."""
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _reason(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return first.rstrip(".") or type(error).__name__


def _demand_size(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise UsageError(
            f"{name} has {image.width} x {image.height} pixels, more than the {MAX_PIXELS // 1_000_000} million read here"
        )


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # of damaged EXIF data; the picture itself is sound
        return image


def _in_bytes(image: Image.Image) -> Image.Image:
    """Deep gray levels as bytes, and colors that are no mixture of light as RGB."""
    if image.mode.startswith("I;16"):
        return _gray(np.asarray(image), 65_535.0)
    if image.mode in ("I", "F"):
        levels = np.nan_to_num(np.asarray(image, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        brightest = max(levels.max(), 0.0)
        return _gray(levels, next((scale for scale in FULL_SCALES if brightest <= scale), brightest))
    if image.mode == "LAB":
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "LAB", "RGB")) or image
    return image


def _gray(levels: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", white: float) -> Image.Image:
    scaled = np.clip(levels.astype(np.float64) * (255.0 / white), 0, 255)
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    premultiplied = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
    painted = (image.convert(premultiplied) if premultiplied else image).convert("RGBA")
    page = Image.new("RGB", painted.size, WHITE)
    page.paste(painted, mask=painted.getchannel("A"))
    return page
