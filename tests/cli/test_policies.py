"""What counts in a choice: policies, weights, and exploring."""

import pytest
from command import Mmai
from fakes.ollama import FakeOllama

QUESTION = "why is the sky blue?"


def test_a_policy_brings_its_weights_and_its_name(on: Mmai) -> None:
    data = on("select", "--json", "--policy", "quality", QUESTION).json["data"]
    assert (data["policy"], data["weights"]["capability"]) == ("quality", pytest.approx(0.98))
    plain = on("select", "--json", QUESTION).json["data"]
    assert (plain["policy"], plain["weights"]["performance"]) == ("balanced", pytest.approx(0.4))


def test_weights_are_those_that_are_named(on: Mmai) -> None:
    data = on("select", "--json", "--weights", "performance=3, capability=1", QUESTION).json["data"]
    assert data["weights"] == {"performance": 0.75, "cost": 0.0, "reliability": 0.0, "capability": 0.25}
    assert data["policy"] is None


def test_the_flag_wins_over_the_variable_over_the_file(on: Mmai) -> None:
    on.configure("selection: {policy: cheap}")

    def policy(*flags: str, **env: str) -> str:
        return str(on("select", "--json", *flags, QUESTION, env=env).json["data"]["policy"])

    assert policy() == "cheap"
    assert policy(MMAI_POLICY="fast") == "fast"
    assert policy("--policy", "quality", MMAI_POLICY="fast") == "quality"


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("speed=1", "`speed=1` is not `term=weight` with one of performance, cost, reliability, capability"),
        ("cost", "`cost` is not `term=weight`"),
        ("cost=-1", "`cost=-1`: a weight is a number of 0 or more"),
        ("cost=nan", "`cost=nan`: a weight is a number of 0 or more"),
        ("cost=1,cost=2", "`cost` is given twice"),
        ("cost=0,capability=0", "all weights are 0, which ranks nothing"),
    ],
)
def test_weights_that_rank_nothing_are_refused(mmai: Mmai, weights: str, says: str) -> None:
    result = mmai("select", "--weights", weights, QUESTION)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "hint: mmai select --weights performance=1,capability=2" in result.stderr


def test_an_unknown_policy_names_those_there_are(mmai: Mmai) -> None:
    result = mmai("select", "--policy", "best", QUESTION)
    assert result.exit_code == 2
    assert "balanced" in result.stderr


def test_weights_go_with_a_policy_that_limits_and_not_with_one_that_weighs(on: Mmai) -> None:
    both = on("select", "--policy", "fast", "--weights", "cost=1", QUESTION)
    assert both.exit_code == 2
    assert "only `local` and `private` go with weights" in both.stderr
    limited = on("select", "--json", "--policy", "private", "--weights", "capability=1", QUESTION).json["data"]
    assert limited["weights"]["capability"] == 1.0
    assert limited["analysis"]["constraints"]["policy"] == "private"


def test_a_private_choice_stays_on_this_machine(on: Mmai, ollama: FakeOllama) -> None:
    ollama.models = {"glm:cloud": ollama.add("glm:cloud", remote_host="https://ollama.com", described=True)}
    on("discover")
    assert on("select", QUESTION).stdout == "ollama:glm:cloud\n"
    for policy in ("private", "local"):
        refused = on("select", "--policy", policy, QUESTION)
        assert refused.exit_code == 3
        assert f"`--policy {policy}`" in refused.stderr
    assert on("run", "-m", "ollama:glm:cloud", "--policy", "private", QUESTION).exit_code == 3


@pytest.mark.parametrize("flags", [("--policy", "fast"), ("--weights", "cost=1"), ("--explore",)])
def test_what_weighs_models_is_refused_beside_a_named_one(on: Mmai, flags: tuple[str, ...]) -> None:
    result = on("run", "-m", "ollama:gemma3:4b", *flags, QUESTION)
    assert result.exit_code == 2
    assert "is for an automatic choice, and `ollama:gemma3:4b` is named" in result.stderr


def test_exploring_takes_another_model_now_and_then_and_says_so(on: Mmai) -> None:
    # What is drawn is random: about every second draw falls on another model than the best.
    runs = (on("run", "--explore", "--weights", "capability=1", QUESTION) for _ in range(24))
    assert any("which scores highest" in run.stderr for run in runs)
    assert on("select", "--json", QUESTION).json["data"]["explored"] is False
