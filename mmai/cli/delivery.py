"""Where what a model made goes: into a file, onto a screen that shows pictures, or to standard output as it is."""

from collections.abc import Sequence

from mmai.cli.frame import Frame
from mmai.cli.saving import Content, SavedFile, Saving, keep
from mmai.errors import StorageError
from mmai.render.image import picture
from mmai.render.notes import wrote_line


class Delivery:
    """Puts the contents of one answer in their places. What has none, or cannot get there, is kept wherever it can be."""

    def __init__(self, call: Frame, *, out: Saving | None, to_stdout: bool) -> None:
        self.files: list[SavedFile] = []
        """What was written, in its order."""
        self.stdout_is_free = call.output == "text"
        """Nothing stands there that this would be mixed with."""
        self._call = call
        self._out = out
        self._screen = self.stdout_is_free and call.out.is_tty and not to_stdout

    def deliver(self, contents: Sequence[Content], *, name: str) -> None:
        """Put each where it belongs; `name` is what files get that are merely kept.

        Raises:
            StorageError: something could not be put where it was wanted; the message says where it is instead.
            OSError: nobody reads standard output.
        """
        problems = [self._put(content, number, name=name) for number, content in enumerate(contents, 1)]
        for problem in filter(None, problems):
            raise problem

    def _put(self, content: Content, number: int, *, name: str) -> StorageError | None:
        problem: StorageError | None = None
        try:
            if self._placed(content, number):
                return None
        except StorageError as exc:
            problem = exc
        kept = keep(content, name=name, number=number)
        where = f"it is in `{kept.path}`" if kept else "it could not be kept anywhere else"
        if kept:
            self.files.append(kept)
        if problem is None:
            self._call.warn(f"the answer holds {content.media_type}, and no `--out` says where it goes: {where}")
            return None
        return StorageError(f"{problem.message}; {where}")

    def _placed(self, content: Content, number: int) -> bool:
        """Whether there was a place for it."""
        seen = self._screen and self._show(content)
        if self._out is not None:
            self._save(self._out, content, number)
            return True
        return seen or (not self._screen and self._print(content))

    def _show(self, content: Content) -> bool:
        shown = picture(content.data, content.media_type, self._call.out, env=self._call.env)
        if shown:
            self._call.out.write(shown)
        return bool(shown)

    def _save(self, out: Saving, content: Content, number: int) -> None:
        saved = out.save(content, number=number)
        self.files.append(saved)
        self._call.note(wrote_line(saved.path, media_type=saved.media_type, size_bytes=saved.size_bytes))
        if out.differs(content):
            self._call.warn(f"`{saved.path}` holds {saved.media_type}, whatever its name says")

    def _print(self, content: Content) -> bool:
        """As it is on standard output, which has room for one thing."""
        if not self.stdout_is_free:
            return False
        self.stdout_is_free = False
        try:
            self._call.write(content.data)
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise StorageError(f"cannot write standard output: {exc.strerror or exc}") from exc
        return True
