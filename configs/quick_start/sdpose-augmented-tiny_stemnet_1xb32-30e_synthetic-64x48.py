# The quick start's SDPose with RTMPose's augmentation, weaker in the last epochs.
_base_ = ['./sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py', '../_base_/recipes/rtmpose_augmentation.py']

train_pipeline = _base_.rtmpose_pipeline
custom_hooks = [dict(_base_.rtmpose_last_epochs, epochs=3)]
