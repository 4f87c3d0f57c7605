"""Which models are in memory."""

import asyncio
from collections.abc import Sequence

from mmai.backends.base import Resident
from mmai.engine.session import Session
from mmai.errors import MmaiError
from mmai.values.endpoint import Endpoint
from mmai.values.health import Loaded, ProviderStatus, endpoint_key


async def in_memory(session: Session, providers: Sequence[ProviderStatus]) -> dict[str, Loaded]:
    """By reference, what the healthy ones of `providers` hold now. One that cannot say counts as holding nothing."""
    healthy = {status.key for status in providers if status.health.state == "healthy"}
    asked = [endpoint for endpoint in session.endpoints if endpoint_key(endpoint.provider, endpoint.url) in healthy]
    answers = await asyncio.gather(*(_held(endpoint, session) for endpoint in asked))
    return {f"{endpoint.provider}:{one.name}": one for endpoint, held in zip(asked, answers, strict=True) for one in held}


async def _held(endpoint: Endpoint, session: Session) -> Sequence[Loaded]:
    backend = session.backend(endpoint)
    if not isinstance(backend, Resident):
        return ()
    try:
        return await backend.loaded()
    except MmaiError:
        return ()
