# A larger input: 576 visual tokens instead of 256. Spread and blur as MMPose has them at this size; no paper's figure.
_base_ = './sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py'

codec = dict(input_size=(288, 384), sigma=3, blur_kernel_size=17)
