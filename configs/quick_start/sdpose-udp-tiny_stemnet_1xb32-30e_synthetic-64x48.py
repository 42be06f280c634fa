# The quick start's SDPose with UDP's crops, targets and decoding.
_base_ = ['./sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/recipes/udp.py']

use_udp = True
codec = dict(_base_.udp_codec, _delete_=True, input_size=(48, 64), sigma=1, blur_kernel_size=5)
model = dict(test_cfg=_base_.udp_test_cfg)
