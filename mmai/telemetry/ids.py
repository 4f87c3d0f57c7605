"""Names for runs that sort by the time they began."""

import os

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: in ASCII order, and without letters that read like digits."""


def new_id(now: float) -> str:
    """26 characters: `now` (unix seconds) to the millisecond, then 80 random bits. Source: github.com/ulid/spec."""
    number = int(now * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
