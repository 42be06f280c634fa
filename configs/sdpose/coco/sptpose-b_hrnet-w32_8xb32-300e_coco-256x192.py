# SPTPose-B as far as it is public: SDPose-B with PPT's pruning, which anneals until epoch 100. Without its optional
# channel attention behind the backbone.
_base_ = ['./sdpose-b_hrnet-w32_8xb32-300e_coco-256x192.py', '../../_base_/models/token_pruner.py']

model = dict(neck=dict(pruner=dict(cycles=(1,), **_base_.token_pruner)))
custom_hooks = [dict(type='KeepRatioHook', start_epochs=10, anneal_epochs=90)]
