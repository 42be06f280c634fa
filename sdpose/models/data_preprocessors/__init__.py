from .class_data_preprocessor import ClassDataPreprocessor

__all__ = ['ClassDataPreprocessor']
