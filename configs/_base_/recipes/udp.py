# UDP (arXiv:1911.07524): crops, targets and decoding by one rule, so that a mirrored picture's heatmap is the mirror of
# the picture's and needs no shift. A config that has this file among its bases takes it over by
#     use_udp = True
#     codec = dict(_base_.udp_codec, _delete_=True)
#     model = dict(test_cfg=_base_.udp_test_cfg)
udp_codec = dict(
    type='UDPHeatmap', input_size=(192, 256), heatmap_size='${codec.input_size // 4}', sigma=2, blur_kernel_size=11
)
udp_test_cfg = dict(shift_heatmap=False)
