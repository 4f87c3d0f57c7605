"""The specification's own YAML loads as it stands, and its rows become cards."""

from pathlib import Path

import pytest
from specification import SYSTEM

from mmai.paths import Paths
from mmai.settings import Settings, load
from mmai.settings.models import abilities
from mmai.values.decision import Weights
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.task import Modality, TaskType

OLLAMA = """\
ollama:
  endpoint: "http://localhost:11434"
  models:
    - name: "gemma3:4b"
      context_window: 8192
      capabilities: ["text_generation", "code_generation", "reasoning"]
      performance_profile:
        tokens_per_second: 150
        memory_usage_mb: 2048
        cold_start_time_ms: 2000
    - name: "llama3:8b"
      context_window: 4096
      capabilities: ["conversation", "analysis", "creative_writing"]
      performance_profile:
        tokens_per_second: 80
        memory_usage_mb: 4096
        cold_start_time_ms: 3000
"""

COREML = """\
coreml:
  compute_units: "all"  # all, cpu_only, neural_engine
  model_cache_dir: "/tmp/coreml_cache"
  models:
    - name: "FastViTT8F16"
      model_path: "FastViTT8F16.mlpackage"
      input_shape: [1, 3, 224, 224]
      output_shape: [1, 1000]
      capabilities: ["image_classification", "feature_extraction"]
      performance_profile:
        latency_ms: 15
        throughput_ips: 65
        memory_usage_mb: 50
    - name: "WhisperTiny"
      model_path: "whisper-tiny.mlpackage"
      capabilities: ["speech_to_text", "audio_processing"]
      performance_profile:
        latency_ms: 200
        throughput_ips: 5
        memory_usage_mb: 75
"""

HOSTED = """\
api_backends:
  openai:
    api_key: "${OPENAI_API_KEY}"
    models:
      - name: "gpt-4-turbo"
        context_window: 128000
        capabilities: ["text_generation", "code_generation", "analysis"]
        cost_per_token: 0.00003
      - name: "dall-e-3"
        capabilities: ["image_generation"]
        cost_per_image: 0.040

  anthropic:
    api_key: "${ANTHROPIC_API_KEY}"
    models:
      - name: "claude-3-opus"
        context_window: 200000
        capabilities: ["reasoning", "analysis", "creative_writing"]
        cost_per_token: 0.000015
"""


def loaded(folder: Path, text: str) -> Settings:
    paths = Paths.find({"MMAI_HOME": str(folder)})
    paths.config.write_text(text)
    return load(paths, env={}, cwd=folder)


def cards(settings: Settings, provider: str) -> list[ModelCard]:
    return [model.card for model in settings.backends[provider].models]


def test_the_system_example_sets_what_it_says(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SYSTEM)
    assert (settings.registry.discovery_interval_s, settings.registry.cache_ttl_s) == (30.0, 3600.0)
    assert settings.selection.weights == Weights()
    assert (settings.selection.constraints.max_latency_ms, settings.selection.constraints.max_cost_usd) == (5000.0, 0.01)
    assert settings.hot_swap.grace_period_ms == 30000.0
    assert settings.monitoring.alert_thresholds.latency_p95_ms == 2000.0
    assert {"ollama", "coreml", "openai"} <= settings.backends.keys()
    assert settings.backends["ollama"].timeout_ms == 30000.0


def test_the_system_example_loads_without_its_key_and_says_why_there_is_none(tmp_path: Path) -> None:
    reason = loaded(tmp_path, SYSTEM).backends["openai"].api_key_missing
    assert reason == f"`OPENAI_API_KEY` is not set ({tmp_path}/config.yaml line 21, model_system.backends.openai.api_key)"


def test_the_ollama_example_declares_two_models(tmp_path: Path) -> None:
    gemma, llama = cards(loaded(tmp_path, OLLAMA), "ollama")
    assert (gemma.name, gemma.context_tokens) == ("gemma3:4b", 8192)
    assert gemma.capabilities == ("text_generation",)
    assert gemma.tasks == (TaskType.CODE_GENERATION, TaskType.REASONING)
    assert gemma.profile == Profile(tokens_per_second=150.0, cold_start_ms=2000.0, memory_bytes=2_048_000_000)
    assert llama.capabilities == ("text_generation",)
    assert llama.tasks == (TaskType.CONVERSATION, TaskType.TEXT_ANALYSIS, TaskType.CREATIVE_WRITING)
    assert not llama.only_tasks


def test_the_core_ml_example_declares_models_that_do_one_thing(tmp_path: Path) -> None:
    settings = loaded(tmp_path, COREML)
    vision, whisper = cards(settings, "coreml")
    assert settings.backends["coreml"].cache_dir == "/tmp/coreml_cache"
    assert settings.backends["coreml"].models[0].input_shape == (1, 3, 224, 224)
    assert (vision.inputs, vision.only_tasks) == ((Modality.IMAGE,), True)
    assert vision.capabilities == ("image_classification", "embedding")
    assert vision.profile == Profile(latency_ms=15.0, memory_bytes=50_000_000)
    assert (whisper.inputs, whisper.tasks) == ((Modality.AUDIO,), (TaskType.SPEECH_TRANSCRIPTION,))


def test_a_core_ml_package_named_alone_is_a_path_and_promises_nothing(tmp_path: Path) -> None:
    (model,) = loaded(tmp_path, SYSTEM).backends["coreml"].models
    assert (model.card.name, model.path, model.card.capabilities) == ("FastViTT8F16", "FastViTT8F16.mlpackage", ())


def test_the_hosted_example_is_priced_by_the_million(tmp_path: Path) -> None:
    settings = loaded(tmp_path, HOSTED)
    turbo, dalle = cards(settings, "openai")
    assert turbo.price == Price(input_usd_per_mtok=30.0, output_usd_per_mtok=30.0)
    assert dalle.price == Price(image_usd=0.04)
    assert (dalle.capabilities, dalle.only_tasks) == (("image_generation",), True)
    assert cards(settings, "anthropic")[0].price == Price(input_usd_per_mtok=15.0, output_usd_per_mtok=15.0)


def test_all_the_examples_together_load_too(tmp_path: Path) -> None:
    assert {"ollama", "coreml", "openai", "anthropic"} <= loaded(tmp_path, OLLAMA + COREML + HOSTED).backends.keys()


@pytest.mark.parametrize(
    ("words", "capabilities", "tasks"),
    [
        ((), ("text_generation",), ()),
        (("vision", "tools"), ("text_generation", "vision", "tools"), ()),
        (("Speech-to-Text",), ("speech_transcription",), (TaskType.SPEECH_TRANSCRIPTION,)),
        (("embedding",), ("embedding",), (TaskType.EMBEDDING,)),
        (("embedding", "conversation"), ("text_generation", "embedding"), (TaskType.EMBEDDING, TaskType.CONVERSATION)),
        (("image_understanding",), ("text_generation", "vision"), (TaskType.IMAGE_UNDERSTANDING,)),
    ],
)
def test_words_are_told_apart_as_tasks_and_abilities(
    words: tuple[str, ...], capabilities: tuple[str, ...], tasks: tuple[TaskType, ...]
) -> None:
    assert abilities(words) == (capabilities, tasks)
