"""How far a download has come, on a screen and in a log."""

import re
from typing import Any

from inline_snapshot import snapshot

from mmai.render.progress import open_progress
from mmai.values.pull import PullProgress

LAYER = "sha256:6a0746a1ec1aef3e7ec53868f220ff6e389f6f8ef87a01d77c96807de94ca2aa"
SMALL = "sha256:4fa551d4f938f68b8c1e6afa9d28befb70e3f33f75d0753248d530364aeea40f"


def a_report(done: int | None, *, digest: str = LAYER, total: int = 4_920_000_000) -> PullProgress:
    return PullProgress(status=f"pulling {digest[7:19]}", digest=digest, total_bytes=total, completed_bytes=done)


def test_a_log_gets_a_line_at_both_ends_and_every_five_seconds(pipe: Any, clock: Any) -> None:
    with open_progress(pipe.terminal, clock=clock) as progress:
        progress.update(PullProgress(status="pulling manifest"))
        progress.update(PullProgress(status="pulling manifest"))
        for second in range(13):
            clock.seconds = float(second)
            progress.update(a_report(second * 400_000_000))
        progress.update(a_report(12_403, digest=SMALL, total=12_403))
        for _ in range(2):
            progress.update(a_report(4_920_000_000))
        progress.update(PullProgress(status="verifying sha256 digest"))
        progress.update(PullProgress(status="success"))
    assert pipe.text == snapshot("""\
pulling manifest
6a0746a1ec1a 0 B of 4.9 GB
6a0746a1ec1a 2 GB of 4.9 GB (41%, 400 MB/s)
6a0746a1ec1a 4 GB of 4.9 GB (81%, 400 MB/s)
4fa551d4f938 12 kB done
6a0746a1ec1a 4.9 GB done
verifying sha256 digest
success
""")


def test_a_resumed_file_is_not_credited_with_what_was_there(pipe: Any, clock: Any) -> None:
    with open_progress(pipe.terminal, clock=clock) as progress:
        progress.update(a_report(4_000_000_000))
        clock.seconds = 10.0
        progress.update(a_report(4_100_000_000))
    assert pipe.text == snapshot("""\
6a0746a1ec1a 4 GB of 4.9 GB
6a0746a1ec1a 4.1 GB of 4.9 GB (83%, 10 MB/s)
""")


def test_a_file_not_begun_is_shown_as_such(pipe: Any, clock: Any) -> None:
    with open_progress(pipe.terminal, clock=clock) as progress:
        progress.update(a_report(None))
    assert pipe.text == "6a0746a1ec1a 0 B of 4.9 GB\n"


def test_a_screen_gets_a_bar_for_each_file(a_screen: Any, clock: Any) -> None:
    screen = a_screen()
    with open_progress(screen.terminal, clock=clock) as progress:
        progress.update(PullProgress(status="pulling\x1b[2J manifest"))
        progress.update(a_report(1_000_000_000))
        clock.seconds = 2.0
        progress.update(a_report(2_460_000_000))
        progress.update(a_report(12_403, digest=SMALL, total=12_403))
    text = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", screen.raw)
    last = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    assert "pulling manifest" in last
    bar = next(line for line in reversed(last) if line.startswith("6a07"))
    assert "━" in bar
    assert "2.5/4.9 GB" in bar
    assert screen.raw.rstrip().endswith("\x1b[?25h"), "the cursor is back"
