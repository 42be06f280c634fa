"""What every format of an exported file does: say what it lacks here, write, and run what it wrote."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sdpose.deploy.export.graph import INPUT, AnyGraph, DeployedGraph
from sdpose.deploy.export.request import ExportRequest
from sdpose.errors import ConfigError
from sdpose.io.machine import installed_version


class Session(NamedTuple):
    """A file that is ready to run.

    Attributes:
        runtime: The runtime, its version, and what of it computes.
        run: Outputs, in their order, of normalized images (B, 3, h, w), or of the tokens that a further cycle gets.
    """

    runtime: str
    run: Callable[..., list[np.ndarray]]


class Format(ABC):
    """One format.

    Attributes:
        name: As ``--format`` takes it.
        suffix: Of the file that is run.
        needs: The modules that writing and running it imports, with the packages they are from.
        precisions: Precisions that work, with the modules that each needs beside these.
        goes_on: Whether it has a file for a further cycle.
        calibrates: Whether int8 is calibrated on pictures.
        hint: What a message that names a package ends with.
    """

    name: str
    suffix: str
    needs: dict[str, str]
    precisions: dict[str, dict[str, str]]
    hint = ''
    goes_on = False
    calibrates = True

    def require(self, request: ExportRequest) -> None:
        """Refuse what cannot be written here.

        Raises:
            ConfigError: Naming the package to install, or the precisions that there are.
        """
        if request.precision not in self.precisions:
            known = ', '.join(self.precisions)
            raise ConfigError(f'--precision {request.precision}: {self.name} runs here in {known}; choose one of these')
        if request.cycles > 1 and not self.goes_on:
            raise ConfigError(f'--format {self.name} holds one cycle: leave --cycles out')
        for module, package in {**self.needs, **self.precisions[request.precision]}.items():
            if find_spec(module) is None:
                wanted = f'--format {self.name} --precision {request.precision}'
                raise ConfigError(f'{wanted} needs the package {package}: pip install {package}{self.hint}')

    def names(self, graph: DeployedGraph) -> tuple[str, list[str]]:
        """What input and outputs of a file of this format are called."""
        return INPUT, list(graph.names)

    def options(self, precision: str) -> dict[str, bool]:
        """Settings of the runtime under which a file is judged, and with which a program must run it."""
        return {}

    @abstractmethod
    def write(
        self, graph: AnyGraph, request: ExportRequest, file: Path, metadata: str, calibration: np.ndarray | None
    ) -> Path:
        """Write the file.

        Args:
            graph: What it holds.
            request: The options.
            file: Its path without a suffix.
            metadata: What it says about itself, as JSON.
            calibration: Normalized images (N, 3, h, w), for int8 of a format that calibrates.

        Returns:
            The file to be run.

        Raises:
            ConfigError: If the format has no word for an operator of the graph.
        """

    @abstractmethod
    def open(self, file: Path, precision: str, threads: int = 1) -> Session:
        """A session of a written file, on threads of the CPU."""


def package_version(package: str) -> str:
    """The version of an installed package."""
    return installed_version(package) or 'of an unknown version'


def full_batches(images: np.ndarray, batch: int | None) -> list[np.ndarray]:
    """Images (N, 3, h, w) as many at a time as a graph takes, one by one if it takes any number; the last one repeats.

    Args:
        images: What a file is calibrated on.
        batch: As of the request.
    """
    size = batch or 1
    lacking = -len(images) % size
    return np.split(np.concatenate([images, *([images[-1:]] * lacking)]), (len(images) + lacking) // size)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the exporters say about themselves."""
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'onnxscript', 'onnx_ir', 'root', '')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
