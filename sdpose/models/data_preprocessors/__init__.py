from .class_data_preprocessor import ClassDataPreprocessor
from .heatmap_data_preprocessor import HeatmapDataPreprocessor

__all__ = ['ClassDataPreprocessor', 'HeatmapDataPreprocessor']
