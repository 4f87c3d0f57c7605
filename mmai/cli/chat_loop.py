"""A chat from its first message to its last: what comes in, what it is, and what Ctrl-C stops."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any

from mmai.cli.chat_commands import Leave, obey
from mmai.cli.chat_input import piped_lines, typed_lines
from mmai.cli.chat_session import Chat, ChatSession
from mmai.cli.frame import Frame
from mmai.cli.talking import Talk
from mmai.cli.world import world
from mmai.errors import MmaiError
from mmai.values.conversation import Conversation


async def converse(session: ChatSession, call: Frame) -> int:
    """The whole chat; returns the exit code."""
    on_terminal = call.stdin_is_tty
    async with world(call) as here:
        with here.traffic(shared=session.log) as traffic:
            talk = (
                Talk.open(session.said, here, call)
                if session.said
                else Talk(Conversation(id=""), here, call, summarise=session.summarise, keeps_model=session.keeps_model)
            )
            chat = Chat(session, talk, traffic, here, call)
            async with aclosing(_lines(call, on_terminal=on_terminal)) as lines:
                async for line in lines:
                    try:
                        await _stoppable(_take(line, chat), call, on_terminal=on_terminal)
                    except Leave:
                        break
    return 0 if on_terminal else chat.exit_code


async def _take(line: str, chat: Chat) -> None:
    if line.startswith("/") and not line.startswith("//"):
        try:
            await obey(line, chat)
        except MmaiError as error:
            chat.tell(error)
    elif line.strip() or chat.session.attached:
        await chat.say(line.removeprefix("/") if line.startswith("//") else line)


async def _stoppable(work: Coroutine[Any, Any, None], call: Frame, *, on_terminal: bool) -> None:
    """Do it; on a terminal Ctrl-C stops it alone and not the chat."""
    task = asyncio.create_task(work)
    if not on_terminal:
        await task
        return
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
        call.say("stopped; what came of the answer is kept")
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


async def _lines(call: Frame, *, on_terminal: bool) -> AsyncGenerator[str, None]:
    source = typed_lines(call) if on_terminal else piped_lines()
    async with aclosing(source) as lines:
        async for line in lines:
            yield line
