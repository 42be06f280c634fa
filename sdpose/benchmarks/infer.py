"""The deployed model in torch and in every runtime, beside the model by hand and other models."""

import argparse

from .table import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py infer``."""
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='config files')


def run(args: argparse.Namespace) -> list[Table]:
    """The tables that the options ask for."""
    raise NotImplementedError
