"""The trainer's network (trainer/src/architecture.ts, network.ts) in PyTorch, written anew so that one checks the other."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


class Conv(nn.Module):
    """A convolution and its batch normalisation.

    With a stride of 2 TensorFlow pads more after than before. For the same numbers (`exact`) that takes a padding of
    its own, which PyTorch would not need: for time the padding is the convolution's own, of equal cost on both sides.
    """

    def __init__(self, inputs, outputs, kernel, stride, exact):
        super().__init__()
        total = max(kernel - stride, 0)
        own = not exact or stride == 1
        self.pad = (0, 0, 0, 0) if own else (total // 2, total - total // 2) * 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if own else 0, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(F.pad(x, self.pad) if any(self.pad) else x))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, exact):
        super().__init__()
        self.first = Conv(inputs, outputs, 3, stride, exact)
        self.second = Conv(outputs, outputs, 3, 1, exact)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else Conv(inputs, outputs, 1, stride, exact)

    def forward(self, x):
        branch = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(branch.add_(self.shortcut(x)), inplace=True)


class Network(nn.Module):
    """ResNet-18 at a width, n x 3 x h x w to n x dimension of unit length. Modules have the names of the trainer."""

    def __init__(self, width, size, head, dimension, exact):
        super().__init__()
        channels = [max(8, int(full * width / 8 + 0.5) * 8) for full in (64, 128, 256, 512)]
        kernel, stride = (3, 1) if size < 64 else (5, 2) if size <= 128 else (7, 2)
        self.stem = Conv(3, channels[0], kernel, stride, exact)
        self.pool, self.exact = size > 128, exact
        inputs = channels[0]
        for stage, outputs in enumerate(channels, 1):
            first = Block(inputs, outputs, 1 if stage == 1 else 2, exact)
            blocks = OrderedDict({"1": first, "2": Block(outputs, outputs, 1, exact)})
            self.add_module(f"stage{stage}", nn.Sequential(blocks))
            inputs = outputs
        last = [("last", nn.Linear(inputs, dimension))]
        hidden = [("hidden", nn.Linear(inputs, inputs)), ("relu", nn.ReLU(inplace=True))]
        self.head = nn.Sequential(OrderedDict(hidden + last if head == "mlp" else last))

    def forward(self, x):
        x = F.relu(self.stem(x), inplace=True)
        if self.pool:
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2) if self.exact else F.max_pool2d(x, 3, 2, 1)
        x = self.stage4(self.stage3(self.stage2(self.stage1(x))))
        x = self.head(x.mean((2, 3)))
        return x / (x.square().sum(1, keepdim=True) + 1e-12).sqrt()

    @torch.no_grad()
    def load(self, tensors):
        """Takes over the trainer's weights (h x w x in x out, in x out); all of them must have a place here."""
        places = {}
        for name, module in self.named_modules():
            if isinstance(module, Conv):
                norm = module.norm
                places[f"weights/{name}.kernel"] = module.conv.weight.permute(2, 3, 1, 0)
                places |= {f"weights/{name}.gamma": norm.weight, f"weights/{name}.beta": norm.bias}
                places |= {f"statistics/{name}.mean": norm.running_mean}
                places |= {f"statistics/{name}.variance": norm.running_var}
            elif isinstance(module, nn.Linear):
                places |= {f"weights/{name}.weights": module.weight.T, f"weights/{name}.bias": module.bias}
        given = {name for name in tensors if name.startswith(("weights/", "statistics/"))}
        if given != places.keys():
            raise ValueError(f"not the same network: {sorted(given ^ places.keys())}")
        for name, place in places.items():
            if place.shape != tensors[name].shape:
                raise ValueError(f"{name} is {tensors[name].shape} there and {tuple(place.shape)} here")
            place.copy_(torch.from_numpy(tensors[name]))
