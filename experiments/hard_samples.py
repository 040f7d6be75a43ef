"""Record of figure 1.3: images that VGG-9, VGG-16 and VGG-19 all get wrong, and how labels vary around each."""

import numpy as np
import torch
from _runs import fit, one_cycle, run, seeds, trained_in

from fpbook.convnets import evaluate, vgg
from fpbook.datasets import cifar10
from fpbook.filtering import low_frequency_part, neighbour_disagreement, unit_distance
from fpbook.training import seeded

OPTIONS = {"train": 50000, "test": 10000, "width": 0.5, "head": 256, "epochs": 12, "batch": 128, "lr": 0.1}
OPTIONS |= {"precision": "bfloat16", "seeds": 1, "reference": 10000, "neighbours": 10, "device": "cpu"}
TINY = {"train": 96, "test": 48, "width": 0.0625, "head": 8, "epochs": 2, "batch": 32, "precision": "float32"}
TINY |= {"seeds": 1, "reference": 60, "neighbours": 3}  # in float32: bfloat16 is not rounded alike everywhere
AXES = dict.fromkeys(["predicted", "probability"], "seed depth image")
AXES |= {"disagreement": "image", "high_frequency": "cut-off image", "k0": "cut-off", "label": "image"}
DEPTHS = (9, 16, 19)
K0 = 2 ** (np.arange(-2, 9) / 2)  # cut-offs for images of unit mean squared distance, 0.5 to 16


def flip_and_shift(x, generator):
    """Each image flipped at random, and the batch shifted by up to 4 pixels each way, zeros moving in."""
    flipped = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(flipped.to(x.device)[:, None, None, None], x.flip(3), x)
    top, left = torch.randint(0, 9, (2,), generator=generator).tolist()
    return torch.nn.functional.pad(x, (4, 4, 4, 4))[:, :, top : top + 32, left : left + 32]


def case(o, checkpoint, seed, depth):
    x, y, x_test, y_test = cifar10(train=o.train, test=o.test, normalise="channel")

    def measure(net, epoch):
        if epoch < o.epochs:
            return {}
        logits = evaluate(net, x_test)
        true = logits.softmax(1)[torch.arange(o.test), y_test]
        return {"predicted": logits.argmax(1).to(torch.uint8), "probability": true.half()}

    net = seeded(lambda: vgg(depth, width=o.width, head=o.head), [seed], o.device)[0]
    how = one_cycle(o.lr, o.epochs * -(-o.train // o.batch)) | {"epochs": o.epochs, "batch": o.batch, "seed": seed}
    net = trained_in(o.precision, net)
    found = fit(net, x, y, measure=measure, augment=flip_and_shift, checkpoint=checkpoint, **how)
    return found | {name: found[name][-1] for name in ("predicted", "probability")}


def main(o, each):
    arrays = each(seed=seeds(o), depth=DEPTHS)
    x, y, x_test, y_test = cifar10(train=o.train, test=o.test, normalise="channel")
    pool, labels = torch.cat([x_test, x[: o.reference]]), torch.cat([y_test, y[: o.reference]])
    points, onehot = unit_distance(pool.flatten(1).numpy())[0], np.eye(10)[labels]
    high = ((onehot - low_frequency_part(points, onehot, 1 / K0**2, device=o.device)) ** 2).sum(2)
    around = {"disagreement": neighbour_disagreement(pool, labels, neighbours=o.neighbours), "high_frequency": high}
    arrays |= {name: value[..., : o.test].astype(np.float32) for name, value in around.items()}
    return arrays | {"k0": K0, "label": y_test.numpy().astype(np.uint8)}


if __name__ == "__main__":
    run("hard_samples")
