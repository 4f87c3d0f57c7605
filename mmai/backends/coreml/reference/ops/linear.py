"""Products of matrices: linear layers, matmul, einsum and attention."""

from string import ascii_lowercase

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def linear(x: Array, *, weight: Array, bias: Array | None = None) -> Array:
    """x times the transpose of `weight`, of shape outputs x inputs, and `bias`."""
    out = np.matmul(x, weight.T)
    if bias is not None:
        out += bias
    return out


def matmul(x: Array, *, y: Array, transpose_x: Array | bool = False, transpose_y: Array | bool = False) -> Array:
    """The product of the last two axes, batched over the others."""
    left = np.swapaxes(x, -1, -2) if bool(transpose_x) and x.ndim > 1 else x
    right = np.swapaxes(y, -1, -2) if bool(transpose_y) and y.ndim > 1 else y
    return np.matmul(left, right)


def einsum(*, values: list[Array], equation: str) -> Array:
    """As Einstein wrote sums.

    Core ML takes `nchw,nwhu->nchu` with or without n, in any letters. NumPy's `einsum` before 2.4 is twenty times slower at it.
    """
    if _shape_of(equation) not in ("abcd,adce->abce", "abc,cbd->abd"):
        out: Array = np.einsum(equation, *values)
        return out
    left, right = (each.swapaxes(-2, -3) for each in values)
    return np.matmul(left, right).swapaxes(-2, -3)


def _shape_of(equation: str) -> str:
    """The equation with its letters in the order of the alphabet."""
    used = dict.fromkeys(filter(str.isalpha, equation))
    return equation.translate(dict(zip(map(ord, used), ascii_lowercase, strict=False)))


def scaled_dot_product_attention(*, query: Array, key: Array, value: Array, attn_mask: Array | None = None) -> Array:
    """softmax(query key^T / sqrt(E) + mask) value; a mask of booleans says where to look, one of numbers is added."""
    scale = np.float32(1 / np.sqrt(query.shape[-1]))
    scores = np.matmul(query * scale, np.swapaxes(key, -1, -2))
    if attn_mask is not None:
        scores += np.where(attn_mask, np.float32(0), np.float32(-np.inf)) if attn_mask.dtype == np.bool_ else attn_mask
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return np.matmul(scores, value)


OPS: Table = {
    "einsum": einsum,
    "linear": linear,
    "matmul": matmul,
    "scaled_dot_product_attention": scaled_dot_product_attention,
}
