# Predicts MPII's test split in tools/test.py, without a metric. Trained and validated as the config it inherits.
_base_ = './sdpose-s-v1_stemnet_8xb64-300e_mpii-256x256.py'

test_dataloader = dict(dataset=_base_.test_split)
test_evaluator = dict(format_only=True)
