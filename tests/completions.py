"""The files in `completions/`, which are what `mmai --show-completion` prints: `python tests/completions.py` writes them."""

from pathlib import Path

from mmai.cli.completion import Shell
from mmai.cli.completion_scripts import SCRIPTS

FOLDER = Path(__file__).parents[1] / "completions"
FILES = {Shell.BASH: FOLDER / "mmai.bash", Shell.ZSH: FOLDER / "_mmai", Shell.FISH: FOLDER / "mmai.fish"}

if __name__ == "__main__":
    for shell, file in FILES.items():
        file.write_text(SCRIPTS[shell])
