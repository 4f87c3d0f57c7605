"""How often the analysis names the task people meant: `python tests/benchmarks/tasktype.py DATA_FOLDER`, run by hand.

The folder holds `tasktype.jsonl`, one object a line with `prompt`, `task_type` (CamelCase) and `source`. Printed by source,
since prompts of one collection are alike and a single figure would hide it.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import msgspec

from mmai.selection.analyze import analyze
from mmai.values.request import Message, Request, TextPart


def main(folder: Path) -> None:
    hits: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in (folder / "tasktype.jsonl").read_bytes().splitlines():
        row = msgspec.json.decode(line)
        wanted = re.sub(r"(?<!^)(?=[A-Z])", "_", row["task_type"]).lower()
        request = Request(messages=(Message("user", (TextPart(row["prompt"]),)),))
        best = list(analyze(request).task_probabilities)[:2]
        for group in ("all", f"source {row['source']}", f"task {wanted}"):
            hits[group][0] += 1
            hits[group][1] += best[0] == wanted
            hits[group][2] += wanted in best
    print(f"{'':44}    n  top-1  top-2")
    for group, (count, first, second) in sorted(hits.items()):
        print(f"{group:44} {count:4}  {first / count:5.3f}  {second / count:5.3f}")
    sources = [counts for group, counts in hits.items() if group.startswith("source ")]
    print(f"mean over sources: {sum(first / count for count, first, _ in sources) / len(sources):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
