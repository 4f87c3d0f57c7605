"""`mmai discover` and `mmai models` with models in files."""

import shutil
from pathlib import Path

import pytest
from command import Mmai
from packages.shipped import DOMINANT_COLOR, KEYWORD_INTENTS


def put(mmai: Mmai, source: Path, name: str) -> Path:
    """A shipped model in the folder mmai looks in unless told otherwise."""
    target = mmai.home / "mmai" / "models" / name
    return Path(shutil.copytree(source, target))


def test_models_in_files_are_found_without_any_setting(mmai: Mmai) -> None:
    put(mmai, DOMINANT_COLOR, "Colors.mlpackage")
    result = mmai("discover", "coreml", "--json")
    assert result.exit_code == 0
    (model,) = result.json["data"]["models"]
    assert (model["model"], model["locality"], model["health"]) == ("coreml:Colors", "local", "healthy")
    assert (model["capabilities"], model["inputs"], model["quantization"]) == (["image_classification"], ["image"], "float16")
    assert model["package"]["labels"] == ["red", "green", "blue", "white", "black"]
    assert model["package"]["roles"]["source"] == "metadata"
    assert mmai("models", "list", "--json").json["data"]["models"] == [model]


def test_a_broken_model_is_a_row_with_its_reason(mmai: Mmai) -> None:
    (mmai.home / "mmai" / "models" / "Broken.mlpackage").mkdir(parents=True)
    put(mmai, KEYWORD_INTENTS, "Intents.mlpackage")
    result = mmai("discover", "coreml", "--output", "csv")
    assert result.exit_code == 0
    rows = {line.split(",")[0]: line for line in result.stdout.splitlines()}
    assert "failing: `Broken.mlpackage` has no `Manifest.json`" in rows["coreml:Broken"]
    assert ",healthy," in rows["coreml:Intents"]
    data = mmai("models", "list", "--json").json["data"]["models"]
    assert {model["model"]: (model["health"], model["problem"]) for model in data} == {
        "coreml:Broken": ("failing", "`Broken.mlpackage` has no `Manifest.json`"),
        "coreml:Intents": ("healthy", None),
    }


def test_notes_that_do_not_fit_are_told_with_their_line(mmai: Mmai) -> None:
    put(mmai, DOMINANT_COLOR, "Colors.mlpackage")
    (mmai.home / "mmai" / "models" / "Colors.mmai.yaml").write_text("# what it is\nlables: [a]\n")
    (model,) = mmai("discover", "coreml", "--json").json["data"]["models"]
    assert model["problem"] == "`Colors.mmai.yaml` line 2: there is no key `lables`; did you mean `labels`?"


def test_an_empty_home_says_nothing_of_models_in_files(mmai: Mmai) -> None:
    result = mmai("discover")
    assert result.exit_code == 0
    assert "coreml" not in result.stdout + result.stderr


def test_who_asks_for_models_in_files_is_told_where_they_would_be(mmai: Mmai) -> None:
    result = mmai("discover", "coreml")
    folder = mmai.home / "mmai" / "models"
    assert result.exit_code == 0
    assert "healthy: no models" in result.stdout
    assert f"models in files are looked for in `{folder}`\n" in result.stderr
    assert mmai("paths", "--json").json["data"]["models"] == str(folder)


def test_a_folder_somebody_named_is_a_row_even_where_it_is_empty(mmai: Mmai) -> None:
    mmai.configure("coreml: {directories: [mine]}")
    (mmai.home / "mmai" / "mine").mkdir()
    assert f"healthy: no models under `{mmai.home / 'mmai' / 'mine'}`" in mmai("discover").stdout


def test_a_folder_somebody_named_and_that_is_not_there_is_failing(mmai: Mmai) -> None:
    mmai.configure("coreml: {directories: [mine]}")
    assert f"failing: the folder `{mmai.home / 'mmai' / 'mine'}` does not exist" in mmai("discover").stdout


def test_a_broken_model_is_never_chosen(mmai: Mmai) -> None:
    package = put(mmai, DOMINANT_COLOR, "Colors.mlpackage")
    (package / "Manifest.json").unlink()
    mmai("discover", "coreml")
    result = mmai("select", "--task", "image_classification", "x", "--explain", "--json")
    assert "coreml:Colors" not in str(result.json["data"] and result.json["data"].get("model"))
    assert "has no `Manifest.json`" in result.stdout


@pytest.mark.parametrize("task", ["conversation", "text_analysis"])
def test_a_classifier_of_texts_is_never_chosen_for_a_prompt(mmai: Mmai, task: str) -> None:
    put(mmai, KEYWORD_INTENTS, "Intents.mlpackage")
    mmai("discover", "coreml")
    result = mmai("select", "--task", task, "--provider", "coreml", "please stop")
    assert result.exit_code == 3
    assert "coreml:Intents" not in result.stdout


def test_a_model_of_the_settings_is_found_by_its_name_and_keeps_what_its_files_say(mmai: Mmai) -> None:
    put(mmai, DOMINANT_COLOR, "Colors.mlpackage")
    mmai.configure(
        """
        coreml:
          models:
            - name: FastViTT8F16
              model_path: models/Colors.mlpackage
              capabilities: [image_classification, feature_extraction]
              input_shape: [1, 3, 256, 256]
              performance_profile: {latency_ms: 0.65}
        """
    )
    (model,) = mmai("discover", "coreml", "--json").json["data"]["models"]
    assert (model["model"], model["capabilities"]) == ("coreml:FastViTT8F16", ["image_classification", "embedding"])
    assert (model["profile"]["latency_ms"], model["package"]["roles"]["task"]) == (0.65, "image_classification")


def test_a_path_with_spaces_and_quotes_is_run(mmai: Mmai) -> None:
    folder = mmai.home / 'it\'s "mine" 模型'
    shutil.copytree(KEYWORD_INTENTS, folder / "My Intents.mlpackage")
    result = mmai("run", "-q", "-m", f"coreml:{folder}/My Intents.mlpackage", "-O", "top_k=1", "please stop")
    assert (result.exit_code, result.stdout) == (0, "0.99  turn_off\n")


@pytest.mark.parametrize("found_before", [True, False])
def test_a_damaged_model_says_what_it_is_and_where_more_is_told(mmai: Mmai, found_before: bool) -> None:
    put(mmai, KEYWORD_INTENTS, "Bad.mlpackage")
    (mmai.home / "mmai/models/Bad.mlpackage/Data/com.apple.CoreML/weights/weight.bin").unlink()
    if found_before:
        mmai("discover", "coreml")
    result = mmai("run", "-m", "coreml:Bad", "please stop")
    assert result.exit_code == 3
    assert result.stderr == (
        "error: `coreml:Bad` cannot be run: the weights of `Bad.mlpackage` are missing: there is no `weight.bin`\n"
        "hint: mmai models show coreml:Bad\n"
    )


def test_a_folder_that_is_not_there_keeps_nobody_from_the_models_of_another(mmai: Mmai) -> None:
    put(mmai, KEYWORD_INTENTS, "Intents.mlpackage")
    mmai.configure("coreml: {directories: [mine, models]}")
    told = f"the folder `{mmai.home / 'mmai' / 'mine'}` does not exist"
    discovered = mmai("discover", "coreml")
    assert [" ".join(line.split()) for line in discovered.stdout.splitlines()[2:]] == [
        "coreml:Intents coreml this machine 3 kB 16 text_classification free healthy –",
        f"coreml coreml healthy: {told}",
    ]
    assert f"1 model, {told}" in mmai("status").stdout
