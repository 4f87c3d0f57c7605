"""The settings of the specification, as they stand there."""

SYSTEM = """\
model_system:
  # Model registry
  registry:
    discovery_interval: "30s"
    health_check_interval: "10s"
    cache_ttl: "1h"

  # Backend configurations
  backends:
    ollama:
      endpoint: "http://localhost:11434"
      models: ["gemma3:4b", "llama3:8b"]
      timeout_ms: 30000

    coreml:
      compute_units: "all"
      cache_dir: "/tmp/coreml_cache"
      models: ["FastViTT8F16.mlpackage"]

    openai:
      api_key: "${OPENAI_API_KEY}"
      models: ["gpt-4-turbo", "gpt-3.5-turbo"]

  # Selection engine
  selection:
    algorithm: "multi_criteria"
    weights:
      performance: 0.4
      cost: 0.3
      reliability: 0.2
      capabilities: 0.1
    constraints:
      max_latency_ms: 5000
      max_cost_per_request: 0.01

  # Hot-swapping
  hot_swap:
    enabled: true
    grace_period_ms: 30000
    validation_timeout_ms: 5000

  # Performance monitoring
  monitoring:
    metrics_interval: "5s"
    health_check_interval: "30s"
    alert_thresholds:
      error_rate: 0.05
      latency_p95_ms: 2000
"""
