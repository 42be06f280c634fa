"""A checkpoint fills the model completely, or loading fails."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

from sdpose.engine.bare_model import bare_model
from sdpose.engine.joint_names import match_joints
from sdpose.engine.loops import AllCyclesTestLoop, HaltingTestLoop
from sdpose.engine.resumable import require_resumable
from sdpose.errors import ConfigError, MismatchError
from sdpose.io.checkpoint import CYCLE_ADAPTER, compare, labels_of, meta_of, require_match, stripped_of, weights_of

_CURE = (
    'Use the config the checkpoint was trained with, or, to keep only the weights that fit, pass --allow-partial '
    '(default_hooks.strict_load.allow_partial=True).'
)


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Refuse a checkpoint whose keys or shapes differ from the model's.

    MMEngine's runner warns and goes on, which leaves parts of the model at their random initial values. Applies to
    ``load_from``, to resuming and to testing. A published checkpoint may lack the training-only tensors that it names
    as taken out. A training that starts from a checkpoint of other joints takes over what belongs to single joints by
    the joints' names, see :func:`sdpose.engine.joint_names.match_joints`. Cycle adapters, which the deployed cycle does
    not have, are left out where the model has none; a model that has some starts from a checkpoint without them as what
    the checkpoint is.

    Args:
        allow_partial: Load the weights that fit, leave the others as they are, and show the table as a warning.
        fresh: Parts of the model, such as ``'head'``, that start anew where a training begins with another model's
            checkpoint (``load_from``); all others must fit. Resuming and testing never leave a part out.
    """

    priority = 'VERY_HIGH'

    def __init__(self, allow_partial: bool = False, fresh: Sequence[str] = ()) -> None:
        self.allow_partial = allow_partial
        self.fresh = tuple([fresh] if isinstance(fresh, str) else fresh)

    @staticmethod
    def _compare_labels(runner: Runner, checkpoint: dict) -> None:
        """Warn if a test's joints or classes have other names than those that the checkpoint was trained on.

        A warning, because one thing may have two names; what differs in number is refused before a run starts.
        """
        test: Any = getattr(runner, '_test_loop', None)
        if not hasattr(test, 'dataloader'):
            return
        learned = labels_of(meta_of(checkpoint).get('dataset_meta'))
        tested = labels_of(getattr(test.dataloader.dataset, 'metainfo', None))
        for place, (ours, theirs) in enumerate(zip(tested, learned)):
            if ours != theirs:
                return print_log(
                    f'label {place} (counted from 0) is {ours!r} in the test data, but {theirs!r} in the '
                    'data that the checkpoint was trained on: unless that is the same under another name, '
                    'the metrics compare different things',
                    'current',
                    logging.WARNING,
                )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare a checkpoint that was read from disk with the model, before the model is touched.

        Raises:
            MismatchError: If they differ and ``allow_partial`` is not set.
            ConfigError: If ``fresh`` names a part that the model does not have.
            UserError: If training is to be resumed from a file that holds weights only, or one that is damaged.
        """
        self._compare_labels(runner, checkpoint)
        source = getattr(runner, '_load_from', None) or 'the checkpoint'
        weights = weights_of(checkpoint, source)
        if not getattr(runner, '_resume', False):
            weights = self._match_joints(runner, checkpoint, weights, source)
            weights = _match_adapters(runner, checkpoint, weights, source)
            if self.fresh and isinstance(getattr(runner, '_train_loop', None), BaseLoop):
                checkpoint['state_dict'] = weights = self._without_fresh(bare_model(runner), weights, source)
        if not weights.keys() <= checkpoint.get('state_dict', {}).keys():  # a bare state dict, or wrappers' prefixes
            checkpoint['state_dict'] = weights
        self._fit(bare_model(runner), checkpoint, weights, source)
        if getattr(runner, '_resume', False):
            require_resumable(runner, checkpoint, source)

    @staticmethod
    def _match_joints(runner: Runner, checkpoint: dict, weights: dict[str, Tensor], source: str) -> dict[str, Tensor]:
        """The weights, those of joints by the names of the training data's joints."""
        train: Any = getattr(runner, '_train_loop', None)
        learned = labels_of(meta_of(checkpoint).get('dataset_meta'))
        wanted = labels_of(getattr(getattr(getattr(train, 'dataloader', None), 'dataset', None), 'metainfo', None))
        matched = match_joints(bare_model(runner), weights, learned, wanted)
        if matched is None:
            return weights
        if matched.kept:
            text = f'takes over {len(matched.kept)} joints by name: {", ".join(matched.kept)}'
            text += f'; new ones start from the mean of these: {", ".join(matched.new) or "none"}'
            text += f'; left out: {", ".join(matched.left_out) or "none"}'
        else:
            text = f'and the training data have no joint of the same name ({", ".join(learned)}; {", ".join(wanted)})'
            text += ': what belongs to joints is taken over in their order, if they are as many'
        print_log(f'{source} {text}', 'current', logging.INFO if matched.kept else logging.WARNING)
        checkpoint['state_dict'] = matched.weights
        return matched.weights

    def _without_fresh(self, model: nn.Module, weights: dict[str, Tensor], source: str) -> dict[str, Tensor]:
        """The weights with the model's own ones in the parts that start anew.

        Raises:
            ConfigError: If the model has no such part.
        """
        starts = tuple(f'{name.rstrip(".")}.' for name in self.fresh)
        own = {key: value for key, value in model.state_dict().items() if key.startswith(starts)}
        if odd := [name for name, start in zip(self.fresh, starts) if not any(key.startswith(start) for key in own)]:
            raise ConfigError(
                f'default_hooks.strict_load.fresh names {", ".join(odd)}, which this model does not have: its parts '
                f'are {", ".join(_counts(model.state_dict()))}'
            )
        taken = {key: value for key, value in weights.items() if not key.startswith(starts)}
        parts = ', '.join(f'{count} tensors of {part}' for part, count in _counts(taken).items())
        print_log(
            f'{source}: takes over {parts}; {", ".join(self.fresh)} starts anew ({len(own)} tensors; '
            f'{len(weights) - len(taken)} of the checkpoint are left out)',
            'current',
        )
        return {**taken, **own}

    def _fit(self, model: nn.Module, checkpoint: dict, weights: dict[str, Tensor], source: str) -> None:
        """Compare weights with the model, and leave in the checkpoint those that are to be loaded."""
        if stripped := stripped_of(model, checkpoint):
            parts = ', '.join(sorted({'.'.join(key.split('.')[:3]) for key in stripped}))
            print_log(
                f'{source} was published without its {len(stripped)} training-only tensors ({parts}): they keep '
                'their initial values, which testing never reads',
                'current',
            )
            checkpoint['state_dict'] = weights = {**weights, **stripped}
        if not self.allow_partial:
            return require_match(model, weights, source, _CURE)
        difference = compare(model, weights)
        if not difference:
            return
        print_log(
            f'{source} fits the model in part only: {difference.summary()}\n{difference.table()}\n'
            'What is missing keeps its initial values.',
            'current',
            logging.WARNING,
        )
        fitting = set(weights) - set(difference.unexpected) - set(difference.misshaped)
        checkpoint['state_dict'] = {key: weights[key] for key in weights if key in fitting}


def _counts(weights: Mapping[str, Tensor]) -> Counter[str]:
    """How many tensors each part of a model has."""
    return Counter(key.partition('.')[0] for key in weights)


def _match_adapters(runner: Runner, checkpoint: dict, weights: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """The weights, where one of model and checkpoint has cycle adapters: without them, or with the model's own.

    Raises:
        MismatchError: If a published checkpoint lacks the adapters of cycles that are to be tested.
    """
    own = {key: value for key, value in bare_model(runner).state_dict().items() if key.startswith(CYCLE_ADAPTER)}
    theirs = {key for key in weights if key.startswith(CYCLE_ADAPTER)}
    if bool(own) == bool(theirs):
        return weights
    if theirs:
        print_log(f'{source}: its {len(theirs)} cycle adapters are left out, the model has none', 'current')
        checkpoint['state_dict'] = {key: value for key, value in weights.items() if key not in theirs}
        return checkpoint['state_dict']
    if stripped_of(bare_model(runner), checkpoint):  # it has been another model
        if isinstance(getattr(runner, '_test_loop', None), (AllCyclesTestLoop, HaltingTestLoop)):
            raise MismatchError(
                f'{source} was published without its cycle adapters, which the cycles behind the first one need: test '
                'it without --all-cycles and --halt, or take the checkpoint of the training'
            )
        return weights
    print_log(f'{source} has no cycle adapters: those of the model start from nothing, as in a new one', 'current')
    checkpoint['state_dict'] = {**weights, **own}
    return checkpoint['state_dict']
