"""`mmai run` where the answer is no text, or goes into a file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Mmai
from fakes.google import FakeGoogle
from fakes.ollama import FakeOllama
from fakes.openai import fault
from fakes.openai_media import GENERATIONS, HEARD, JPEG, MP3, PNG, SPEECH, TRANSCRIPTIONS, WEBP, OpenAIMedia, form
from fakes.wall import CLOSE, SILENCE, Gate, head, whole
from screen import Screen

DRAW = ("run", "-m", "openai:gpt-image-2", "a cat")
SPEAK = ("run", "-m", "openai:gpt-4o-mini-tts", "hello")
CHAT = ("run", "-m", "ollama:llama3.2:3b", "hi")


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a place of Linux that takes nothing")


@pytest.fixture
def at(mmai: Mmai, studio: OpenAIMedia) -> Mmai:
    """The command on an empty home, beside a fake OpenAI."""
    mmai.env |= {"OPENAI_BASE_URL": studio.base_url, "OPENAI_API_KEY": "sk-test-0123456789"}
    return mmai


def raw(mmai: Mmai, *args: str) -> tuple[int, bytes, str]:
    """Exit code, standard output as it is, and standard error."""
    with mmai.start(*args) as process:
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err.decode()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in ("mmai", ".cache"))


# Images


def test_an_image_goes_into_the_file(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    result = at(*DRAW, "--out", "cat.png", "-O", "quality=low")
    assert result == (0, "", "wrote cat.png (image/png, 70 B)\n")
    assert (tmp_path / "cat.png").read_bytes() == PNG
    assert leftovers(tmp_path) == ["cat.png"]
    sent = {"model": "gpt-image-2", "prompt": "a cat", "output_format": "png", "quality": "low"}
    assert studio.journal.of(GENERATIONS)[0].json == sent


def test_the_suffix_decides_the_form_and_several_images_are_numbered(at: Mmai, tmp_path: Path) -> None:
    result = at(*DRAW, "--out", "cat.webp", "-O", "n=3", "--json")
    assert result.json["data"]["files"] == [
        {"path": name, "media_type": "image/webp", "size_bytes": len(WEBP)} for name in ("cat.webp", "cat-2.webp", "cat-3.webp")
    ]
    assert result.json["data"]["usage"]["images"] == 3
    assert [(tmp_path / name).read_bytes() for name in ("cat.webp", "cat-2.webp", "cat-3.webp")] == [WEBP] * 3


def test_an_image_can_start_from_another(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    assert at("run", "-m", "openai:gpt-image-2", "a hat", "-f", "photo.png", "--out", "hat.jpg").exit_code == 0
    assert (tmp_path / "hat.jpg").read_bytes() == JPEG
    assert form(studio.journal.requests[0])["prompt"][0].text == "a hat"


def test_a_pipe_gets_the_image_as_it_is(at: Mmai) -> None:
    assert raw(at, *DRAW) == (0, PNG, "")
    assert raw(at, *DRAW, "--out", "-") == (0, PNG, "")


def test_usage_says_what_was_made(at: Mmai) -> None:
    said = at(*DRAW, "--out", "cat.png", "-u").stderr
    assert said.startswith("12 in, 1056 out · 1 image · ")
    assert "tokens/s" not in said


def test_usage_of_speech_has_no_first_token(at: Mmai) -> None:
    assert "first token" not in at(*SPEAK, "--out", "hello.mp3", "-u").stderr


def test_no_code_is_looked_for_in_an_image(at: Mmai) -> None:
    assert at(*DRAW, "--out", "cat.png", "-x").stderr == "wrote cat.png (image/png, 70 B)\n"


def test_lines_tell_of_an_image_without_its_bytes(at: Mmai) -> None:
    lines = [json.loads(line) for line in at(*DRAW, "--out", "cat.png", "-o", "jsonl").stdout.splitlines()]
    assert {"type": "image", "media_type": "image/png", "size_bytes": 70} in lines
    assert lines[-1]["files"] == [{"path": "cat.png", "media_type": "image/png", "size_bytes": 70}]


def test_a_form_the_server_ignored_is_written_and_warned_of(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    studio.paints(PNG)
    result = at(*DRAW, "--out", "cat.webp")
    assert result.exit_code == 0
    assert "warning: `cat.webp` holds image/png, whatever its name says" in result.stderr
    assert (tmp_path / "cat.webp").read_bytes() == PNG


def test_an_image_from_another_provider_goes_the_same_way(mmai: Mmai, google: FakeGoogle, tmp_path: Path) -> None:
    mmai.env |= {"GOOGLE_API_KEY": "a-key-of-google"}
    mmai.configure(
        f"model_system:\n  backends:\n    google:\n      endpoints: ['{google.url}']\n      api_key: a-key-of-google\n"
    )
    google.streams("Here it is.", media=[("image/png", PNG)])
    result = mmai("run", "-m", "google:gemini-2.5-flash-image", "a cat", "--out", "cat.png")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("wrote cat.png (image/png, 70 B)\nHere it is.\n")
    assert (tmp_path / "cat.png").read_bytes() == PNG
    google.streams("I would rather not.")
    result = mmai("run", "-m", "google:gemini-2.5-flash-image", "a cat", "--out", "new.png")
    assert (result.exit_code, result.stdout) == (8, "")
    assert "I would rather not." in result.stderr
    assert "answered without an image" in result.stderr
    assert not (tmp_path / "new.png").exists()


def test_an_image_that_nobody_asked_for_is_kept(mmai: Mmai, google: FakeGoogle, tmp_path: Path) -> None:
    mmai.configure(
        f"model_system:\n  backends:\n    google:\n      endpoints: ['{google.url}']\n      api_key: a-key-of-google\n"
    )
    google.streams("Hello.", media=[("image/png", PNG)])
    result = mmai("run", "-m", "google:gemini-2.5-flash", "hi")
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    kept = next(tmp_path.glob("mmai-*.png"))
    assert kept.read_bytes() == PNG
    assert kept.name in result.stderr


# Screens


def test_a_screen_that_shows_pictures_is_shown_it(at: Mmai, tmp_path: Path) -> None:
    with Screen(at, *DRAW, env={"TERM": "xterm-kitty"}) as screen:
        assert screen.end() == 0
        assert "\x1b_Ga=T,f=100,q=2,c=60,m=0;" in screen.text
    assert leftovers(tmp_path) == []
    with Screen(at, *DRAW, "--out", "cat.png", env={"TERM_PROGRAM": "WezTerm"}) as screen:
        assert screen.end() == 0
        assert "\x1b]1337;File=inline=1;size=70;" in screen.text
    assert (tmp_path / "cat.png").read_bytes() == PNG


@pytest.mark.parametrize(
    ("words", "env", "hint"),
    [
        (DRAW, {}, "mmai run --out image.png"),
        (DRAW, {"TERM": "xterm-kitty", "TMUX": "1"}, "mmai run --out image.png"),
        (DRAW, {"TERM": "dumb"}, "mmai run --out image.png"),
        (SPEAK, {"TERM": "xterm-kitty"}, "mmai run --out speech.mp3"),
    ],
    ids=["image", "tmux", "dumb", "speech"],
)
def test_what_a_screen_cannot_show_is_not_asked_for(
    at: Mmai, studio: OpenAIMedia, words: tuple[str, ...], env: dict[str, str], hint: str
) -> None:
    with Screen(at, *words, env=env) as screen:
        assert screen.end() == 2
        assert "which this terminal cannot show" in " ".join(screen.text.split())
        assert hint in screen.text
    assert studio.journal.requests == []


def test_a_screen_gets_the_bytes_when_it_is_named(at: Mmai) -> None:
    with Screen(at, *SPEAK, "--out", "-") as screen:
        assert screen.end() == 0
        assert screen.text.endswith(MP3.decode(errors="replace"))


def test_a_file_on_a_plain_screen_needs_no_picture(at: Mmai, tmp_path: Path) -> None:
    with Screen(at, *DRAW, "--out", "cat.png") as screen:
        assert screen.end() == 0
        assert "wrote cat.png" in screen.text
    assert (tmp_path / "cat.png").exists()


def test_a_sign_of_life_turns_while_an_image_is_made(at: Mmai, studio: OpenAIMedia) -> None:
    gate = Gate()
    studio.says(gate)
    with Screen(at, *DRAW, "--out", "cat.png") as screen:
        gate.wait_reached()
        screen.until("openai:gpt-image-2")
        screen.press("\x03")
        assert screen.end() == 130


# Transcripts and speech


def test_a_recording_becomes_text(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    result = at("run", "-f", "talk.mp3", "-m", "openai:whisper-1", "-O", "language=en")
    assert (result.exit_code, result.stdout) == (0, f"{HEARD}\n")
    result = at("run", "-f", "talk.mp3", "--task", "speech_transcription", "-m", "openai:whisper-1", "--json")
    assert result.json["data"]["text"] == HEARD
    assert result.json["data"]["usage"]["audio_s"] == 3.0
    assert form(studio.journal.of(TRANSCRIPTIONS)[0])["file"][0].filename == "talk.mp3"


def test_a_recording_may_come_by_a_pipe(at: Mmai, studio: OpenAIMedia) -> None:
    assert at("run", "-m", "openai:whisper-1", stdin=MP3).stdout == f"{HEARD}\n"


def test_text_becomes_speech(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    result = at(*SPEAK, "--out", "hello.flac", "-s", "whisper", "-O", "voice=nova")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("wrote hello.flac (audio/flac, 64 B)\n")
    assert (tmp_path / "hello.flac").read_bytes().startswith(b"fLaC")
    body = studio.journal.of(SPEECH)[0].json
    assert (body["voice"], body["instructions"], body["response_format"]) == ("nova", "whisper", "flac")
    assert raw(at, *SPEAK)[:2] == (0, MP3)


# Who is chosen


def test_a_task_or_a_file_name_chooses_a_model_of_its_kind(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    at("discover")
    assert at("run", "a cat", "--out", "cat.png", "--json").json["data"]["model"] in ("openai:gpt-image-2", "openai:dall-e-3")
    assert at("run", "hello", "--out", "hello.mp3", "--json").json["data"]["model"] == "openai:gpt-4o-mini-tts"
    heard = at("run", "-f", "talk.mp3", "--task", "speech_transcription", "--json").json["data"]
    assert heard["model"] in ("openai:whisper-1", "openai:gpt-4o-transcribe")
    assert heard["text"] == HEARD
    (tmp_path / "photo.png").write_bytes(PNG)
    assert at("run", "a hat", "-f", "photo.png", "--out", "hat.png", "--json").json["data"]["model"] == "openai:gpt-image-2"


@pytest.mark.parametrize(
    "words", [("a cat", "--out", "cat.png"), ("hi", "--out", "hi.mp3"), ("--task", "image_generation", "a cat")]
)
def test_where_nobody_can_it_is_said_which_key_would_help(mmai: Mmai, words: tuple[str, ...]) -> None:
    result = mmai("run", *words)
    assert result.exit_code == 3
    assert "hint: mmai keys set openai" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "speech_transcription", "hi"), "there is no recording to transcribe"),
        (("--task", "speech_transcription"), "there is no recording to transcribe"),
        (("--task", "speech_synthesis"), "there is no text to speak"),
        (("--out", "cat.png"), "nothing says what the image is to show"),
    ],
)
def test_a_task_without_its_material_is_a_usage_error(at: Mmai, studio: OpenAIMedia, words: tuple[str, ...], said: str) -> None:
    result = at("run", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert studio.journal.requests == []


def test_a_file_name_is_a_task_for_a_named_model_too(at: Mmai, studio: OpenAIMedia) -> None:
    for words, lacking in (
        ((*DRAW, "--out", "cat.mp3"), "speech_synthesis"),
        ((*SPEAK, "--out", "cat.png"), "image_generation"),
    ):
        result = at(*words)
        assert result.exit_code == 3
        assert f"lacks `{lacking}`" in result.stderr
    assert studio.journal.requests == []


def test_a_model_nobody_knows_is_asked_for_what_was_named(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    studio.add("mystery")
    studio.paints(PNG)
    assert at("run", "-m", "openai:mystery", "a cat", "--out", "cat.png").exit_code == 0
    assert (tmp_path / "cat.png").read_bytes() == PNG


def test_a_model_without_its_material_refuses_before_sending(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    for words in (("-m", "openai:whisper-1", "hi"), ("-m", "openai:gpt-image-2", "a", "-f", "talk.mp3", "--out", "a.png")):
        assert at("run", *words).exit_code == 3
    assert studio.journal.of(TRANSCRIPTIONS) == studio.journal.of(GENERATIONS) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*DRAW, "--json"), "no place in JSON"),
        ((*DRAW, "-o", "jsonl"), "no place in JSON"),
        ((*SPEAK, "--json"), "no place in JSON"),
        ((*DRAW, "--task", "image_generation", "--out", "cat.mp3"), "is not the name of such a file"),
        ((*SPEAK, "--task", "speech_synthesis", "--out", "cat.png"), "is not the name of such a file"),
        ((*DRAW, "--out", "-", "--json"), "both want standard output"),
        ((*DRAW, "-O", "n=2"), "several images cannot share standard output"),
        ((*DRAW, "--out", "nowhere/cat.png"), "there is no folder `nowhere`"),
        ((*DRAW, "--out", "mmai"), "`mmai` is a folder"),
        pytest.param((*DRAW, "--out", "/proc/cat.png"), "`/proc/cat.png` cannot be written", marks=LINUX),
        ((*DRAW, "--out", f"{'c' * 300}.png"), "cannot be written: File name too long"),
    ],
)
def test_an_answer_without_a_place_to_go_is_not_asked_for(
    at: Mmai, studio: OpenAIMedia, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "mmai").mkdir(exist_ok=True)
    result = at(*words)
    assert result.exit_code == 2
    assert said in result.stdout + result.stderr
    assert studio.journal.requests == []


def test_dry_run_shows_the_request_and_touches_nothing(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    shown = at("run", "-f", "talk.mp3", "-m", "openai:whisper-1", "-O", "language=en", "--dry-run").stdout
    assert shown.startswith(f"POST {studio.base_url}/audio/transcriptions\nAuthorization: ****\n")
    assert f'"file": "<talk.mp3, {len(MP3)} bytes>"' in shown
    assert at(*DRAW, "--out", "nowhere/cat.png", "--dry-run").exit_code == 0
    assert studio.journal.requests == []
    assert leftovers(tmp_path) == ["talk.mp3"]


# Text into files


@pytest.mark.parametrize("options", [(), ("-x",), ("--schema", "name"), ("--no-stream",)])
def test_a_file_gets_what_standard_output_would(on: Mmai, ollama: FakeOllama, tmp_path: Path, options: tuple[str, ...]) -> None:
    ollama.streams('```json\n{"name"', ': "Ada"}\n```') if "-x" in options else ollama.streams('{"name": ', '"Ada"}')
    printed = on(*CHAT, *options).stdout
    result = on(*CHAT, *options, "--out", "answer.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "answer.txt").read_text() == printed != ""
    assert "wrote answer.txt (" in result.stderr


def test_json_stays_on_standard_output_beside_a_file(on: Mmai, tmp_path: Path) -> None:
    data = on(*CHAT, "--out", "answer.md", "--json").json["data"]
    assert data["text"] == "Hello there"
    assert data["files"] == [{"path": "answer.md", "media_type": "text/plain", "size_bytes": 12}]
    assert (tmp_path / "answer.md").read_text() == "Hello there\n"


def test_vectors_are_json_in_a_file(on: Mmai, tmp_path: Path) -> None:
    on("run", "-m", "ollama:nomic-embed-text", "--task", "embedding", "hi", "--out", "v.json")
    on("discover")
    assert on("run", "-m", "ollama:nomic-embed-text", "hi", "--out", "v.json").exit_code == 0
    assert json.loads((tmp_path / "v.json").read_text()) == [0.25, -0.5, 1.0]


def test_an_old_file_is_replaced_and_keeps_its_mode(on: Mmai, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("old and longer than the new one")
    (tmp_path / "answer.txt").chmod(0o640)
    on(*CHAT, "--out", "answer.txt")
    assert (tmp_path / "answer.txt").read_text() == "Hello there\n"
    assert (tmp_path / "answer.txt").stat().st_mode & 0o777 == 0o640
    assert leftovers(tmp_path) == ["answer.txt"]


def test_a_new_file_is_as_the_users_other_new_files(on: Mmai, tmp_path: Path) -> None:
    on(*CHAT, "--out", "answer.txt")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "answer.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_device_is_written_to_and_not_replaced(on: Mmai) -> None:
    assert on(*CHAT, "--out", "/dev/stdout", "-q").stdout == "Hello there\n"
    assert on(*CHAT, "--out", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_a_link_to_nowhere_is_refused_by_where_it_leads(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("gone/b.txt")
    result = on(*CHAT, "--out", "a.txt")
    gone = tmp_path.resolve() / "gone"
    assert (result.exit_code, result.stderr) == (2, f"error: there is no folder `{gone}`\nhint: mkdir -p {gone}\n")
    assert ollama.journal.of("/api/chat") == []


def test_a_folder_with_a_space_is_quoted_in_the_command_that_makes_it(on: Mmai) -> None:
    assert on(*CHAT, "--out", "my talks/a.txt").stderr.endswith("hint: mkdir -p 'my talks'\n")


def test_a_failure_leaves_the_old_file_alone(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("old")
    ollama.answers(400, {"error": "no"})
    assert on(*CHAT, "--out", "answer.txt").exit_code == 8
    ollama.streams('{"name": 1}')
    assert on(*CHAT, "--schema", "name", "--out", "answer.txt").exit_code == 10
    assert (tmp_path / "answer.txt").read_text() == "old"


def test_part_of_an_answer_is_kept_and_called_so(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    ollama.streams("Hel", CLOSE)
    result = on(*CHAT, "--out", "answer.txt")
    assert result.exit_code == 9
    assert (tmp_path / "answer.txt").read_text() == "Hel\n"
    assert "it is not whole" in result.stderr


def test_ctrl_c_leaves_the_old_file_alone(on: Mmai, ollama: FakeOllama, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("old")
    gate = Gate()
    ollama.streams("Hel", gate)
    with Screen(on, *CHAT, "--out", "answer.txt") as screen:
        gate.wait_reached()
        screen.press("\x03")
        assert screen.end() == 130
    assert (tmp_path / "answer.txt").read_text() == "old"
    assert leftovers(tmp_path) == ["answer.txt"]


def test_the_sdk_is_imported_for_media_and_for_no_text(at: Mmai) -> None:
    python = [sys.executable, "-X", "importtime", "-m", "mmai"]
    for words, wanted in ((("run", "-m", "openai:gpt-4.1-mini", "hi"), False), ((*DRAW, "--out", "cat.png"), True)):
        done = subprocess.run([*python, *words], capture_output=True, text=True, env=at.env, cwd=at.cwd, timeout=30)
        assert done.returncode == 0
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert ({"openai._client", "pydantic"} <= imported) is wanted
        assert wanted or not {"openai", "pydantic", "httpx", "httpx2"} & imported


# What goes wrong


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, fault("Incorrect API key provided.", code="invalid_api_key"), 4),
        (429, fault("You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota"), 5),
        (400, fault("Your request was rejected by the safety system.", code="moderation_blocked"), 8),
        (500, fault("boom", kind="server_error"), 8),
    ],
)
def test_a_failing_call_ends_as_it_does_for_text(
    at: Mmai, studio: OpenAIMedia, tmp_path: Path, status: int, body: dict[str, Any], code: int
) -> None:
    studio.answers(status, body, headers={"Retry-After": "0"})
    result = at(*DRAW, "--out", "cat.png")
    assert result.exit_code == code
    assert body["error"]["message"].rstrip(".") in result.stderr
    assert leftovers(tmp_path) == []


PAGE = b"<!doctype html><p>Please sign in</p>"


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (PAGE, "text/html", "a web page"),
        (b"no sound for sk-test-0123456789", "text/plain; charset=utf-8", "no sound for ****"),
        (b"{}", "application/json", "{}"),
        (b'{"error": {"message": "the voice is gone", "code": "500"}}', "application/json", "the voice is gone"),
    ],
    ids=["page", "words", "json", "error"],
)
def test_what_is_no_sound_is_not_written_as_speech(
    at: Mmai, studio: OpenAIMedia, tmp_path: Path, body: bytes, kind: str, why: str
) -> None:
    studio.says(whole(200, body, {"Content-Type": kind}), path=SPEECH)
    result = at(*SPEAK, "--out", "hello.mp3")
    assert result.exit_code == 8
    assert why in result.stderr
    assert leftovers(tmp_path) == []


def test_sound_under_a_wrong_type_is_sound(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    studio.says(whole(200, MP3, {"Content-Type": "text/plain"}), path=SPEECH)
    assert at(*SPEAK, "--out", "hello.mp3").exit_code == 0
    assert (tmp_path / "hello.mp3").read_bytes() == MP3


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_web_page_and_json_without_words_are_no_transcript(at: Mmai, studio: OpenAIMedia, tmp_path: Path, form: str) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    body, kind = (b"{}", "application/json") if form == "json" else (PAGE, "text/html")
    studio.says(whole(200, body, {"Content-Type": kind}), path=TRANSCRIPTIONS)
    result = at("run", "-m", "openai:gpt-4o-transcribe", "-f", "talk.mp3", "-O", f"response_format={form}")
    assert (result.exit_code, result.stdout) == (8, "")
    assert "did not send a transcript" in result.stderr


def test_a_cut_answer_is_incomplete(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    studio.says(head(200, {"Content-Type": "application/json", "Content-Length": "1000"}), b'{"data": [', CLOSE)
    assert at(*DRAW, "--out", "cat.png").exit_code == 9
    assert leftovers(tmp_path) == []


def test_a_deadline_ends_an_image_too(at: Mmai, studio: OpenAIMedia) -> None:
    studio.says(SILENCE)
    assert at(*DRAW, "--out", "cat.png", "--timeout", "1").exit_code == 6


def test_ctrl_c_ends_at_once_and_leaves_nothing(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    gate = Gate()
    studio.says(gate)
    with Screen(at, *DRAW, "--out", "cat.png") as screen:
        gate.wait_reached()
        screen.press("\x03")
        assert screen.end() == 130
    studio.journal.wait_hangups()
    assert leftovers(tmp_path) == []


def test_a_place_that_fails_after_all_costs_nothing_that_was_paid_for(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    gate = Gate()
    studio.paints(PNG)
    studio.when(lambda seen: True, lambda seen: [gate, *studio.default(seen)])
    with at.start(*DRAW, "--out", "pictures/cat.png") as process:
        gate.wait_reached()
        folder.rmdir()
        folder.write_text("no folder any more")
        gate.open()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    kept = next(tmp_path.glob("mmai-*.png"))
    assert kept.read_bytes() == PNG
    assert f"it is in `{kept}`" in said.decode()


def test_json_names_the_file_that_was_kept(at: Mmai, studio: OpenAIMedia, tmp_path: Path) -> None:
    gate = Gate()
    (tmp_path / "pictures").mkdir()
    studio.when(lambda seen: True, lambda seen: [gate, *studio.default(seen)])
    with at.start(*DRAW, "--out", "pictures/cat.png", "--json") as process:
        gate.wait_reached()
        (tmp_path / "pictures").rmdir()
        (tmp_path / "pictures").write_text("no folder any more")
        gate.open()
        told = json.loads(process.communicate(timeout=30)[0])
    kept = next(tmp_path.glob("mmai-*.png"))
    assert told["error"]["code"] == "storage"
    assert told["data"]["files"] == [{"path": str(kept), "media_type": "image/png", "size_bytes": 70}]


@LINUX
def test_a_full_standard_output_costs_nothing_either(at: Mmai, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*at.command, *DRAW], stdout=full, stderr=subprocess.PIPE, env=at.env, cwd=at.cwd, timeout=30)
    assert done.returncode == 1
    assert b"cannot write standard output: No space left on device; it is in `" in done.stderr
    assert next(tmp_path.glob("mmai-*.png")).read_bytes() == PNG


def test_a_reader_that_leaves_is_no_error_to_speak_of(at: Mmai, studio: OpenAIMedia) -> None:
    studio.speaks(MP3 * 20_000)
    with at.start(*SPEAK, "-q") as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"ID3"
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""
