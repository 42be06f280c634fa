from .base import BaseDistiller
from .self_distiller import SelfDistiller
from .teacher import Teacher
from .teacher_distiller import TeacherDistiller

__all__ = ['BaseDistiller', 'SelfDistiller', 'Teacher', 'TeacherDistiller']
