"""Groups of commands that list where no command is named."""

from typing import Any

from typer.core import TyperGroup


class ListByDefault(TyperGroup):
    """`mmai models --json` is `mmai models list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` where no command is named; a shell that completes a word must still see the commands."""
        named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named or ctx.resilient_parsing else ["list", *args])
