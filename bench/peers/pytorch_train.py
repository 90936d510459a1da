"""PyTorch's side of bench/trainer-vs-pytorch.mjs: the trainer's network, recipe and views, as PyTorch is used.

Its argument is JSON: {settings, pictures, part, cores, mean, std}, part being `step` (views lie ready), `whole`
(views are made meanwhile by a DataLoader) or `verify`. Then one line of JSON in, one line of JSON out.
"""

import json
import platform
import sys
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.numpy import load_file
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from pytorch_network import Network

READY = 4  # batches of the step part, used in turns; in the whole part, as many are made ahead


class TwoView:
    """Two views contrasted within the batch (NT-Xent)."""

    views = 2

    def __init__(self, settings, pictures):
        self.temperature = settings["temperature"]

    def loss(self, vectors, pictures):
        rows = len(vectors)
        partner = (torch.arange(rows) + rows // 2) % rows
        scores = (vectors @ vectors.T / self.temperature).fill_diagonal_(-torch.inf)
        return F.cross_entropy(scores, partner)

    def update(self, vectors, pictures):
        pass


class MemoryBank:
    """The full softmax over a bank of all pictures; the batch's own rows follow with momentum."""

    views = 1

    def __init__(self, settings, pictures):
        self.temperature, self.momentum = settings["temperature"], settings["bank_momentum"]
        self.bank = F.normalize(torch.randn(pictures, settings["dimension"]))

    def loss(self, vectors, pictures):
        return F.cross_entropy(vectors @ self.bank.T / self.temperature, pictures)

    def update(self, vectors, pictures):
        mixed = self.momentum * self.bank[pictures] + (1 - self.momentum) * vectors
        self.bank[pictures] = F.normalize(mixed)


class Views(Dataset):
    """Views of pictures of random pixels, by torchvision: n x 3 x side x side uint8 to views x 3 x size x size."""

    def __init__(self, spec, views):
        settings, side = spec["settings"], spec["settings"]["pack"]
        self.pictures = torch.randint(0, 256, (spec["pictures"], 3, side, side), dtype=torch.uint8)
        self.views = views
        strengths = (settings[name] for name in ("brightness", "contrast", "saturation", "hue"))
        self.view = v2.Compose(
            [
                v2.RandomResizedCrop(settings["size"], (settings["crop_min"], 1), antialias=False),
                v2.RandomHorizontalFlip(settings["flip"]),
                v2.RandomApply([v2.ColorJitter(*strengths)], settings["jitter"]),
                v2.RandomGrayscale(settings["grey"]),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(spec["mean"], spec["std"]),
            ]
        )

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, i):
        return torch.stack([self.view(self.pictures[i]) for _ in range(self.views)]), i


class Trainer:
    def __init__(self, spec):
        settings = self.settings = spec["settings"]
        self.spec = spec
        shape = (settings[name] for name in ("width", "size", "head", "dimension"))
        network = Network(*shape, exact=spec["part"] == "verify")
        self.network = network.to(memory_format=torch.channels_last)
        objective = {"two-view": TwoView, "memory-bank": MemoryBank}[settings["objective"]]
        self.objective = objective(settings, spec["pictures"])
        decayed = [p for p in network.parameters() if p.dim() > 1]
        rest = [p for p in network.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": rest}]
        self.optimiser = torch.optim.SGD(groups, settings["lr"], settings["momentum"], fused=True)
        self.batches = self.fed_batches() if spec["part"] == "whole" else self.ready_batches()

    def ready_batches(self):
        rows, size = self.settings["batch"], self.settings["size"]

        def one():
            images = torch.randn(rows * self.objective.views, 3, size, size)
            return images.to(memory_format=torch.channels_last), torch.randperm(self.spec["pictures"])[:rows]

        yield from cycle([one() for _ in range(READY)])

    def fed_batches(self):
        options = {"num_workers": 1, "prefetch_factor": READY, "persistent_workers": True}
        views = Views(self.spec, self.objective.views)
        loader = DataLoader(views, self.settings["batch"], shuffle=True, drop_last=True, **options)
        while True:
            for images, pictures in loader:  # b x views x 3 x h x w; all first views go before all second ones
                images = images.transpose(0, 1).flatten(0, 1)
                yield images.contiguous(memory_format=torch.channels_last), pictures

    def step(self, images, pictures):
        vectors = self.network(images)
        loss = self.objective.loss(vectors, pictures)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.objective.update(vectors.detach(), pictures)
        return loss.item()

    def timed_step(self):
        began = time.perf_counter()
        batch = next(self.batches)
        waited = time.perf_counter() - began
        return self.step(*batch), waited

    def run(self, seconds, warmup):
        """Trains for `seconds` after `warmup` steps that are not counted."""
        for _ in range(warmup):
            self.timed_step()
        began, cpu_before, steps, waited, loss = time.perf_counter(), time.process_time(), 0, 0.0, 0.0
        while time.perf_counter() - began < seconds:
            loss, wait = self.timed_step()
            waited += wait
            steps += 1
        took = time.perf_counter() - began
        cpu = time.process_time() - cpu_before  # without the DataLoader's worker
        views = steps * self.settings["batch"] * self.objective.views
        return {"views": views, "loss": loss, "seconds": took, "cpu_seconds": cpu, "waited": waited / took}

    def embeddings(self, images):
        self.network.eval()
        with torch.no_grad():
            vectors = self.network(images).flatten().tolist()
        self.network.train()
        return vectors

    def verify(self, folder, steps):
        """Starts from the weights, bank and views in `folder` and tells what `steps` steps on them do."""
        size = self.settings["size"]
        tensors = load_file(Path(folder, "weights.safetensors"))
        self.network.load(tensors)
        if "objective/vectors" in tensors:
            self.objective.bank = torch.from_numpy(tensors["objective/vectors"])
        images = torch.from_numpy(np.fromfile(Path(folder, "views.f32"), "<f4").reshape(-1, size, size, 3))
        images = images.permute(0, 3, 1, 2)  # channels_last in memory as it is
        pictures = torch.from_numpy(np.fromfile(Path(folder, "pictures.i32"), "<i4").astype(np.int64))
        before = self.embeddings(images)
        losses = [self.step(images, pictures) for _ in range(steps)]
        return {"before": before, "losses": losses, "after": self.embeddings(images), "lengths": self.lengths()}

    def lengths(self):
        """Of all kernels and matrices as one vector, and of all other weights."""
        squares = [0.0, 0.0]
        for weight in self.network.parameters():
            squares[weight.dim() <= 1] += weight.detach().double().square().sum().item()
        return [square**0.5 for square in squares]

    def hello(self):
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        versions["torchvision"] = torchvision.__version__
        return {"parameters": sum(p.numel() for p in self.network.parameters()), "versions": versions}


def main():
    spec = json.loads(sys.argv[1])
    torch.set_num_threads(spec["cores"])
    torch.manual_seed(spec["settings"]["seed"])
    trainer = Trainer(spec)
    orders = {"run": trainer.run, "verify": trainer.verify}
    print(json.dumps(trainer.hello()), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(orders[order.pop("do")](**order)), flush=True)


if __name__ == "__main__":
    main()
