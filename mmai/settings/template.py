"""The file `config init` writes: every key, what it means and what it is by default, all of it commented out."""

from mmai.settings.providers import OLLAMA_URL
from mmai.settings.reference import BACKEND, SECTIONS
from mmai.settings.table import ANY_NAME, Key, Table

HEAD = """\
# Settings of mmai. Take the # away from a line to change what stands behind it: `#model: auto` becomes `model: auto`.
# `null` means not set. Durations are `500ms`, `30s`, `2m`, `1h`, or a number of seconds.
# Text may hold variables of the environment: ${NAME}, or ${NAME:-default}; $$ is a dollar.
# A project's own `mmai.yaml` has the same keys without `api_key` and `key_cmd`, and wins over this file.
# `mmai config check` looks for mistakes, `mmai config show --origin` says where every value comes from.
"""

EXAMPLE = """\
  # Any other provider is a block with the same keys under a name of your choice, which stands before the colon of its models:
  # openai:
  #   models:
  #     - gpt-4-turbo
  #     - name: dall-e-3
  #       capabilities: [image_generation]
  #       cost_per_image: 0.04
  # A service with an HTTP API of its own says how it is asked, and where in its answer is what (JMESPath):
  # sentiment:
  #   kind: custom
  #   endpoint: https://lab.example.com
  #   request:
  #     path: /models/{model}
  #     body: {inputs: "{prompt}", parameters: {temperature: "{temperature}"}}
  #   response:
  #     labels: "[0][*].{name: label, probability: score}"
  #     error: error
  #   models: [distilbert-sst2]
"""


def default_config() -> str:
    """YAML that changes nothing as it stands, nor with every `#` before a key taken away."""
    return "\n".join([HEAD, *_section(SECTIONS, indent="")])


def _section(table: Table, indent: str) -> list[str]:
    lines = []
    for name, entry in table.items():
        if isinstance(entry, Key):
            if entry.alias_of is None or name == "endpoint":
                lines += [f"{indent}# {entry.meaning[0].upper()}{entry.meaning[1:]}.", f"{indent}#{name}: {entry.default}"]
        elif ANY_NAME in entry:
            lines += [f"{indent}{name}:", *_ollama(f"{indent}  "), EXAMPLE]
        else:
            lines += [f"{indent}{name}:", *_section(entry, f"{indent}  "), *([""] if not indent else [])]
    return lines


def _ollama(indent: str) -> list[str]:
    """The one provider that is always there, with the keys that fit it."""
    table: Table = {
        name: entry
        for name, entry in BACKEND.items()
        if isinstance(entry, Key) and name not in ("kind", "endpoints") and entry.kind in (None, "ollama")
    }
    text = "\n".join(_section(table, f"{indent}  "))
    return [f"{indent}ollama:", text.replace("#endpoint: null", f"#endpoint: {OLLAMA_URL}")]
