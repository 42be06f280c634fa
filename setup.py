"""Build of the project: requirements from ``requirements/``, configs and tools inside the wheel."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# What a wheel carries beside the package, under sdpose/.mim, which is where OpenMMLab's tools look for it.
CARRIED = {'configs': ('.py', '.md', '.yml'), 'tools': ('.py', '.sh')}


def read_requirements(name: str) -> list[str]:
    """The requirements of one file, without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in (line.partition('#')[0].strip() for line in lines) if line]


def read_version() -> str:
    """The version, without importing the package."""
    names: dict = {}
    exec((ROOT / 'sdpose' / 'version.py').read_text(encoding='utf-8'), names)
    return names['__version__']


class BuildWithConfigs(build_py):
    """Copy configs and tools into the built package; the checkout stays as it is."""

    def run(self) -> None:
        """Build the package; an editable install reads configs from the checkout and gets no copy."""
        super().run()
        if not self.editable_mode:
            for source, target in self.carried():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def carried(self) -> list:
        """Pairs of a file of the checkout and its place in the build."""
        place = Path(self.build_lib) / 'sdpose' / '.mim'
        return [
            (file, place / file.relative_to(ROOT))
            for folder, suffixes in CARRIED.items()
            for file in sorted((ROOT / folder).rglob('*'))
            if file.suffix in suffixes and file.is_file()
        ]

    def get_outputs(self, include_bytecode: bool = True) -> list:
        """Every file of the build."""
        carried = [] if self.editable_mode else [str(target) for _, target in self.carried()]
        return super().get_outputs(include_bytecode) + carried


EXTRAS = {name: read_requirements(name) for name in ('tests', 'optional', 'deploy', 'demo')}

setup(
    name='sdpose',
    version=read_version(),
    description='Research training framework for tokenized human pose estimation',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8') if (ROOT / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    license='Apache License 2.0',
    classifiers=['Programming Language :: Python :: 3', 'Operating System :: POSIX :: Linux'],
    keywords='human pose estimation, vision transformer, self-distillation',
    python_requires='>=3.10,<3.13',
    packages=find_packages(include=['sdpose', 'sdpose.*']),
    package_data={'sdpose': ['py.typed', 'visualization/report_page/*.jinja']},
    install_requires=read_requirements('runtime'),
    extras_require={**EXTRAS, 'all': sorted({line for lines in EXTRAS.values() for line in lines})},
    cmdclass={'build_py': BuildWithConfigs},
    zip_safe=False,
)
