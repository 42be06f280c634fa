"""What a user asks of an export, checked before anything is built."""

from dataclasses import dataclass

from sdpose.errors import ConfigError

FORMATS = ('onnx', 'openvino', 'ncnn', 'litert')
PRECISIONS = ('fp32', 'fp16', 'bf16', 'int8')
KINDS = ('heatmaps', 'joints', 'simcc')
# Below 18 by torch's older exporter: the newer one says 17 and writes 18, or a file that ONNX Runtime refuses.
OLDEST_OPSET, NEWEST_OPSET, DEFAULT_OPSET = 13, 23, 18


@dataclass(frozen=True)
class ExportRequest:
    """Options of an export.

    Attributes:
        formats: Names of ``FORMATS``.
        precision: One of ``PRECISIONS``.
        batch: Images at a time; None leaves it free.
        flip_test: Whether the mirror image is run and averaged inside the graph.
        opset: ONNX's version of operators; None for the default.
        outputs: One of ``KINDS``, or None for what the head predicts.
        cycles: How many cycles a program can run; those behind the deployed one are a file of their own.

    Raises:
        ConfigError: If a value is none of those, or two do not go together.
    """

    formats: tuple[str, ...] = ('onnx',)
    precision: str = 'fp32'
    batch: int | None = None
    flip_test: bool = False
    opset: int | None = None
    outputs: str | None = None
    cycles: int = 1

    def __post_init__(self) -> None:
        for name in self.formats:
            _require('--format', name, FORMATS)
        if not self.formats or len(set(self.formats)) < len(self.formats):
            raise ConfigError(f'--format {" ".join(self.formats)}: name each format once, of {", ".join(FORMATS)}')
        _require('--precision', self.precision, PRECISIONS)
        if self.outputs is not None:
            _require('--outputs', self.outputs, KINDS)
        if self.batch is not None and self.batch < 1:
            raise ConfigError(f'--batch {self.batch}: give at least 1, or dynamic')
        if self.cycles < 1:
            raise ConfigError(f'--cycles {self.cycles}: give at least 1')
        if self.cycles > 1 and self.precision == 'int8':
            raise ConfigError(f'--cycles {self.cycles}: a further cycle is not calibrated; --precision int8 is of one')
        if self.cycles > 1 and self.flip_test:
            raise ConfigError(
                f'--cycles {self.cycles}: with --flip-test the graph averages what decides who goes on; leave it out, '
                'the mirror image is run by the program'
            )
        if self.opset is not None and not OLDEST_OPSET <= self.opset <= NEWEST_OPSET:
            raise ConfigError(
                f'--opset {self.opset}: the heads need operators of opset {OLDEST_OPSET}, and the newest that is known '
                f'here is {NEWEST_OPSET}'
            )

    @property
    def onnx_opset(self) -> int:
        """The opset that is written."""
        return self.opset or DEFAULT_OPSET


def _require(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f'{option} {value} is unknown; choose one of {", ".join(choices)}')
