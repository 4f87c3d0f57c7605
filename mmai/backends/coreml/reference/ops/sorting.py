"""By size: the largest elements, the order of elements, those that are not zero, and boxes that do not overlap."""

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table


def argsort(x: Array, *, axis: Array | int = -1, ascending: Array | bool = False) -> Array:
    """The indices that sort along an axis, the largest first; equals keep their order."""
    return _order(x, int(axis), ascending=bool(ascending))


def topk(
    x: Array,
    *,
    k: Array | int = 1,
    axis: Array | int = -1,
    ascending: Array | bool = False,
    sort: Array | bool = True,
    return_indices: Array | bool = True,
    output_indices_dtype: str = "int32",
) -> tuple[Array, ...] | Array:
    """The `k` largest along an axis, or the smallest if ascending, in order; and where they are."""
    along = int(axis) % x.ndim
    count = x.shape[along] if int(k) == -1 else int(k)
    first = (slice(None),) * along + (slice(0, count),)
    where = _order(x, along, ascending=bool(ascending))[first]
    values = np.take_along_axis(x, where, along)
    return (values, where) if bool(return_indices) else values


def non_zero(x: Array) -> Array:
    """Where elements are not zero: points x axes, in order."""
    return np.argwhere(x)


def non_maximum_suppression(
    *,
    boxes: Array,
    scores: Array,
    iou_threshold: Array | float,
    max_boxes: Array | int,
    score_threshold: Array | float | None = None,
    per_class_suppression: Array | bool = False,
) -> tuple[Array, ...]:
    """The best boxes that overlap no better one by more than a threshold.

    Args:
        boxes: batch x boxes x 4: center, width and height.
        scores: batch x boxes x classes.
        score_threshold: without it, as since iOS 17, the boxes are the last axis of all that has them, and the counts are left
            out of the results.

    Returns:
        Boxes, scores and indices of those kept, up to `max_boxes` of them and then filled up with zeros and index -1; and how
        many were kept. Where no score is high enough, the best box is kept alone. Source: coremltools' tests.
    """
    if score_threshold is not None:
        return _kept(boxes, scores, float(score_threshold), float(iou_threshold), int(max_boxes), bool(per_class_suppression))
    turned = (boxes.swapaxes(1, 2), scores.swapaxes(1, 2))
    found = _kept(*turned, -np.inf, float(iou_threshold), int(max_boxes), bool(per_class_suppression))
    return found[0].swapaxes(1, 2), found[1].swapaxes(1, 2), found[2]


def _kept(boxes: Array, scores: Array, least: float, iou: float, count: int, apart: bool) -> tuple[Array, Array, Array, Array]:
    batch, _, classes = scores.shape
    kept_boxes = np.zeros((batch, count, 4), np.float32)
    kept_scores = np.zeros((batch, count, classes), np.float32)
    indices = np.full((batch, count), -1, np.int32)
    counts = np.zeros(batch, np.int32)
    for at in range(batch):
        kept = _suppressed(boxes[at], scores[at], iou, least, count, apart=apart)
        kept_boxes[at, : len(kept)] = boxes[at, kept]
        kept_scores[at, : len(kept)] = scores[at, kept]
        indices[at, : len(kept)] = kept
        counts[at] = len(kept)
    return kept_boxes, kept_scores, indices, counts


def _suppressed(boxes: Array, scores: Array, iou: float, least: float, most: int, *, apart: bool) -> list[int]:
    best, classes = scores.max(axis=1), scores.argmax(axis=1)
    order = np.argsort(-best, kind="stable")
    order = order[best[order] > least]
    kept: list[int] = []
    while order.size and len(kept) < most:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        overlaps = _overlap(boxes[first], boxes[rest]) > iou
        if apart:
            overlaps &= classes[rest] == classes[first]
        order = rest[~overlaps]
    return kept or [int(best.argmax())]


def _overlap(box: Array, others: Array) -> Array:
    """Intersection over union of one box with each of the others."""
    low = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = box[2:].prod() + others[:, 2:].prod(axis=1) - shared
    out: Array = np.where(union > 0, shared / np.where(union > 0, union, 1), 0)
    return out


def _order(x: Array, axis: int, *, ascending: bool) -> Array:
    if not ascending:
        # The complement also turns the order of whole numbers and truths around, and never overflows.
        x = -x if x.dtype.kind == "f" else ~x
    return np.argsort(x, axis=axis, kind="stable")


OPS: Table = {
    "argsort": argsort,
    "non_maximum_suppression": non_maximum_suppression,
    "non_zero": non_zero,
    "topk": topk,
}
