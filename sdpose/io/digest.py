"""Hashes of files."""

import hashlib
from pathlib import Path

_BLOCK = 1 << 20  # bytes


def sha256_of(file: str | Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits; the file is read block by block.

    Raises:
        OSError: If it cannot be read.
    """
    digest = hashlib.sha256()
    with open(file, 'rb') as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
