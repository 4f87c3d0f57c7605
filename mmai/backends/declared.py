"""What the settings say of a model, laid over what its provider says."""

from msgspec.structs import replace

from mmai.values.model import ModelCard

DECLARABLE = (
    "capabilities",
    "tasks",
    "only_tasks",
    "inputs",
    "context_tokens",
    "max_output_tokens",
    "size_bytes",
    "parameter_count",
    "quantization",
    "family",
    "price",
    "profile",
    "deprecated",
)
"""Facts a person may know better. Who offers a model, where it runs and what is in memory are the server's to say."""
BLANK = ModelCard(provider="", name="")


def with_declared(card: ModelCard, declared: ModelCard | None) -> ModelCard:
    """The card with every fact the settings state; what they leave at its default they do not state."""
    if declared is None:
        return card
    stated = {name: getattr(declared, name) for name in DECLARABLE}
    return replace(card, **{name: value for name, value in stated.items() if value != getattr(BLANK, name)})
