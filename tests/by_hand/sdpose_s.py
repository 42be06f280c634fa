"""SDPose-S by hand: the whole method in plain torch, computed the way the released code computes it.

It is for reading, and is the baseline of the benchmarks: attention is unfused, every map is kept, all cycles are run.
Parameters have the names of the package, so that its checkpoints load strictly; test_sdpose_s.py compares the two.

What is notable:

1.  One stack of layers is run C times. The second cycle gets the raw output of the first: the same tokens, with no norm
    between, no new keypoint tokens and no new features. A cycle costs time and no parameter.
2.  A joint is a learned token. It stands before the patches in the sequence, sees them in attention only, and becomes
    a heatmap at the end.
3.  Patches have a sine position embedding, joints have none. It is added before every layer, of every cycle, but the
    first: in cycle 1 the tokenizer has just added it there, in cycle 2 nobody has. What is added again stays in the
    residual stream, so a patch holds it c (L - 1) + 1 times after cycle c of L layers.
4.  Norms stand before attention and feed-forward, none after the last layer. Of the linears, only that of q, k and v
    has no bias.
5.  The head has two linears with only a LayerNorm between, no activation; where D > H W / 16, one linear. All joints
    and cycles share it.
6.  The heatmap losses of the cycles are summed, not averaged. One is a mean over all joints: those of weight 0 count in
    the denominator.
7.  Each cycle's tokens, of joints and of patches, are pulled towards the next cycle's by the mean squared difference,
    times 5e-6. The gradient goes into both: the teacher is not detached. By 3. the patches of two cycles differ by
    L - 1 codes from the start, so their difference starts near (L - 1)^2 / 2, that of the joints near 0.
8.  Cycle 1 is what is deployed. The released code runs all cycles in inference, too, and throws the later ones away.

Shapes: B batch, C channels, H and W the height and width of the feature map and of the heatmaps (a quarter of the
image), K joints, P patches, T = K + P tokens, D width, h heads, d = D / h.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Cycle(NamedTuple):
    heatmaps: Tensor  # (B, K, H, W)
    query: Tensor  # tokens of the joints, (B, K, D)
    visual: Tensor  # tokens of the patches, (B, P, D)
    attention: list[Tensor]  # of every layer, (B, h, T, T)


class Bottleneck(nn.Module):
    def __init__(self, channels, middle):
        super().__init__()
        out = 4 * middle
        self.conv1, self.bn1 = nn.Conv2d(channels, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2, self.bn2 = nn.Conv2d(middle, middle, 3, padding=1, bias=False), nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = nn.Conv2d(middle, out, 1, bias=False), nn.BatchNorm2d(out)
        wider = nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
        self.downsample = nn.Identity() if channels == out else wider

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.bn3(self.conv3(y)) + self.downsample(x)).relu()


class StemNet(nn.Module):
    def __init__(self, channels, blocks):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(*(Bottleneck(4 * channels if i else channels, channels) for i in range(blocks)))

    def forward(self, image):
        x = self.bn1(self.conv1(image)).relu()  # half of the image's size
        return self.layer1(self.bn2(self.conv2(x)).relu())  # (B, C, H, W), a quarter


def sine_code(rows, columns, dim):
    channel = torch.arange(dim // 2, dtype=torch.float64)
    period = 10000 ** (2 * (channel // 2) / (dim // 2))

    def axis(count):
        angle = 2 * math.pi * torch.arange(1, count + 1, dtype=torch.float64) / (count + 1e-6)
        return torch.where(channel % 2 == 0, (angle[:, None] / period).sin(), (angle[:, None] / period).cos())

    by_row, by_column = axis(rows).repeat_interleave(columns, dim=0), axis(columns).repeat(rows, 1)  # row-major
    return torch.cat([by_row, by_column], dim=1).float()  # (P, D)


class Tokenizer(nn.Module):
    def __init__(self, channels, grid, patch, joints, dim):
        super().__init__()
        self.patch_embed = nn.Conv2d(channels, dim, patch, stride=patch)  # patches do not overlap: a linear for each
        self.query = nn.Parameter(torch.empty(1, joints, dim))
        code = torch.cat([torch.zeros(joints, dim), sine_code(*grid, dim)])  # (T, D)
        self.register_buffer('code', code, persistent=False)

    def forward(self, feature):
        patches = self.patch_embed(feature).flatten(2).transpose(1, 2)  # (B, D, rows, columns) to (B, P, D)
        return torch.cat([self.query.expand(len(feature), -1, -1), patches], dim=1) + self.code  # (B, T, D)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)

    def forward(self, x):
        parts = self.qkv(x).chunk(3, dim=-1)  # q, k, v side by side, each (B, T, D)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)  # each (B, h, T, d)
        attention = (q @ k.transpose(-2, -1) * self.scale).softmax(dim=-1)  # (B, h, T, T), a row sums to 1
        return self.proj((attention @ v).transpose(1, 2).flatten(2)), attention  # (B, h, T, d) to (B, T, D)


class Layer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(dim), Attention(dim, heads), nn.LayerNorm(dim)
        self.ffn = nn.Sequential(nn.Linear(dim, 3 * dim), nn.GELU(), nn.Linear(3 * dim, dim))

    def forward(self, x):
        update, attention = self.attn(self.norm1(x))
        x = x + update
        return x + self.ffn(self.norm2(x)), attention


class MultiCycledTransformer(nn.Module):
    def __init__(self, tokenizer, layers, cycles):
        super().__init__()
        self.tokenizer, self.layers, self.cycles = tokenizer, nn.ModuleList(layers), cycles

    def forward(self, feature):
        x, done = self.tokenizer(feature), []
        for _ in range(self.cycles):
            maps = []
            for index, layer in enumerate(self.layers):
                if index > 0:
                    x = x + self.tokenizer.code
                x, attention = layer(x)
                maps.append(attention)
            done.append((x, maps))
        return done


class Head(nn.Module):
    def __init__(self, dim, size):
        super().__init__()
        self.size, pixels, hidden = size, math.prod(size), math.prod(size) // 8
        if dim > hidden / 2:
            self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, pixels))
        else:
            two = (nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, pixels))
            self.mlp = nn.Sequential(*two)

    def forward(self, query):
        return self.mlp(query).unflatten(-1, self.size)  # (B, K, H W) to (B, K, H, W), row-major


class SDPose(nn.Module):
    """SDPose-S-V1 by default; sizes are (height, width)."""

    def __init__(
        self, image=(256, 192), patch=(4, 3), joints=17, stem=64, blocks=4, dim=192, depth=12, heads=8, cycles=2
    ):
        super().__init__()
        self.joints, size = joints, (image[0] // 4, image[1] // 4)
        tokenizer = Tokenizer(4 * stem, (size[0] // patch[0], size[1] // patch[1]), patch, joints, dim)
        self.backbone = StemNet(stem, blocks)
        self.neck = MultiCycledTransformer(tokenizer, [Layer(dim, heads) for _ in range(depth)], cycles)
        self.head = Head(dim, size)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=0.001 if name.startswith('backbone') else 0.02)
            elif name.endswith('bias'):
                nn.init.zeros_(parameter)

    def forward(self, image):
        """Every cycle of images (B, 3, 4 H, 4 W)."""
        k = self.joints
        tokens = self.neck(self.backbone(image))
        return [Cycle(self.head(x[:, :k]), x[:, :k], x[:, k:], attention) for x, attention in tokens]

    def predict(self, image):
        """The deployed heatmaps (B, K, H, W): those of cycle 1."""
        return self(image)[0].heatmaps


def losses(cycles, target, weight, factor=5e-6, detach_teacher=False):
    """The terms whose sum is trained, for target heatmaps (B, K, H, W) and weights of the joints (B, K)."""
    terms = dict(loss_query=0.0, loss_visual=0.0)
    for number, cycle in enumerate(cycles, start=1):
        error = (cycle.heatmaps - target) ** 2
        terms[f'loss_kpt_cycle{number}'] = (weight[:, :, None, None] * error).mean()  # over B, K, H and W
    for student, teacher in zip(cycles, cycles[1:]):
        for name in ('query', 'visual'):
            wanted = getattr(teacher, name)
            error = (getattr(student, name) - (wanted.detach() if detach_teacher else wanted)) ** 2
            terms[f'loss_{name}'] += factor * error.mean()  # over B, tokens and D
    return terms
