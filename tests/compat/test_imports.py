"""MMPose imports beside mmcv-lite and without mmdet, and uses both where they are."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

EVERYTHING = 'import sdpose, mmpose.models, mmpose.apis, mmpose.datasets, mmpose.codecs'


def warnings_of(output: str) -> list:
    """What was said, apart from the warning that torch before 2.6 gives about its own functional optimizers."""
    return [
        line
        for line in output.splitlines()
        if 'functional optimizers' not in line and 'from torch.distributed.optim import' not in line
    ]


def test_everything_imports_without_a_warning(run_tool):
    done = run_tool('-c', EVERYTHING, check=True)
    assert warnings_of(done.stdout + done.stderr) == []


def test_a_python_without_the_dependencies_is_told_what_to_do(run_tool, tmp_path):
    (tmp_path / 'mmengine.py').write_text("raise ModuleNotFoundError(\"No module named 'mmengine'\", name='mmengine')")
    for arguments in (['a.py'], ['a.py', '--cfg-options', 'seed=1']):
        done = run_tool('tools/train.py', *arguments, env={'PYTHONPATH': str(tmp_path)})
        assert done.returncode == 2 and done.stderr.count('\n') == 1
        assert done.stderr.startswith("error: No module named 'mmengine', for ")
        assert 'activate the environment that SDPose was installed into' in done.stderr


def test_importing_costs_next_to_nothing(run_tool):
    """The public face and what is free of torch: neither torch nor MMPose is imported before it is used."""
    done = run_tool(
        '-c',
        dedent("""
        import sys
        import sdpose, sdpose.errors, sdpose.io.atomic, sdpose.io.pictures, sdpose.synthetic.generate, sdpose.apis.cli
        import sdpose.visualization
        assert not {'torch', 'mmengine', 'mmcv', 'mmpose'} & set(sys.modules)
        assert callable(sdpose.list_models) and 'train' in dir(sdpose)
        assert sdpose.models.MultiCycledTransformer and not hasattr(sdpose, 'nothing')
    """),
    )
    assert done.returncode == 0, done.stderr


# MMPose alone does not import beside mmcv-lite: what needs it comes after sdpose.
AFTER = (
    'import mmpose.apis',
    'from mmpose.registry import MODELS; MODELS.get("HRNet")',
    'import sdpose.models',
    'from mmcv.cnn import ConvModule',
    'import sdpose.compat.loading',
)
ANYWHERE = (
    'import mmengine.runner',
    'from mmcv.cnn import ConvModule',
    'import mmengine.hooks',
    'import mmpose.registry',
    'import mmengine.model.wrappers',
)
LONG = [
    ('import sdpose', f'import sdpose.{name}')
    for name in ('compat', 'compat.saving', 'datasets', 'engine', 'evaluation')
]


@pytest.mark.parametrize(
    'imports',
    [
        *(('import sdpose', first) for first in AFTER),
        ('import mmengine.runner', 'import sdpose'),
        *(
            pytest.param(imports, marks=pytest.mark.long)
            for imports in LONG
            + [('import sdpose', first) for first in ANYWHERE]
            + [(first, 'import sdpose') for first in ANYWHERE]
        ),
    ],
    ids=', '.join,
)
def test_whatever_is_imported_first_the_parts_are_found_and_loading_is_safe(run_tool, imports: tuple):
    done = run_tool(
        '-c',
        '\n'.join(
            [
                *imports,
                dedent("""
        import mmengine.runner.checkpoint as loader
        assert type(loader.torch).__name__ == '_TorchLoadingWeightsOnly'
        from mmpose.registry import DATA_SAMPLERS, DATASETS, HOOKS, LOG_PROCESSORS, LOOPS, METRICS, MODELS, TRANSFORMS
        from mmpose.registry import WEIGHT_INITIALIZERS
        from mmengine.registry import EVALUATOR, HOOKS as ROOT_HOOKS
        for registry, name in ((MODELS, 'MultiCycledTransformer'), (DATASETS, 'ClassFolderDataset'),
                               (TRANSFORMS, 'LoadCheckedImage'), (DATA_SAMPLERS, 'RepeatedAugmentationSampler'),
                               (METRICS, 'MpiiMetric'), (HOOKS, 'StopHook'), (LOOPS, 'ResumableTrainLoop'),
                               (LOG_PROCESSORS, 'LossLogProcessor'), (EVALUATOR, 'CycleEvaluator'),
                               (ROOT_HOOKS, 'FiniteLossHook'), (WEIGHT_INITIALIZERS, 'PretrainedBackbone')):
            assert registry.get(name) is not None, name
        import sys
        assert not any(type(finder).__name__ == '_Waiting' for finder in sys.meta_path)
    """),
            ]
        ),
    )
    assert done.returncode == 0, done.stderr


def test_the_public_face(monkeypatch: pytest.MonkeyPatch):
    import sdpose

    names = sdpose.list_models('sdpose-tiny*')
    assert 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48' in names and sdpose.list_models('no-such*') == []
    assert len(sdpose.list_models()) == len(set(sdpose.list_models())) > 50
    model = sdpose.init_model(names[0], cfg_options={'model.neck.depth': 2})
    assert not model.training and len(model.neck.layers) == 2
    with pytest.raises(sdpose.errors.UserError, match='checkpoint no.pth does not exist'):
        sdpose.init_model(names[0], 'no.pth')
    with pytest.raises(AttributeError, match="has no attribute 'infer_nothing'"):
        _ = sdpose.infer_nothing
    from sdpose.apis import test, train

    assert (train, test) == (sdpose.train, sdpose.test)
    assert all(hasattr(sdpose, name) for name in sdpose.__all__)


def test_pkg_resources_loads_without_a_warning(run_tool):
    code = "import sdpose, mmpose\nfrom mmengine.utils import get_installed_path\nprint(get_installed_path('mmpose'))"
    done = run_tool('-c', code, check=True)
    assert done.stdout.strip().endswith('mmpose') and warnings_of(done.stderr) == []


def test_missing_parts_are_seen_as_missing(run_tool):
    """What others ask to find out whether mmdet and compiled ops are there is answered with the truth."""
    code = dedent("""
        import importlib.util, json, sys
        sys.modules['mmcv._ext'] = None  # as in mmcv-lite, whichever mmcv is installed
        real = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *a: None if name in ('mmcv._ext', 'mmdet') else real(name, *a)
        import sdpose
        from mmpose.apis.inferencers import base_mmpose_inferencer
        from mmpose.models.heads.hybrid_heads import dekr_head, rtmo_head
        from mmpose.models.heads.transformer_heads import edpose_head
        said = {}
        for name, use in dict(
                op=lambda: edpose_head.MultiScaleDeformableAttention(embed_dims=8),
                other=lambda: exec('from mmcv.ops import nms'),
                reduce=lambda: rtmo_head.reduce_mean(1.0)).items():
            try:
                use()
            except ImportError as error:
                said[name] = str(error)
        said['mmdet'] = 'mmdet' in sys.modules or 'mmdet.utils' in sys.modules
        said['guards'] = [dekr_head.has_mmcv_full, base_mmpose_inferencer.has_mmdet]
        print(json.dumps(said))
    """)
    said = json.loads(run_tool('-c', code, check=True).stdout.splitlines()[-1])
    assert said['op'].startswith('MultiScaleDeformableAttention is a compiled op of mmcv')
    assert 'pip install "mmcv>=2.0.1,<2.2"' in said['op']
    assert said['other'].startswith('nms is a compiled op of mmcv')
    assert 'reduce_mean belongs to mmdet' in said['reduce'] and 'pip install "mmdet' in said['reduce']
    assert said['mmdet'] is False
    assert said['guards'] == [False, False]


def test_full_mmcv_and_mmdet_are_used_where_they_are(run_tool, tool_env: dict, tmp_path: Path):
    """A compiled extension and an mmdet are imitated; MMPose then holds their names, not the stand-ins."""
    package = tmp_path / 'mmdet'
    package.mkdir()
    (package / '__init__.py').write_text("__version__ = '3.2.0'\n")
    (package / 'utils.py').write_text('ConfigType = dict\ndef reduce_mean(tensor):\n    return tensor\n')
    extension = tmp_path / 'extension'
    extension.mkdir()
    (extension / '_ext.py').write_text('def __getattr__(name):\n    return lambda *args, **kwargs: None\n')
    code = dedent(f"""
        import mmcv
        mmcv.__path__.insert(0, {str(extension)!r})
        import sdpose
        import mmcv.ops
        from mmpose.models.heads.hybrid_heads import rtmo_head
        from mmpose.models.heads.transformer_heads import edpose_head
        import mmdet
        print(edpose_head.MultiScaleDeformableAttention.__module__, rtmo_head.reduce_mean(3),
              mmdet.__version__, mmcv.ops.nms.__module__)
    """)
    done = run_tool('-c', code, env={'PYTHONPATH': f'{tmp_path}:{tool_env["PYTHONPATH"]}'}, check=True)
    assert done.stdout.split() == ['mmcv.ops.multi_scale_deform_attn', '3', '3.2.0', 'mmcv.ops.nms']


def test_a_missing_pkg_resources_names_the_cure(monkeypatch: pytest.MonkeyPatch):
    from sdpose.compat import imports

    monkeypatch.setattr(imports, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match='pkg_resources is missing.*pip install "setuptools<81"'):
        imports.require_pkg_resources()


def test_applying_again_changes_nothing():
    import mmengine.hooks.checkpoint_hook as hook
    import mmengine.runner.checkpoint as checkpoint
    from mmengine.config import Config
    from mmengine.model.wrappers import MMDistributedDataParallel

    from sdpose import compat

    def state() -> list:
        return [
            checkpoint.get_file_backend,
            checkpoint.torch,
            checkpoint.load_url,
            checkpoint.find_latest_checkpoint,
            checkpoint.CheckpointLoader.load_checkpoint.__func__,
            hook.CheckpointHook._save_checkpoint_with_step,
            MMDistributedDataParallel.__init__,
            Config.fromstring,
        ]

    before = state()
    compat.apply()
    assert state() == before
