# SDPose-S-V1 with SimCC's vectors in place of heatmaps. No paper's model.
_base_ = [
    '../../tokenpose/coco/tokenpose-s-simcc_stemnet_8xb64-300e_coco-256x192.py',
    '../../_base_/models/self_distiller.py',
]

model = dict(neck=dict(num_cycles=2), distiller=_base_.self_distiller)
