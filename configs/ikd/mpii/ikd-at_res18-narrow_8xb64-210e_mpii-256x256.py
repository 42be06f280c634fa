# IKD with attention transfer as its feature terms.
_base_ = './ikd_res18-narrow_8xb64-210e_mpii-256x256.py'

model = dict(
    distiller=dict(
        terms=dict(
            loss_feature=dict(_delete_=True, type='AttentionTransferLoss', on='backbone', loss_weight=1e-3),
            loss_deconv=dict(_delete_=True, type='AttentionTransferLoss', on='deconv', loss_weight=1e-3),
        )
    )
)
