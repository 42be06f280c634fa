"""A trained model as files that run without PyTorch; what ``tools/deploy/export.py`` runs."""

from .request import FORMATS, KINDS, PRECISIONS, ExportRequest
from .run import Exported, export, table

__all__ = ['FORMATS', 'KINDS', 'PRECISIONS', 'ExportRequest', 'Exported', 'export', 'table']
