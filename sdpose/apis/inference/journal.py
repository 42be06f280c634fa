"""The record of an unfinished run, from which a broken one goes on."""

import json
import os
from pathlib import Path
from typing import IO, Any

from mmengine.logging import print_log

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write

from .results import PoseResult
from .sources import Source

NAME = 'unfinished.jsonl'


class Journal:
    """Every result of a run, a line each, until the run is finished.

    A picture's line counts as long as its file has not changed, so that a folder may have got new ones since.

    Args:
        folder: Where the run writes.
        source: What is read; where that is not files alone, nothing is kept, as nobody could read it again.
        request: What decides about the results, as plain values.
        num_joints: K.

    Attributes:
        done: The results of a broken run by the number of the picture or frame.
        kept: How many results are in the record.

    Raises:
        UserError: If the folder holds the record of another run.
    """

    def __init__(self, folder: Path, source: Source, request: dict[str, Any], num_joints: int) -> None:
        self.file = folder / NAME
        self.done: dict[int, PoseResult] = {}
        self.kept = 0
        self._source = source
        self._stream: IO[str] | None = None
        if not source.files or source.kind == 'pictures' and len(source.files) != source.total:
            return
        if source.kind == 'video':
            request = {**request, 'input': _stamp(source.files[0])}
        lines = self._read(json.loads(json.dumps(request)), num_joints)
        self.kept = len(lines)
        with atomic_write(self.file, 'w') as file:  # without what a kill left of the last line
            file.writelines(f'{json.dumps(line)}\n' for line in (request, *lines))
        self._stream = open(self.file, 'a', encoding='utf-8')

    def add(self, result: PoseResult) -> None:
        """Keep a result."""
        if self._stream is not None and result.index not in self.done:
            self._stream.write(json.dumps(dict(key=self._key(result.index), result=result.as_json())) + '\n')
            self._stream.flush()
            self.kept += 1

    def finish(self, complete: bool) -> None:
        """End the record: forget a run that is complete, and keep one that is not for the next time."""
        if self._stream is None:
            return
        self._stream.close()
        if complete or not self.kept:
            self.file.unlink(missing_ok=True)
        else:
            print_log(f'{self.kept} results are kept in {self.file}: the same command goes on from there', 'current')

    def _read(self, request: dict[str, Any], num_joints: int) -> list[dict[str, Any]]:
        """The lines of a broken run that still count; fills ``done``."""
        first, *lines = [each for each in map(_parsed, _lines(self.file)) if each is not None] or [request]
        if first != request:
            other = sorted(key for key in {*first, *request} if first.get(key) != request.get(key))
            raise UserError(
                f'{self.file} is the record of a run that was broken off, with other {", ".join(other)}: go on with '
                'the same options, name another --out, or remove the file to begin anew'
            )
        numbers = {json.dumps(self._key(number)): number for number in range(self._count(lines))}
        kept = []
        for line in lines:
            number = numbers.get(json.dumps(line['key']))
            if number is not None:
                result = PoseResult.from_json({**line['result'], 'index': number}, num_joints)
                self.done[number] = result
                kept.append(line)
        return kept

    def _count(self, lines: list[dict[str, Any]]) -> int:
        return len(self._source.files) if self._source.kind == 'pictures' else len(lines)

    def _key(self, number: int) -> Any:
        """What tells a picture, or a frame, from another."""
        return _stamp(self._source.files[number]) if self._source.kind == 'pictures' else number


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding='utf-8', errors='replace').splitlines() if file.is_file() else []


def _parsed(line: str) -> dict[str, Any] | None:
    """What a line holds; None for one that was cut off."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _stamp(path: str) -> list[Any]:
    """What tells the content of a file from another's; of one that is gone, its name."""
    try:
        stat = os.stat(path)
    except OSError:
        return [path]
    return [path, stat.st_size, stat.st_mtime_ns]
