"""Pixels of images, read at places and between them."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array

ROUNDING = 1e-5
"""A place that is farther outside of an image than this, in pixels, is outside: the last of a box may be off by rounding."""


class Pixels:
    """The pixels of images, one row of channels for each, and a last row that stands for all places outside."""

    def __init__(self, x: Array, outside: float) -> None:
        self.images, self.channels, self.height, self.width = x.shape
        self.rows = np.empty((self.images * self.height * self.width + 1, self.channels), np.result_type(x, np.float32))
        self.rows[:-1] = np.moveaxis(x, 1, -1).reshape(-1, self.channels)
        self.rows[-1] = outside

    def at(self, rows: Array, columns: Array, images: Array | None = None) -> Array:
        """Whole places (count, height, width) of the images: count, channels, height, width."""
        return np.ascontiguousarray(np.moveaxis(self._read(rows, columns, images), -1, 1))

    def between(self, rows: Array, columns: Array, images: Array | None = None) -> Array:
        """The same for places between pixels: each of the four around counts by its nearness, those outside as padding."""
        top, left = np.floor(rows), np.floor(columns)
        down, right = ((rows - top)[..., None].astype(np.float32), (columns - left)[..., None].astype(np.float32))
        upper = self._read(top, left, images) * (1 - right) + self._read(top, left + 1, images) * right
        lower = self._read(top + 1, left, images) * (1 - right) + self._read(top + 1, left + 1, images) * right
        return np.ascontiguousarray(np.moveaxis(upper * (1 - down) + lower * down, -1, 1))

    def inside(self, rows: Array, columns: Array, images: Array) -> Array:
        """The same, but a place outside of the image is all padding, and none within it is any."""
        rows, columns = np.broadcast_arrays(rows, columns)
        bottom, right = self.height - 1, self.width - 1
        out = (np.abs(rows - bottom / 2) > bottom / 2 + ROUNDING) | (np.abs(columns - right / 2) > right / 2 + ROUNDING)
        found = self.between(np.clip(rows, 0, bottom), np.clip(columns, 0, right), images)
        return np.where(out[:, None], self.rows[-1, 0], found)

    def _read(self, rows: Array, columns: Array, images: Array | None) -> Array:
        rows, columns = np.broadcast_arrays(rows, columns)
        # What is not a number is outside too.
        within = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        which = np.arange(self.images) if images is None else images
        flat = np.where(within, rows * self.width + columns, 0).astype(np.intp)
        flat += which.reshape(-1, 1, 1) * (self.height * self.width)
        return self.rows.take(np.where(within, flat, len(self.rows) - 1), axis=0)
