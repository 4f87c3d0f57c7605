"""How near the spatial kernels come to bare NumPy: `OPENBLAS_NUM_THREADS=1 python tests/benchmarks/coreml_kernels.py`, by hand.

A convolution is held to the time of one matrix product of as many operations; what is not a product, to copying its result.
Both floors are measured in the same run, so a ratio means the same on another machine. Fastest of several runs.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mmai.backends.coreml.reference.ops.convolution import conv
from mmai.backends.coreml.reference.ops.normalization import layer_norm
from mmai.backends.coreml.reference.ops.pooling import avg_pool, max_pool
from mmai.backends.coreml.reference.ops.resampling import resample
from mmai.backends.coreml.reference.ops.resize import upsample_bilinear, upsample_nearest_neighbor
from mmai.backends.coreml.reference.ops.transposed import conv_transpose

Array = np.ndarray[Any, Any]

CONVOLUTIONS: list[tuple[str, tuple[int, ...], tuple[int, ...], int, int]] = [
    # where it is from, input, weight, stride, groups
    ("FastViT stem", (1, 3, 256, 256), (48, 3, 3, 3), 2, 1),
    ("FastViT mixer, 64²", (1, 48, 64, 64), (48, 1, 7, 7), 1, 48),
    ("FastViT mixer, 16²", (1, 192, 16, 16), (192, 1, 7, 7), 1, 192),
    ("FastViT mixer, 8²", (1, 384, 8, 8), (384, 1, 7, 7), 1, 384),
    ("FastViT widening", (1, 48, 64, 64), (144, 48, 1, 1), 1, 1),
    ("FastViT between stages", (1, 96, 32, 32), (192, 1, 7, 7), 2, 96),
    ("ResNet stem", (1, 3, 224, 224), (64, 3, 7, 7), 2, 1),
    ("ResNet, 56²", (1, 64, 56, 56), (64, 64, 3, 3), 1, 1),
    ("ResNet, 7²", (1, 512, 7, 7), (512, 512, 3, 3), 1, 1),
    ("ResNet shortcut", (1, 256, 56, 56), (512, 256, 1, 1), 2, 1),
    ("ResNeXt", (1, 256, 56, 56), (256, 8, 3, 3), 1, 32),
    ("MobileNet, 112²", (1, 96, 112, 112), (96, 1, 3, 3), 2, 96),
    ("MobileNet, 14²", (1, 672, 14, 14), (672, 1, 5, 5), 1, 672),
    ("YOLO stem", (1, 3, 640, 640), (16, 3, 6, 6), 2, 1),
    ("YOLO, 80²", (1, 64, 80, 80), (64, 64, 3, 3), 1, 1),
    ("large image", (1, 3, 1024, 1024), (32, 3, 3, 3), 1, 1),
    ("Whisper, first", (1, 80, 3000), (384, 80, 3), 1, 1),
    ("Whisper, second", (1, 384, 3000), (384, 384, 3), 2, 1),
    ("Conformer", (1, 512, 3000), (512, 1, 31), 1, 512),
    ("batch of eight", (8, 64, 28, 28), (64, 64, 3, 3), 1, 1),
    ("video", (1, 16, 16, 64, 64), (16, 16, 3, 3, 3), 1, 1),
]


def fastest_ms(work: Callable[[], Any], *, for_s: float = 0.3) -> float:
    work()
    best, until = float("inf"), time.perf_counter() + for_s
    while time.perf_counter() < until:
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best * 1000


def noise(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def numbers(*given: int) -> Array:
    return np.array(given, np.int32)


def others() -> dict[str, Callable[[], Array]]:
    image, features, sequence = noise(1, 64, 112, 112), noise(1, 256, 28, 28), noise(1, 1500, 384)
    narrow, wide = noise(256, 128, 4, 4), noise(1, 112, 112, 2)
    three: dict[str, Any] = {"kernel_sizes": numbers(3, 3), "pad_type": "custom", "pad": numbers(1, 1, 1, 1)}
    grid: dict[str, Any] = {"padding_mode": "constant", "coordinates_mode": "normalized_minus_one_to_one"}
    return {
        "max_pool 3, 112²": lambda: max_pool(image, strides=numbers(2, 2), **three),
        "avg_pool 3, 112²": lambda: avg_pool(image, **three),
        "layer_norm 1500 x 384": lambda: layer_norm(sequence, axes=numbers(-1)),
        "upsample_nearest 2, 112²": lambda: upsample_nearest_neighbor(image, scale_factor_height=2, scale_factor_width=2),
        "upsample_bilinear 2, 112²": lambda: upsample_bilinear(image, scale_factor_height=2, scale_factor_width=2),
        "resample, 112²": lambda: resample(
            image, coordinates=wide, sampling_mode="bilinear", padding_value=0.0, align_corners=False, **grid
        ),
        "conv_transpose 4 by 2, 28²": lambda: conv_transpose(features, narrow, strides=numbers(2, 2)),
    }


def main() -> None:
    square = noise(768, 768)
    operations_per_ms = 2 * 768**3 / fastest_ms(lambda: square @ square)
    print(f"one matrix product of 768²: {operations_per_ms / 1e6:.0f} billion operations a second\n")
    print(f"{'convolution':26}{'ms':>9}{'of product':>12}")
    for name, shape, kernel, stride, groups in CONVOLUTIONS:
        x, weight, bias, rank = noise(*shape), noise(*kernel), noise(kernel[0]), len(shape) - 2
        settings: dict[str, Any] = {"strides": numbers(*[stride] * rank), "pad_type": "same", "groups": groups}

        def work(x: Array = x, weight: Array = weight, bias: Array = bias, settings: dict[str, Any] = settings) -> Array:
            return conv(x, weight, bias, **settings)

        floor_ms = 2 * work().size * weight[0].size / operations_per_ms
        took_ms = fastest_ms(work)
        print(f"{name:26}{took_ms:9.2f}{took_ms / floor_ms:12.1f}")
    print(f"\n{'other':26}{'ms':>9}{'of a copy':>12}")
    for name, kernel_work in others().items():
        result, took_ms = np.ascontiguousarray(kernel_work()), fastest_ms(kernel_work)
        print(f"{name:26}{took_ms:9.2f}{took_ms / fastest_ms(result.copy):12.1f}")


if __name__ == "__main__":
    main()
