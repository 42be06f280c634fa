"""The result file of an evaluation, under the name the user asked for."""

import os
from pathlib import Path
from typing import Any

from sdpose.config.evaluators import writes_results
from sdpose.errors import UserError
from sdpose.io.folders import require_writable


class ResultFile:
    """A JSON list of key point results: of COCO-style data as ``COCO.loadRes`` of pycocotools reads it.

    The metric writes such a file under a name of its own; it is renamed when it is complete.

    Args:
        path: The file to write, ending in ``.json``. Missing folders are made.

    Raises:
        UserError: If the name does not end in ``.json`` or is a folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix != '.json':
            raise UserError(f'--out {path}: the result file must end in .json (--dump writes raw predictions as .pkl)')
        if self.path.is_dir():
            raise UserError(f'--out {path}: that is a folder, name a file in it')
        self._prefix = self.path.with_name(f'.{self.path.stem}.{os.getpid()}')

    def attach(self, evaluators: list[dict[str, Any]]) -> None:
        """Let the metric among the evaluators' configs that can do so write its results.

        Raises:
            UserError: If there is not exactly one, or the folder cannot be written.
        """
        metrics = [cfg for cfg in evaluators if writes_results(cfg)]
        if len(metrics) != 1:
            raise UserError(
                '--out needs exactly one CocoMetric or MpiiMetric in test_evaluator, which write results, '
                f'found {len(metrics)} in {[cfg.get("type") for cfg in evaluators]}; use --dump instead'
            )
        require_writable(self.path.parent, f'--out {self.path}')
        metrics[0]['outfile_prefix'] = str(self._prefix)

    def finish(self) -> Path:
        """Give the written file its name. To be called after the evaluation, in the process that wrote it."""
        os.replace(f'{self._prefix}.keypoints.json', self.path)
        return self.path
