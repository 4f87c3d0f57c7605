"""Where Core ML plans to compute a model, from its compute plan. A plan is not a measurement: Core ML tells nobody where it did."""

from collections.abc import Iterator
from typing import Any

DEVICES = {"MLCPUComputeDevice": "cpu", "MLGPUComputeDevice": "gpu", "MLNeuralEngineComputeDevice": "neural_engine"}

Item = tuple[str | None, float | None]
"""Preferred device and estimated share of the cost, of one operation or layer."""


def shares(plan: Any, function: str | None) -> dict[str, float] | None:
    """Device to its share of the estimated cost, the largest first, adding up to 1. Of a neural network's layers no cost is
    estimated, and each counts the same; None where the plan knows nothing.

    Args:
        plan: coremltools' `MLComputePlan`.
        function: of a model with several; None is the default.
    """
    items = [(device, cost) for device, cost in _items(plan, function) if device is not None]
    costs = [cost for _, cost in items if cost is not None]
    known = sum(costs) > 0
    weights: dict[str, float] = {}
    for device, cost in items:
        weights[device] = weights.get(device, 0.0) + ((cost or 0.0) if known else 1.0)
    total = sum(weights.values())
    return {device: weight / total for device, weight in sorted(weights.items(), key=lambda each: -each[1])} if total else None


def _items(plan: Any, function: str | None) -> Iterator[Item]:
    structure = plan.model_structure
    if structure.program is not None:
        functions = structure.program.functions
        chosen = functions.get(function or "main") or next(iter(functions.values()))
        for operation in _operations(chosen.block):
            cost = plan.get_estimated_cost_for_mlprogram_operation(operation)
            yield _device(plan.get_compute_device_usage_for_mlprogram_operation(operation)), cost and cost.weight
    elif structure.neuralnetwork is not None:
        for layer in structure.neuralnetwork.layers:
            yield _device(plan.get_compute_device_usage_for_neuralnetwork_layer(layer)), None


def _operations(block: Any) -> Iterator[Any]:
    """A loop or branch is no operation of its own here, its blocks are."""
    for operation in block.operations:
        if operation.blocks:
            for inner in operation.blocks:
                yield from _operations(inner)
        else:
            yield operation


def _device(usage: Any) -> str | None:
    return None if usage is None else DEVICES.get(type(usage.preferred_compute_device).__name__, "unknown")
