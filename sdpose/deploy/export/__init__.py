from .request import FORMATS, KINDS, PRECISIONS, ExportRequest
from .run import Exported, export, table

__all__ = ['FORMATS', 'KINDS', 'PRECISIONS', 'ExportRequest', 'Exported', 'export', 'table']
