# Human token identification of PPT: keep 70 % of the visual tokens at layers 3, 6 and 9 (counted from 0).
token_pruner = dict(type='TokenPruner', keep_ratio=0.7, layers=(3, 6, 9))
