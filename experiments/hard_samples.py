"""Record of figure 1.3: images that VGG-9, VGG-16 and VGG-19 all get wrong, and how labels vary around each."""

import numpy as np
import torch
from _runs import OUT, joined, one_cycle, over_seeds, run, trained_in, write

from fpbook.convnets import evaluate, vgg
from fpbook.datasets import cifar10
from fpbook.filtering import low_frequency_part, neighbour_disagreement, unit_distance

DEPTHS = (9, 16, 19)
K0 = 2 ** (np.arange(-2, 9) / 2)  # cut-offs for images of unit mean squared distance, 0.5 to 16


def flip_and_shift(x, generator):
    """Each image flipped at random, and the batch shifted by up to 4 pixels each way, zeros moving in."""
    flipped = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(flipped.to(x.device)[:, None, None, None], x.flip(3), x)
    top, left = torch.randint(0, 9, (2,), generator=generator).tolist()
    return torch.nn.functional.pad(x, (4, 4, 4, 4))[:, :, top : top + 32, left : left + 32]


def main(
    *, train=50000, test=10000, width=0.5, head=256, epochs=12, batch=128, lr=0.1, precision="bfloat16", seeds=1,
    first=0, reference=10000, neighbours=10, device="cpu", out=OUT,
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = cifar10(train=train, test=test, normalise="channel")

    def measure(net, epoch, seed, variant):
        if epoch < epochs:
            return {}
        logits = evaluate(net, x_test)
        true = logits.softmax(1)[torch.arange(test), y_test]
        return {"predicted": logits.argmax(1).to(torch.uint8), "probability": true.half()}

    def make(depth):
        return trained_in(precision, vgg(depth, width=width, head=head))

    how = one_cycle(lr, epochs * -(-train // batch)) | {"augment": flip_and_shift}
    arrays = over_seeds("hard_samples", options, make, x, y, measure, variants=DEPTHS, **how)
    arrays |= {name: arrays[name][:, :, 0] for name in ("predicted", "probability")}  # (seeds, depths, images)
    arrays = joined("hard_samples", arrays, options)

    pool, labels = torch.cat([x_test, x[:reference]]), torch.cat([y_test, y[:reference]])
    points, onehot = unit_distance(pool.flatten(1).numpy())[0], np.eye(10)[labels]
    high = ((onehot - low_frequency_part(points, onehot, 1 / K0**2, device=device)) ** 2).sum(2)  # (cut-offs, images)
    around = {"disagreement": neighbour_disagreement(pool, labels, neighbours=neighbours), "high_frequency": high}
    arrays |= {name: value[..., :test].astype(np.float32) for name, value in around.items()}
    write("hard_samples", arrays | {"k0": K0, "label": y_test.numpy().astype(np.uint8)}, options)


if __name__ == "__main__":
    run(main)
