"""Compressed weights, against coremltools' own `decompress_weights` and the functions it is made of, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.reference import asked, folders_of_its_own, opened
from packages.toolkit import built, ct, mb

from mmai.backends.coreml.reference.ops.compression import OPS

cto: Any = pytest.importorskip("coremltools.optimize.coreml")
ios16: Any = pytest.importorskip("coremltools.converters.mil.mil.ops.defs.iOS16.constexpr_ops")
ios18: Any = pytest.importorskip("coremltools.converters.mil.mil.ops.defs.iOS18.compression")

RANDOM = np.random.default_rng(7)


def same(ours: Any, theirs: Any) -> bool:
    """Equal to the last bit, type and shape included."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return bool(ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes())


def numbers(*shape: int, dtype: Any = np.float16) -> Any:
    return RANDOM.normal(size=shape).astype(dtype)


def codes(bits: int, *shape: int) -> Any:
    return RANDOM.integers(0, 2**bits, shape).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_affine_weights_of_ios16(dtype: Any, axis: int) -> None:
    data = RANDOM.integers(-128, 128, (4, 6, 5)).astype(np.int8)
    scale = numbers(data.shape[axis], dtype=dtype)
    zero = RANDOM.integers(-9, 9, data.shape[axis]).astype(np.int8)
    theirs = ios16.constexpr_affine_dequantize.decompress(data, zero, scale, axis)
    ours = OPS["constexpr_affine_dequantize"](quantized_data=data, zero_point=zero, scale=scale, axis=np.int32(axis))
    assert same(ours, theirs)


def test_affine_weights_of_ios16_with_one_scale() -> None:
    data, scale, zero = codes(8, 4, 3), np.array(0.37, np.float16), np.array(3, np.uint8)
    theirs = ios16.constexpr_affine_dequantize.decompress(data, zero, scale, 0)
    assert same(OPS["constexpr_affine_dequantize"](quantized_data=data, zero_point=zero, scale=scale, axis=np.int32(0)), theirs)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8])
def test_a_palette_of_ios16(bits: int) -> None:
    shape = np.array([5, 7, 3], np.uint32)
    packed = codes(8, -(-105 * bits // 8))
    lut = numbers(2**bits)
    theirs = ios16.constexpr_lut_to_dense.decompress(lut, packed, shape)
    assert same(OPS["constexpr_lut_to_dense"](indices=packed, lut=lut, shape=shape), theirs)


def test_sparse_weights_of_ios16() -> None:
    kept = codes(1, 6, 5)
    mask = np.packbits(kept.reshape(-1), bitorder="little")
    data, shape = numbers(int(kept.sum())), np.array([6, 5], np.uint32)
    theirs = ios16.constexpr_sparse_to_dense.decompress(data, mask, shape)
    assert same(OPS["constexpr_sparse_to_dense"](nonzero_data=data, mask=mask, shape=shape), theirs)


def test_a_cast_constant_is_the_same_number() -> None:
    values = numbers(5)
    assert same(OPS["constexpr_cast"](source_val=values, output_dtype="fp32"), values.astype(np.float32))


@pytest.mark.parametrize("blocks", [(1, 1), (4, 1), (1, 6), (2, 3), (4, 6)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("shifted", ["not", "whole", "float"])
def test_blockwise_weights_of_ios18(blocks: tuple[int, int], dtype: Any, shifted: str) -> None:
    data = RANDOM.integers(-8, 8, (4, 6)).astype(np.int8)
    scale = numbers(*blocks, dtype=dtype)
    offset = {"not": None, "whole": RANDOM.integers(-8, 8, blocks).astype(np.int8), "float": numbers(*blocks, dtype=dtype)}[
        shifted
    ]
    theirs = ios18.constexpr_blockwise_shift_scale.decompress(data, scale, offset)
    given = {"data": data, "scale": scale} | ({} if offset is None else {"offset": offset})
    assert same(OPS["constexpr_blockwise_shift_scale"](**given), theirs)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("groups", [(1, 1), (2, 1), (1, 3), (6, 1), (2, 3)])
def test_a_palette_of_ios18(bits: int, groups: tuple[int, int]) -> None:
    indices, lut = codes(bits, 6, 9), numbers(*groups, 2**bits, 1)
    theirs = ios18.constexpr_lut_to_dense.decompress(indices, lut, None)
    assert same(OPS["constexpr_lut_to_dense"](indices=indices, lut=lut), theirs)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("groups", [(1, 1, 1), (2, 1, 1), (1, 3, 1), (2, 3, 2)])
def test_a_palette_of_vectors(axis: int, groups: tuple[int, int, int]) -> None:
    indices, lut = codes(2, 4, 6, 2), numbers(*groups, 4, 3)
    theirs = ios18.constexpr_lut_to_dense.decompress(indices, lut, np.int32(axis))
    assert same(OPS["constexpr_lut_to_dense"](indices=indices, lut=lut, vector_axis=np.int32(axis)), theirs)


def test_sparse_weights_of_ios18() -> None:
    mask = codes(1, 6, 5)
    data = numbers(int(mask.sum()))
    assert same(
        OPS["constexpr_sparse_to_dense"](nonzero_data=data, mask=mask), ios18.constexpr_sparse_to_dense.decompress(data, mask)
    )


@pytest.mark.parametrize("vector", [1, 2])
def test_sparse_weights_with_a_palette(vector: int) -> None:
    mask = codes(1, 4, 6)
    data, lut = codes(1, int(mask.sum())), numbers(1, 1, 2, vector)
    axis = None if vector == 1 else np.int32(0)
    theirs = ios18.constexpr_lut_to_sparse.decompress(mask, data, lut, axis)
    given = {"indices_mask": mask, "indices_nonzero_data": data, "lut": lut} | ({} if axis is None else {"vector_axis": axis})
    ours = OPS["constexpr_lut_to_sparse"](**given)
    assert all(same(one, other) for one, other in zip(ours, theirs, strict=True))


def test_sparse_weights_that_are_quantized() -> None:
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]], np.uint8)
    data = np.array([10, 11, 3, 4, 5, 6, 7, 8, 9], np.int8)
    scale, offset = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32), np.array([[1, 2, 3, 4]], np.int8)
    ours = OPS["constexpr_sparse_blockwise_shift_scale"](data_mask=mask, nonzero_data=data, scale=scale, offset=offset)
    assert ours[0] is mask
    assert ours[1].tolist() == pytest.approx([0.9, 1.8, 0.2, 0.4, 0.6, 0.6 + 0.3, 1.2, 0.7, 1.4], abs=1e-6)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("constexpr_lut_to_dense", {"indices": codes(8, 3), "lut": numbers(16), "shape": np.array([7])}),
        ("constexpr_lut_to_dense", {"indices": codes(8, 3), "lut": numbers(5), "shape": np.array([3])}),
        ("constexpr_lut_to_dense", {"indices": codes(2, 3), "lut": numbers(2, 4, 1)}),
        ("constexpr_lut_to_dense", {"indices": codes(2, 3), "lut": numbers(4, 1)}),
        ("constexpr_sparse_to_dense", {"nonzero_data": numbers(3), "mask": codes(8, 1), "shape": np.array([2**40])}),
        ("constexpr_blockwise_shift_scale", {"data": codes(4, 5), "scale": numbers(2)}),
        ("constexpr_cast", {"source_val": numbers(2), "output_dtype": "int8"}),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_a_sentence(operation: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fit|cast to"):
        OPS[operation](**given)


def test_quantizing_rounds_halves_to_even_and_stays_within_the_type() -> None:
    given = np.array([[0.5, 1.5, -2.5, 1000]], np.float32)
    ours = OPS["quantize"](input=given, scale=np.float32(1), output_dtype="int8", zero_point=np.int8(1))
    assert ours.dtype == np.int8
    assert ours.tolist() == [[1, 3, -1, 127]]


def test_dequantizing_undoes_quantizing_along_an_axis() -> None:
    scale, zero = np.array([0.5, 0.25], np.float32), np.array([3, 250], np.uint8)
    values = np.array([[1.5, -0.5, 4], [0.25, 1, -5]], np.float32)
    axis = np.int32(-2)
    stored = OPS["quantize"](input=values, scale=scale, output_dtype="uint8", zero_point=zero, axis=axis)
    assert np.array_equal(OPS["dequantize"](input=stored, scale=scale, zero_point=zero, axis=axis), values)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Path]:
    """One model for each of two deployment targets."""
    weight = np.random.default_rng(1).normal(size=(32, 64)).astype(np.float32)

    def program(x: Any) -> Any:
        return mb.linear(x=x, weight=weight, bias=np.zeros(32, np.float32), name="y")

    folder = tmp_path_factory.mktemp("plain")
    return {
        target: built(
            mb.program(input_specs=[mb.TensorSpec(shape=(2, 64))], opset_version=target)(program),
            folder / f"{target.name}.mlpackage",
            minimum_deployment_target=target,
            compute_precision=ct.precision.FLOAT16,
        )
        for target in (ct.target.iOS16, ct.target.iOS18)
    }


def linear(**options: Any) -> Any:
    def compress(model: Any) -> Any:
        settings = cto.OpLinearQuantizerConfig(mode="linear", weight_threshold=1, **options)
        return cto.linear_quantize_weights(model, cto.OptimizationConfig(global_config=settings))

    return compress


def palette(**options: Any) -> Any:
    def compress(model: Any) -> Any:
        settings = cto.OpPalettizerConfig(mode="uniform", weight_threshold=1, **options)
        return cto.palettize_weights(model, cto.OptimizationConfig(global_config=settings))

    return compress


def pruned(model: Any) -> Any:
    settings = cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=1)
    return cto.prune_weights(model, cto.OptimizationConfig(global_config=settings))


@pytest.mark.parametrize(
    ("target", "compress"),
    [
        ("iOS16", linear(dtype="int8")),
        ("iOS16", linear(dtype="uint8")),
        *(("iOS16", palette(nbits=bits)) for bits in (1, 2, 4, 6, 8)),
        ("iOS16", pruned),
        ("iOS18", linear(dtype="int4", granularity="per_block", block_size=16)),
        ("iOS18", linear(dtype="uint4", granularity="per_channel")),
        ("iOS18", linear(dtype="int8", granularity="per_tensor")),
        *(("iOS18", palette(nbits=bits, granularity="per_grouped_channel", group_size=8)) for bits in (1, 2, 3, 4, 6)),
        ("iOS18", pruned),
    ],
)
def test_a_compressed_model_answers_as_the_decompressed_one(
    plain: dict[Any, Path], tmp_path: Path, target: str, compress: Any
) -> None:
    with folders_of_its_own():
        small = compress(ct.models.MLModel(str(plain[getattr(ct.target, target)]), skip_model_load=True))
        small.save(str(tmp_path / "small.mlpackage"))
        cto.decompress_weights(small).save(str(tmp_path / "large.mlpackage"))
        function = small.get_spec().mlProgram.functions["main"]
        del small
    operations = function.block_specializations[function.opset].operations
    assert any(operation.type.startswith("constexpr_") for operation in operations)
    x = np.random.default_rng(2).normal(size=(2, 64)).astype(np.float16)
    answers = [asked(opened(tmp_path / f"{name}.mlpackage"), x=x)["y"] for name in ("small", "large")]
    assert np.array_equal(*answers)
    assert np.abs(answers[0]).max() > 0
