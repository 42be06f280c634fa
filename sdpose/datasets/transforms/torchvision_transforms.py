"""torchvision's transforms (version 2) under the names ``torchvision/NAME``.

They take a pipeline's dictionary as it is: images in it are transformed, anything else passes through. Their draws come
from torch's generator.
"""

from mmpose.registry import TRANSFORMS
from torchvision.transforms import v2

for _name, _part in vars(v2).items():
    if isinstance(_part, type) and issubclass(_part, v2.Transform) and _part is not v2.Transform:
        TRANSFORMS.register_module(name=f'torchvision/{_name}', module=_part)
