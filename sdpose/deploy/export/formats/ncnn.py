"""ncnn, by way of pnnx: a ``.param`` file of text and a ``.bin`` of weights; one image at a time, no batch axis."""

import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sdpose.deploy.export.comparing import compared
from sdpose.deploy.export.graph import AnyGraph, DeployedGraph
from sdpose.deploy.export.ranking import BF16_TOKENS, ranked
from sdpose.deploy.export.request import ExportRequest
from sdpose.errors import ConfigError

from .base import Format, Session, package_version, quiet

# How pnnx says in its log that a part of a graph has no form in ncnn; its exit status says nothing.
_COMPLAINTS = ('exceeds ncnn physical rank', 'ignore torch.', 'ignore aten::', 'not supported')


class NcnnFormat(Format):
    """The metadata lie beside the files, which have no place for them."""

    name = 'ncnn'
    suffix = '.param'
    needs = {'ncnn': 'ncnn', 'pnnx': 'pnnx'}
    precisions: dict[str, dict[str, str]] = {'fp32': {}, 'fp16': {}, 'bf16': {}}

    def require(self, request: ExportRequest) -> None:
        """As :meth:`Format.require`; nothing but one image at a time."""
        super().require(request)
        if request.batch != 1:
            raise ConfigError('--format ncnn runs one image at a time: give --batch 1')
        if request.flip_test:
            raise ConfigError('--format ncnn has no batch for --flip-test inside the graph: leave the option out')

    def names(self, graph: DeployedGraph) -> tuple[str, list[str]]:
        """As :meth:`Format.names`: pnnx numbers them."""
        return 'in0', [f'out{number}' for number in range(len(graph.names))]

    def options(self, precision: str) -> dict[str, bool]:
        """As :meth:`Format.options`: members of ``ncnn::Net::opt``.

        By default ncnn holds the weights of fully connected layers in half precision, which moves outputs by 1e-3.
        """
        return dict(
            use_fp16_packed=False,
            use_fp16_storage=False,
            use_fp16_arithmetic=False,
            use_bf16_storage=precision == 'bf16',
        )

    def write(
        self, graph: AnyGraph, request: ExportRequest, file: Path, metadata: str, calibration: np.ndarray | None
    ) -> Path:
        """As :meth:`Format.write`."""
        if request.precision == 'bf16' and getattr(graph, 'decoder', None) is not None:
            raise ConfigError(
                '--precision bf16: ncnn would decode heatmaps in it, which is too coarse for them; choose '
                '--precision fp32, or --outputs heatmaps and decode on the device'
            )
        (image,) = graph.example(1)
        graph = ranked(compared(graph), BF16_TOKENS if request.precision == 'bf16' else None)
        path = file.with_name(file.name + self.suffix)
        with tempfile.TemporaryDirectory() as folder:
            traced = Path(folder) / 'graph.pt'
            with quiet(), torch.no_grad():
                torch.jit.trace(graph, image, check_trace=False).save(str(traced))
            # Half of the bytes is pnnx's default, and costs 1e-3.
            command = [
                *_pnnx(),
                str(traced),
                f'inputshape=[{",".join(map(str, image.shape))}]',
                f'fp16={int(request.precision == "fp16")}',
                f'ncnnparam={path}',
                f'ncnnbin={path.with_suffix(".bin")}',
            ]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        complaint = next((each for each in done.stderr.splitlines() if any(word in each for word in _COMPLAINTS)), '')
        if done.returncode or complaint or not path.is_file() or not _loads(path, self.options(request.precision)):
            raise ConfigError(
                f'--format ncnn: pnnx finds no form in ncnn for an operator of {graph.kind} of this model'
                f'{f" ({complaint.strip()})" if complaint else ""}; choose --format onnx'
            )
        return path

    def open(self, file: Path, precision: str, threads: int = 1) -> Session:
        """As :meth:`Format.open`."""
        ncnn = import_module('ncnn')
        net = _net(file, self.options(precision), threads)
        # ncnn has them in the order in which they are computed.
        outputs = sorted(net.output_names(), key=lambda name: int(name.removeprefix('out')))

        def run(image: np.ndarray) -> list[np.ndarray]:
            with net.create_extractor() as extractor:
                # Of a copy: the matrix does not own an array's memory.
                extractor.input('in0', ncnn.Mat(np.ascontiguousarray(image[0])).clone())
                return [np.array(extractor.extract(name)[1])[None] for name in outputs]

        return Session(f'ncnn {package_version("ncnn")}, CPU in {"bf16" if precision == "bf16" else "f32"}', run)


def _pnnx() -> list[str]:
    """The command of pnnx in this environment."""
    beside = Path(sys.executable).with_name('pnnx')
    return [str(beside)] if beside.is_file() else ['pnnx']


def _net(file: Path, options: dict[str, bool], threads: int = 1) -> Any:
    """A loaded net, with members of its ``opt`` set before, which decide how weights are held."""
    ncnn = import_module('ncnn')  # no requirement: asked for by this format alone
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    for name, value in options.items():
        setattr(net.opt, name, value)
    if net.load_param(str(file)) or net.load_model(str(file.with_suffix('.bin'))):
        raise ConfigError(f'{file.name} cannot be loaded by ncnn')
    return net


def _loads(file: Path, options: dict[str, bool]) -> bool:
    """Whether ncnn loads a file."""
    try:
        _net(file, options)
    except ConfigError:
        return False
    return True
