"""Wrong command lines of every tool: the files that they name, their arguments, and what the answer must name."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Files that a command line may name, by name; ``{root}`` is the checkout, ``{here}`` the folder.
CONFIGS = {
    'zero.py': "_base_ = 'tiny.py'\nlr = 1 / 0",
    'base_of_zero.py': "_base_ = 'zero.py'",
    'syntax.py': 'model = dict(',
    'itself.py': "_base_ = 'itself.py'",
    'circle.py': "_base_ = 'circle_2.py'",
    'circle_2.py': "_base_ = 'circle.py'",
    'number.py': '_base_ = 5',
    'no_base.py': "_base_ = 'gone.py'",
    'exits.py': "_base_ = 'tiny.py'\nimport sys\nsys.exit(1)",
    'imports.py': "_base_ = 'tiny.py'\ncustom_imports = dict(imports=['no_such_module'])",
    'a_list.json': '[1, 2]',
    'torn.yml': 'a: [',
    'name.py': "_base_ = 'tiny.py'\nmodel = dict(neck=dict(dim=width))",
    'asserts.py': "_base_ = 'tiny.py'\nassert False, 'not today'",
    'late.py': "_base_ = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.py'\n"
    'codec = dict(input_size=(288, 384), heatmap_size=(72, 96))',
    'misspelt.py': "_base_ = 'tiny.py'\nmodel = dict(neck=dict(num_cycels=2))",
    'no_part.py': "_base_ = 'tiny.py'\nmodel = dict(neck=dict(_delete_=True, type='NoSuchNeck'))",
    'model.py': "_base_ = 'tiny.py'\nmodel = 3",
}
TEXTS = {
    'text.pth': 'no checkpoint',
    'empty.pth': '',
    'text.json': 'no JSON',
    'dict.json': '{}',
    'numbers.json': '[1, 2]',
    'tables.yml': 'tables: [',
    'a_file': 'not a folder',
}
_UTF16 = 'utf16.py'


class Wrong(NamedTuple):
    """A wrong command line: a tool, its arguments, one of the words that its line must have, and the environment."""

    tool: str
    args: tuple[str, ...]
    names: str
    env: tuple[tuple[str, str], ...] = ()


def write_files(folder: Path, root: Path) -> None:
    """Write what the command lines name."""
    for name, text in {**CONFIGS, **TEXTS}.items():
        (folder / name).write_text(text.replace('{root}', str(root)))
    (folder / _UTF16).write_text('a = 1', encoding='utf-16')
    (folder / 'a_folder').mkdir()


# After the config, of the tools that take one.
_REST = {
    'train.py': ('--work-dir', 'out'),
    'test.py': ('work/epoch_1.pth', '--work-dir', 'out'),
    'model_converters/publish_model.py': ('work/epoch_1.pth', 'out/'),
    'analysis_tools/get_flops.py': (),
}
_SHORT = ('train_cfg.max_epochs=1', 'train_cfg.val_interval=1', 'train_dataloader.num_workers=0')


def with_configs() -> Iterator[Wrong]:
    """Config files that fail, for every tool that reads one."""
    extra = {_UTF16: _UTF16, 'gone.py': 'gone.py', 'a_folder': 'a_folder', 'sdpose-s-v1_stemnet': 'sdpose-s-v1'}
    named = {name: name for name in CONFIGS} | {'base_of_zero.py': 'zero.py', 'circle.py': 'circle', 'late.py': 'codec'}
    named |= {'misspelt.py': 'num_cycels', 'no_part.py': 'NoSuchNeck', 'no_base.py': 'gone.py', **extra}
    for tool, rest in _REST.items():
        for file, word in named.items():
            yield Wrong(tool, (file, *rest), word)


# Options that every tool with a model refuses, and the word that the line must have.
MODEL_OPTIONS = {
    'nothing': 'nothing',
    '=5': '=5',
    'model..neck=1': 'model..neck',
    'model.neck.num_cycels=3': 'num_cycles',
    'model.neck.dim=[1': 'model.neck.dim',
    'model.neck.dim=wide': 'model.neck.dim',
    'model.neck.depth=1.5': 'depth',
    'model.neck.num_heads=5': 'num_heads',
    'model.neck.patch_size=(5,5)': 'patch',
    'model.neck.test_cycles=7': 'test_cycles',
    'model=3': 'model',
    'model.backbone.type=NoSuchNet': 'NoSuchNet',
    'model.neck.5.x=3': 'model.neck',
    'model.head=dict(type=1)': 'model.head',
    'codec.sigma=3': 'decoder.sigma',
    'max_epochs=3': 'train_cfg.max_epochs',
    'model.head.loss.type=NoSuchLoss': 'NoSuchLoss',
    'param_scheduler.7.end=3': 'param_scheduler.7.end',
}
# Options of a training: values that it reads late.
TRAIN_OPTIONS = {
    'train_cfg.max_epochs=0': 'train_cfg.max_epochs',
    'train_cfg.max_epochs=-3': 'train_cfg.max_epochs',
    'train_cfg.max_epochs=many': 'train_cfg.max_epochs',
    'train_cfg.max_epochs=1.5': 'train_cfg.max_epochs',
    'train_cfg.val_interval=0': '--no-validate',
    'train_cfg.val_interval=0.5': 'train_cfg.val_interval',
    'train_cfg.val_interval=often': 'train_cfg.val_interval',
    'train_cfg.type=NoSuchLoop': 'NoSuchLoop',
    'train_cfg.max_epoch=3': 'max_epoch',
    'default_hooks.checkpoint.interval=often': 'checkpoint.interval',
    'default_hooks.checkpoint.interval=0': 'checkpoint.interval',
    'default_hooks.checkpoint.max_keep_ckpts=few': 'max_keep_ckpts',
    'default_hooks.checkpoint.max_keep_ckpts=None': 'max_keep_ckpts',
    'default_hooks.checkpoint.save_best=coco/ap': 'save_best',
    'default_hooks.checkpoint.save_best=5': 'save_best',
    'default_hooks.checkpoint.rule=best': 'rule',
    'default_hooks.logger.interval=0': 'logger.interval',
    'default_hooks.logger=5': 'default_hooks.logger',
    'val_evaluator={_delete_: True, type: EPE}': 'save_best',
    'val_evaluator.format_only=True': 'outfile_prefix',
    'val_evaluator.type=NoSuchMetric': 'NoSuchMetric',
    'val_evaluator.score_mode=none': 'score_mode',
    'val_evaluator.ann_file=gone.json': 'gone.json',
    'val_evaluator.ann_file=text.json': 'text.json',
    'val_evaluator=None': 'val_evaluator',
    'optim_wrapper.accumulative_counts=0': 'accumulative_counts',
    'optim_wrapper.accumulative_counts=two': 'accumulative_counts',
    'optim_wrapper.clip_grad=1.0': 'clip_grad',
    'optim_wrapper.clip_grad={max_norm: -1}': 'clip_grad',
    'optim_wrapper.clip_grad={max_nrm: 1}': 'clip_grad',
    'optim_wrapper.clip_grad={type: all, max_norm: 1}': 'clip_grad',
    'optim_wrapper.optimizer.type=NoSuch': 'NoSuch',
    'optim_wrapper.optimizer.lr=fast': 'optim_wrapper',
    'optim_wrapper.optimizer.lr=-1': 'learning rate',
    'optim_wrapper.optimizer.momentum=0.9': 'momentum',
    'optim_wrapper=None': 'optim_wrapper',
    'optim_wrapper.type=NoSuchWrapper': 'NoSuchWrapper',
    'log_level=LOUD': 'log_level',
    'log_level=info': 'log_level',
    'device=cuda:9': 'device',
    'train_dataloader.num_workers=-1': 'train_dataloader.num_workers',
    'train_dataloader.num_workers=two': 'train_dataloader.num_workers',
    'val_dataloader.num_workers=0.5': 'val_dataloader.num_workers',
    'train_dataloader.batch_size=0': 'train_dataloader.batch_size',
    'train_dataloader.batch_size=-2': 'train_dataloader.batch_size',
    'train_dataloader.batch_size=all': 'train_dataloader.batch_size',
    'val_dataloader.batch_size=0': 'val_dataloader.batch_size',
    'train_dataloader.sampler.type=NoSuchSampler': 'NoSuchSampler',
    'train_dataloader.batchsize=3': 'batch_size',
    'train_dataloader.dataset.ann_file=gone.json': 'gone.json',
    'train_dataloader.dataset.ann_file=text.json': 'text.json',
    'train_dataloader.dataset.type=NoSuchData': 'NoSuchData',
    'train_dataloader.dataset.pipeline.0.type=NoSuchStep': 'NoSuchStep',
    'train_dataloader=None': 'train_dataloader',
    'data_root=gone': 'gone',
    'model.neck.dim=64': 'model.neck.dim',
    'model.head.in_channels=64': 'model.head.in_channels',
    'model.neck.in_channels=32': 'model.neck.in_channels',
    'model.neck.num_queries=5': 'num_queries',
    'model.neck.feature_size=(24,32)': 'feature_size',
    'model.head.decoder.heatmap_size=(24,32)': 'heatmap_size',
    'custom_hooks=[{type: NoSuchHook}]': 'NoSuchHook',
    'custom_hooks=5': 'custom_hooks',
    'custom_hooks=[{type: EarlyStoppingHook, monitor: x, strict: True}]': 'monitor',
    'randomness.seed=abc': 'seed',
    'randomness.seed=-1': 'seed',
    'load_from=gone.pth': 'gone.pth',
    'load_from=text.pth': 'text.pth',
    'launcher=pytorch': '--launcher',
    'default_scope=nowhere': 'nowhere',
    'visualizer.type=NoSuchVisualizer': 'NoSuchVisualizer',
    'param_scheduler.0.type=NoSuchSchedule': 'NoSuchSchedule',
    'param_scheduler.0.end=-5': 'end',
    'param_scheduler.1.end=9': 'param_scheduler.1',
    'param_scheduler.0.milestones=[3]': 'milestones',
    'train_dataloader.dataset.pipeline.2.prob=0.0': 'flip_test',
    'env_cfg.mp_cfg.mp_start_method=jump': 'jump',
    'auto_scale_lr={enable: True, base_batch_size: 0}': 'base_batch_size',
    'log_processor.window_size=wide': 'window_size',
    'train_dataloader.dataset=5': 'train_dataloader.dataset',
    'val_dataloader.dataset=None': 'val_dataloader.dataset',
    'data_root=5': 'data_root',
    'env_cfg=None': 'env_cfg',
    'optim_wrapper.optimizer.betas=1': 'optim_wrapper',
    'param_scheduler.0.start_factor=0': 'param_scheduler.0',
    'custom_hooks=[{type: EMAHook, momentum: 5}]': 'momentum',
    'custom_hooks=[{}]': 'type',
    'val_evaluator.outfile_prefix=/proc/x': 'outfile_prefix',
    'model.init_cfg.type=NoSuchInit': 'NoSuchInit',
    'model.test_cfg.flip_mode=up': 'flip_mode',
    'model.head.supervise=sometimes': 'supervise',
    'model.neck.position=there': 'position',
    'train_dataloader.timeout=-1': 'timeout',
    'train_cfg.dynamic_intervals=[5]': 'dynamic',
}
TEST_OPTIONS = {
    'test_dataloader.batch_size=0': 'test_dataloader.batch_size',
    'test_dataloader.num_workers=-1': 'test_dataloader.num_workers',
    'test_dataloader=None': 'test_dataloader',
    'test_evaluator=None': 'test_evaluator',
    'test_cfg=None': 'test_cfg',
    'test_cfg.type=NoSuchLoop': 'NoSuchLoop',
    'test_evaluator.type=NoSuchMetric': 'NoSuchMetric',
    'test_evaluator.nms_mode=some': 'nms_mode',
    'test_evaluator.ann_file=gone.json': 'gone.json',
    'test_dataloader.dataset.ann_file=gone.json': 'gone.json',
    'test_dataloader.dataset.bbox_file=gone.json': 'gone.json',
    'log_level=LOUD': 'log_level',
    'data_root=gone': 'gone',
    'model.neck.depth=2': 'epoch_1.pth',
    'model.head.decoder.input_size=(96,128)': 'input_size',
    'launcher=slurm': '--launcher',
}


def with_options() -> Iterator[Wrong]:
    """Options of which a key or a value is wrong."""
    for tool, rest in _REST.items():
        short = _SHORT if tool == 'train.py' else ()
        tables = [MODEL_OPTIONS, *dict([('train.py', [TRAIN_OPTIONS]), ('test.py', [TEST_OPTIONS])]).get(tool, [])]
        for option, word in (pair for table in tables for pair in table.items()):
            yield Wrong(tool, ('tiny.py', *rest, '--cfg-options', *short, option), word)


_RANK = (('RANK', '0'), ('WORLD_SIZE', '1'), ('MASTER_ADDR', '127.0.0.1'))
TRAIN_FLAGS = {
    ('--resume', 'gone.pth'): 'gone.pth',
    ('--resume', 'a_folder'): 'a_folder',
    ('--resume', 'text.pth'): 'text.pth',
    ('--resume', 'empty.pth'): 'empty.pth',
    ('--resume', 'BEST'): 'load_from',
    ('--launcher', 'pytorch'): 'RANK',
    ('--launcher', 'slurm'): 'SLURM_PROCID',
    ('--launcher', 'mpi'): 'OMPI_COMM_WORLD',
    ('--launcher', 'dask'): 'dask',
    ('--dist-timeout', '0'): '--dist-timeout',
    ('--dist-timeout', 'soon'): '--dist-timeout',
    ('--interval', 'often'): '--interval',
    ('--show-dir', 'drawn', '--interval', '0'): 'interval',
    ('--wait-time', 'long'): '--wait-time',
    ('--local_rank', 'first'): '--local_rank',
    ('--work-dir', 'a_file'): 'a_file',
    ('--work-dir', '/proc/work'): '/proc/work',
    ('--cfg-options',): '--cfg-options',
    ('--no-such-flag',): '--no-such-flag',
    ('another.py',): 'another.py',
}
TEST_FLAGS = {
    ('--out', 'a.txt'): '--out',
    ('--out', 'a_folder'): '--out',
    ('--out', 'a_file/a.json'): 'a_file',
    ('--out', '/proc/a.json'): '/proc',
    ('--dump', 'a.json'): '--dump',
    ('--dump', 'a_file/a.pkl'): 'a_file',
    ('--test-dev', '--gt-bbox'): '--gt-bbox',
    ('--test-dev',): 'test-dev',
    ('--launcher', 'pytorch'): 'RANK',
    ('--wait-time', 'long'): '--wait-time',
    ('--format-only', '--cfg-options', 'test_evaluator={_delete_: True, type: EPE}'): '--format-only',
    ('--out', 'a.json', '--cfg-options', 'test_evaluator={_delete_: True, type: EPE}'): '--out',
    ('--all-cycles', '--cfg-options', 'test_cfg.type=NoSuchLoop'): '--all-cycles',
    ('--interval', '3'): '--interval',
}
OTHERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    *(('test.py', ('tiny.py', file), file) for file in ('gone.pth', 'a_folder', 'text.pth', 'empty.pth', 'dict.json')),
    ('train.py', (), 'config'),
    ('test.py', ('tiny.py',), 'checkpoint'),
    *(
        ('model_converters/publish_model.py', ('tiny.py', file, 'out/'), file)
        for file in ('gone.pth', 'a_folder', 'text.pth', 'empty.pth')
    ),
    ('model_converters/publish_model.py', ('tiny.py', 'work/epoch_1.pth', 'a_file/x'), 'a_file'),
    ('model_converters/publish_model.py', ('tiny.py', 'work/epoch_1.pth', '/proc/x/'), '/proc'),
    *(
        ('model_converters/publish_model.py', ('tiny.py', 'work/epoch_1.pth', 'out/', '--metrics', file), file)
        for file in ('gone.json', 'text.json', 'dict.json', 'numbers.json', 'a_folder')
    ),
    *(
        (f'model_converters/{tool}.py', (file, 'x.pth'), file)
        for tool in ('from_official', 'from_timm')
        for file in ('gone.pth', 'a_folder', 'text.pth', 'empty.pth', 'work/epoch_1.pth')
    ),
    ('model_converters/from_timm.py', ('work/epoch_1.pth',), 'DST'),
    *(
        ('dataset_tools/make_synthetic.py', ('--out', 'drawn', *args), word)
        for args, word in (
            (('--num-train', '-1'), '--num-train'),
            (('--num-train', 'many'), '--num-train'),
            (('--num-train', '0', '--num-val', '0'), '--num-val'),
            (('--seed', '-1'), '--seed'),
            (('--level', 'easy'), '--level'),
            (('--style', 'kinetics'), '--style'),
            (('--size', 'large'), '--size'),
            (('--size', '5x5'), '--size'),
            (('--size', '640'), '--size'),
            (('--workers', '0'), '--workers'),
            (('--out', 'a_file'), 'a_file'),
            (('--out', 'data'), 'data'),
            (('--out', '/proc/x'), '/proc'),
            (('--overwrite', '--out', 'data'), 'data'),
        )
    ),
    *(
        ('dataset_tools/make_shapes.py', ('--out', 'drawn', *args), word)
        for args, word in (
            (('--num-train', '-1'), '--num-train'),
            (('--num-val', 'x'), '--num-val'),
            (('--seed', '-1'), '--seed'),
            (('--size', '3'), '--size'),
            (('--size', '3x3'), '--size'),
            (('--out', 'a_file'), 'a_file'),
            (('--out', 'data'), 'data'),
            (('--out', '/proc/x'), '/proc'),
        )
    ),
    *(
        ('analysis_tools/validate_results.py', args, word)
        for args, word in (
            (('gone.json', 'VAL'), 'gone.json'),
            (('text.json', 'VAL'), 'text.json'),
            (('dict.json', 'VAL'), 'dict.json'),
            (('numbers.json', 'VAL'), 'numbers.json'),
            (('a_folder', 'VAL'), 'a_folder'),
            (('results.json', 'gone.json'), 'gone.json'),
            (('results.json', 'text.json'), 'text.json'),
            (('results.json', 'numbers.json'), 'numbers.json'),
            (('results.json', 'dict.json'), 'dict.json'),
            (('results.json', 'VAL', '--num-keypoints', '0'), '--num-keypoints'),
            (('results.json', 'VAL', '--num-keypoints', '-3'), '--num-keypoints'),
            (('results.json', 'VAL', '--num-keypoints', 'x'), '--num-keypoints'),
            (('results.json', 'VAL', '--num-keypoints', '14'), 'results.json'),
            (('results.json', 'VAL', '--submit-as', 'a/b'), 'a/b'),
        )
    ),
    *(
        ('analysis_tools/run_table.py', args, word)
        for args, word in (
            (('table99',), 'table99'),
            (('table1', '--file', 'gone.yml'), 'gone.yml'),
            (('table1', '--file', 'tables.yml'), 'tables.yml'),
            (('table1', '--file', 'a_list.json'), 'a_list.json'),
            (('table1', '--seeds', '0'), '--seeds'),
            (('table1', '--jobs', '0'), '--jobs'),
            (('table1', '--gpus', '0'), '--gpus'),
            (('table1', '--gpus', '9'), '--gpus'),
            (('table1', '--scale', 'tiny'), '--scale'),
            (('table1', '--data', 'nowhere'), 'nowhere'),
            (('table1', '--row', 'none'), 'none'),
            (('table1', '--collect', 'gone'), 'gone'),
            (('table1', 'table2', '--row', 'x'), '--row'),
            (('table1', '--row', 'x', '--report-only'), '--report-only'),
            (('table1', '--work-dir', 'a_file'), 'a_file'),
            (('table1', '--cfg-options', 'model.neck.dim=[1'), 'model.neck.dim'),
        )
    ),
    ('misc/doctor.py', ('--no-such-flag',), '--no-such-flag'),
    ('misc/draw_method.py', ('a_folder',), 'a_folder'),
    ('misc/draw_method.py', ('a_file/x.svg',), 'a_file'),
    ('misc/draw_method.py', ('--no-such-flag',), '--no-such-flag'),
    ('dist_train.sh', (), 'CONFIG'),
    ('dist_train.sh', ('tiny.py',), 'GPUS'),
    ('dist_train.sh', ('tiny.py', 'two'), 'GPUS'),
    ('dist_train.sh', ('tiny.py', '0'), 'GPUS'),
    ('dist_test.sh', ('tiny.py', 'work/epoch_1.pth'), 'GPUS'),
    ('dist_test.sh', ('tiny.py', 'work/epoch_1.pth', '-1'), 'GPUS'),
    ('slurm_train.sh', ('part', 'job', 'tiny.py'), 'WORK_DIR'),
    ('slurm_test.sh', ('part', 'job', 'tiny.py'), 'CHECKPOINT'),
)


def with_flags() -> Iterator[Wrong]:
    """Flags and arguments that are wrong by themselves."""
    short = ('--cfg-options', *_SHORT)
    for flags, word in TRAIN_FLAGS.items():
        yield Wrong('train.py', ('tiny.py', *_REST['train.py'], *short, *flags), word)
    for flags, word in TEST_FLAGS.items():
        yield Wrong('test.py', ('tiny.py', *_REST['test.py'], *flags), word)
    for tool, args, word in OTHERS:
        yield Wrong(tool, args, word)
    parallel = ('tiny.py', *_REST['train.py'], '--launcher', 'pytorch', *short)
    for env, word in (
        ((('RANK', '0'),), 'WORLD_SIZE'),
        ((*_RANK, ('MASTER_PORT', 'x')), 'MASTER_PORT'),
        ((*_RANK, ('RANK', 'first'), ('MASTER_PORT', '29544')), 'RANK'),
        ((*_RANK, ('RANK', '3'), ('MASTER_PORT', '29544')), 'WORLD_SIZE'),
        ((*_RANK, ('MASTER_PORT', 'TAKEN')), 'MASTER_PORT'),
    ):
        yield Wrong('train.py', parallel, word, env)
    for env, word in (
        ((('NNODES', 'x'),), 'NNODES'),
        ((('NNODES', '2'), ('NODE_RANK', '2')), 'NODE_RANK'),
        ((('PORT', 'TAKEN'),), 'PORT'),
        ((('PORT', '99999'),), 'PORT'),
    ):
        yield Wrong('dist_train.sh', ('tiny.py', '1'), word, env)


def every_one() -> list[Wrong]:
    """All wrong command lines, in one order."""
    return [*with_configs(), *with_options(), *with_flags()]
