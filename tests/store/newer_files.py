"""Data files as a newer MongoDB leaves them, made from older ones.

mongod writes down the release whose features its files may use, and refuses to change that to a release it does not
know. So the digit is changed in the file itself, and the end of its block such that the checksum stays the same.
"""

from pathlib import Path

BLOCK = 4096
VERSION = b"version\0\x04\0\0\x00%d.0\0"


def _entry(remainder: int) -> int:
    for _ in range(8):
        remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder


TABLE = [_entry(value) for value in range(256)]


def _crc(state: int, data: bytes) -> int:
    for byte in data:
        state = TABLE[(state ^ byte) & 255] ^ (state >> 8)
    return state


def _ending(state: int, wanted: int) -> bytes:
    """The four bytes that bring the CRC from `state` to `wanted`."""
    by_top = {entry >> 24: index for index, entry in enumerate(TABLE)}
    indices = []
    for _ in range(4):
        indices.append(by_top[wanted >> 24])
        wanted = ((wanted ^ TABLE[indices[-1]]) << 8) & 0xFFFFFFFF
    ending = bytearray()
    for index in reversed(indices):
        ending.append((state ^ index) & 255)
        state = _crc(state, ending[-1:])
    return bytes(ending)


def make_newer(data: Path, release: int) -> None:
    """Mark the files that a server of `release`.0 left as those of the release after it; all checksums hold."""
    old, new = VERSION % release, VERSION % (release + 1)
    changed = 0
    for path in data.glob("collection-*.wt"):
        content = bytearray(path.read_bytes())
        place = content.find(old)
        while place >= 0:
            start = place // BLOCK * BLOCK
            before = bytes(content[start : start + BLOCK])
            block = bytearray(before)
            block[32:36] = bytes(4)  # the checksum's own place counts as zeros
            checksum = _crc(0xFFFFFFFF, block)
            assert checksum ^ 0xFFFFFFFF == int.from_bytes(before[32:36], "little")
            block[place - start : place - start + len(new)] = new
            block[-4:] = _ending(_crc(0xFFFFFFFF, block[:-4]), checksum)
            block[32:36] = before[32:36]
            content[start : start + BLOCK] = block
            changed += 1
            place = content.find(old, place + 1)
        path.write_bytes(content)
    assert changed
