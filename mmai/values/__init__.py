"""The values every room speaks: frozen, compared by content, and decoded from JSON with validation.

They are msgspec structs, since forty frozen dataclasses cost 15 ms of every start-up and forty structs 0.4 ms.
"""
