"""Class folders: samples, the recipe's pipelines, and one clear message for each thing that may be wrong."""

import os
import shutil
from pathlib import Path

import bombs
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from PIL import Image

from sdpose.config.load import load_config
from sdpose.config.options import prepare
from sdpose.datasets.transforms import LoadClassImage, SeedBySample
from sdpose.errors import ConfigError, DataError
from sdpose.preflight import check_all
from sdpose.synthetic.shapes import CLASSES, draw_picture

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


@pytest.fixture
def folders(tmp_path):
    """train and val with three classes of two pictures each."""
    for split in ('train', 'val'):
        for name in CLASSES[:3]:
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for index in range(2):
                picture = draw_picture(name, (48, 40), 0, split == 'val', index)
                cv2.imwrite(str(folder / f'{index}.JPEG.png'), picture)
    return tmp_path


def config(folders, num_classes=3, topk=(1, 2)):
    def loader(split):
        return dict(
            dataset=dict(type='ClassFolderDataset', data_root=str(folders), data_prefix=dict(img=split), pipeline=[])
        )

    return Config(
        dict(
            model=dict(head=dict(num_classes=num_classes)),
            train_dataloader=loader('train'),
            val_dataloader=loader('val'),
            test_dataloader=loader('val'),
            val_evaluator=dict(type='TopKAccuracy', topk=topk),
            test_evaluator=[dict(type='TopKAccuracy', topk=topk)],
        )
    )


def built(folders, split, pipeline):
    return DATASETS.build(
        dict(type='ClassFolderDataset', data_root=str(folders), data_prefix=dict(img=split), pipeline=pipeline)
    )


def test_labels_follow_the_sorted_names(folders):
    dataset = built(folders, 'train', [dict(type='LoadClassImage')])
    assert len(dataset) == 6 and dataset.metainfo == dict(classes=CLASSES[:3])
    first = dataset[5]
    assert first['gt_label'] == 2 and first['img'].size == (48, 40) and first['sample_idx'] == 5
    again = dataset[5 + 2 * 6]
    assert again['img_path'] == first['img_path'] and again['sample_idx'] == 17
    assert dataset.describe() == f'images: 6 in 3 classes from {folders}/train'


@pytest.mark.parametrize('name', ['imagenet_224x224', 'shapes_40x40'])
def test_pipelines_of_the_bases(folders, name):
    base = Config.fromfile(ROOT / f'configs/_base_/datasets/{name}.py')
    side = base.input_size[0]
    for split, loader in (('train', base.train_dataloader), ('val', base.val_dataloader)):
        dataset = built(folders, split, loader.dataset.pipeline)
        sample = dataset[1]
        assert type(sample['inputs']) is torch.Tensor and sample['inputs'].dtype == torch.float32
        assert sample['inputs'].shape == (3, side, side)
        assert sample['data_samples'].gt_label.item() == 0


def test_validation_pixels_by_hand(folders):
    base = Config.fromfile(ROOT / 'configs/_base_/datasets/shapes_40x40.py')
    dataset = built(folders, 'val', base.val_dataloader.dataset.pipeline)
    raw = cv2.imread(dataset.samples[0][0])[:, 4:44, ::-1].astype(np.float64) / 255
    expected = (raw - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(dataset[0]['inputs'].numpy(), expected.transpose(2, 0, 1), atol=1e-5)


def test_augmentation_follows_from_seed_epoch_and_copy(folders):
    base = Config.fromfile(ROOT / 'configs/_base_/datasets/imagenet_224x224.py')
    dataset = built(folders, 'train', base.train_dataloader.dataset.pipeline)
    seeder = SeedBySample(3)
    dataset.pipeline.transforms.insert(0, seeder)
    first = dataset[1]['inputs']
    dataset[0]
    torch.rand(3)
    assert torch.equal(dataset[1]['inputs'], first)
    assert not torch.equal(dataset[1 + 6]['inputs'], first)  # the second copy of the same image
    seeder.set_epoch(1)
    assert not torch.equal(dataset[1]['inputs'], first)


def test_rand_augment_is_strength_9_of_10_with_half_the_probability():
    base = Config.fromfile(ROOT / 'configs/_base_/datasets/imagenet_224x224.py')
    steps = base.train_dataloader.dataset.pipeline
    random = [step for step in steps if step.type == 'RandomApply']
    assert len(random) == 2 and all(step.prob == 0.5 for step in random)
    from torchvision.transforms import v2

    transforms = dict(random[0].transforms[0])
    assert transforms.pop('type') == 'torchvision/RandAugment'
    augment = v2.RandAugment(**transforms)
    rotations, _ = augment._AUGMENTATION_SPACE['Rotate']
    assert rotations(augment.num_magnitude_bins, 224, 224)[augment.magnitude].item() == pytest.approx(27)


def test_good_data_pass(folders):
    check_all(config(folders), ('train', 'val'))
    check_all(config(folders), ('test',))


def empty_a_class(root):
    for image in (root / 'val/circle').iterdir():
        image.unlink()
    (root / 'val/circle/notes.txt').write_text('none')


@pytest.mark.parametrize(
    'damage, message',
    [
        (lambda root: shutil.rmtree(root / 'train'), r'the image folder .*/train is missing: .*one folder per class'),
        (lambda root: [shutil.rmtree(root / 'val' / name) for name in CLASSES[:3]], r'/val holds no class folders: '),
        (empty_a_class, r'1 of 3 class folders of .*/val hold no image: circle; fill or remove them'),
        (
            lambda root: (root / 'val/cross').rename(root / 'val/krosz'),
            r'/train and .*/val have different classes: 1 only in .*/train \(cross\), 1 only in .*/val \(krosz\)',
        ),
        (lambda root: shutil.rmtree(root / 'val/cross'), r'different classes: 1 only in .*/train \(cross\); the same'),
    ],
)
def test_damaged_folders(folders, damage, message):
    damage(folders)
    with pytest.raises(DataError, match=message) as caught:
        check_all(config(folders), ('train', 'val'))
    assert '\n' not in str(caught.value)


def test_a_test_needs_no_training_folder(folders):
    shutil.rmtree(folders / 'train')
    check_all(config(folders), ('test',))


def test_numbers_of_classes_that_do_not_fit(folders):
    with pytest.raises(ConfigError, match=r'/train holds 3 class folders, but model.head.num_classes is 1000'):
        check_all(config(folders, num_classes=1000), ('train', 'val'))
    wrong = config(folders)
    wrong.model.data_preprocessor = dict(num_classes=4)
    with pytest.raises(ConfigError, match='model.data_preprocessor.num_classes is 4'):
        check_all(wrong, ('test',))
    with pytest.raises(ConfigError, match='test_evaluator counts the top 5 of 3 classes, which is always 100 %'):
        check_all(config(folders, topk=(1, 5)), ('test',))
    check_all(config(folders, topk='five'), ('test',))  # the metric's own matter


def test_the_readmes_options_for_another_data_set(folders):
    cfg = prepare(
        'configs/classification/imagenet/deit-tiny_8xb128-300e_imagenet-224x224.py',
        cfg_options={
            'data_root': f'{folders}/',
            'model.head.num_classes': 3,
            'model.data_preprocessor.num_classes': 3,
            'val_evaluator.topk': [1],
            'test_evaluator.topk': [1],
        },
    )
    check_all(cfg, ('train', 'val', 'test'))
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    assert [len(DATASETS.build(loader.dataset)) for loader in loaders] == [6, 6, 6]


def test_images_that_cannot_be_read(folders):
    dataset = built(folders, 'train', [dict(type='LoadClassImage')])
    path = Path(dataset.samples[0][0])
    whole = path.read_bytes()
    for content in (b'', b'no image', whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f'image {path} cannot be decoded: the file is damaged'):
            dataset[0]
    path.unlink()
    with pytest.raises(DataError, match='has vanished'):
        dataset[0]


@pytest.mark.parametrize('name', bombs.ALL)
def test_a_bomb_is_refused_before_it_is_decoded(folders, name, monkeypatch):
    dataset = built(folders, 'train', [dict(type='LoadClassImage')])
    path = Path(dataset.samples[0][0])
    path.write_bytes(bombs.ALL[name]())
    monkeypatch.setattr(Image.Image, 'convert', None)
    with pytest.raises(DataError, match=f'^image {path} is not read: it declares more than 201 million pixels'):
        dataset[0]


def test_a_pipe_is_refused_and_a_link_is_read(folders):
    dataset = built(folders, 'train', [dict(type='LoadClassImage')])
    first, second = (Path(dataset.samples[number][0]) for number in range(2))
    first.unlink()
    first.symlink_to(second)
    assert dataset[0]['img'] == dataset[1]['img']
    first.unlink()
    os.mkfifo(first)
    with pytest.raises(DataError, match=f'^image {first} is a pipe, a socket or a device, not a file'):
        dataset[0]


def test_images_of_every_mode(tmp_path):
    """Whatever a file stores, a pipeline gets RGB with 8 bits; 16 bits are scaled, not cut off."""
    color = Image.fromarray(np.full((4, 4, 3), (204, 102, 0), np.uint8))
    grey = round(0.299 * 204 + 0.587 * 102)
    expected = {
        'P.png': (204, 102, 0),
        'RGBA.png': (204, 102, 0),
        'CMYK.tif': (204, 102, 0),
        'L.png': (grey,) * 3,
        'LA.png': (grey,) * 3,
    }
    for name in expected:
        color.convert(name.split('.')[0]).save(tmp_path / name)
    Image.fromarray(np.full((4, 4), 100 * 256 + 7, np.uint16)).save(tmp_path / '16.png')
    for name, pixel in {**expected, '16.png': (100,) * 3}.items():
        image = LoadClassImage().transform(dict(img_path=str(tmp_path / name)))['img']
        assert image.mode == 'RGB' and image.getpixel((1, 1)) == pytest.approx(pixel, abs=2), name
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / 'F.tif')
    with pytest.raises(DataError, match='F.tif has floating-point pixels, whose range is not known'):
        LoadClassImage().transform(dict(img_path=str(tmp_path / 'F.tif')))


def test_an_image_smaller_than_its_crop_is_named(folders):
    dataset = built(folders, 'train', [dict(type='LoadClassImage'), dict(type='torchvision/RandomCrop', size=(64, 64))])
    with pytest.raises(DataError, match=r'image .*/train/arrow/0.JPEG.png does not fit the pipeline: .*\(64, 64\)'):
        dataset[0]


def test_a_misspelt_argument_of_the_data_set_is_named(tmp_path):
    (tmp_path / 'c.py').write_text("data = dict(type='ClassFolderDataset', data_rot='x', pipeline=[])")
    with pytest.raises(ConfigError, match="ClassFolderDataset has no argument 'data_rot'; did you mean 'data_root'"):
        load_config(tmp_path / 'c.py')
