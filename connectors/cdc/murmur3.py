"""MurmurHash3 (64 bit, early variant with changing constants), of which 32 bits are used. Pure."""

from __future__ import annotations

from typing import Final

_SEED: Final = 9001
_MASK: Final = 0xFFFFFFFFFFFFFFFF


def murmur3(data: bytes, seed: int = _SEED) -> int:
    """The upper 32 bits of the first half of the hash."""
    state = [0x9368E53C2F6AF274 ^ seed, 0x586DCD208F7CD3FD ^ seed, 0x87C37B91114253D5, 0x4CF5AD432745937F]
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        _mix(
            state,
            int.from_bytes(data[at : at + 8], "little"),
            int.from_bytes(data[at + 8 : at + 16], "little"),
        )
    if len(data) > whole:
        _mix(state, _signed(data[whole : whole + 8]), _signed(data[whole + 8 :]))
    first, second = state[0], state[1] ^ len(data)
    first = (first + second) & _MASK
    second = (second + first) & _MASK
    return ((_final(first) + _final(second)) & _MASK) >> 32


def _signed(data: bytes) -> int:
    """Little-endian bytes joined by exclusive or, each with its sign extended."""
    joined = 0
    for at, byte in enumerate(data):
        joined ^= ((byte - 256 if byte > 127 else byte) << (8 * at)) & _MASK
    return joined


def _mix(state: list[int], one: int, two: int) -> None:
    first, second, factor, other = state
    first ^= _rotated(one * factor & _MASK, 23) * other & _MASK
    first = (first + second) & _MASK
    second = _rotated(second, 41)
    second ^= _rotated(two * other & _MASK, 23) * factor & _MASK
    second = (second + first) & _MASK
    state[0] = (first * 3 + 0x52DCE729) & _MASK
    state[1] = (second * 3 + 0x38495AB5) & _MASK
    state[2] = (factor * 5 + 0x7B7D159C) & _MASK
    state[3] = (other * 5 + 0x6BCE6396) & _MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _final(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33
