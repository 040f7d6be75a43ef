"""Record of figure 1.3: test images that VGG-9, VGG-16 and VGG-19 all get wrong, and how the label function looks around each."""

from functools import partial

import numpy as np
import torch
from common import ROOT, checkpoints, fit, run, write_record

from fpbook._kernels import gaussian_means
from fpbook.convnets import evaluate, vgg
from fpbook.datasets import cifar10
from fpbook.filtering import neighbour_disagreement, unit_distance

DEPTHS = (9, 16, 19)
K0 = 2 ** (np.arange(-2, 9) / 2)  # cut-offs for images of unit mean squared distance, 0.5 to 16


def flip_and_shift(x, generator):
    """Each image flipped at random, and the batch shifted by up to 4 pixels each way, zeros moving in."""
    flipped = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(flipped.to(x.device)[:, None, None, None], x.flip(3), x)
    top, left = torch.randint(0, 9, (2,), generator=generator).tolist()
    return torch.nn.functional.pad(x, (4, 4, 4, 4))[:, :, top : top + 32, left : left + 32]


def main(
    *, train=50000, test=10000, width=0.25, head=128, epochs=5, batch=128, lr=0.1, seeds=1, reference=10000, neighbours=10,
    device="cpu", out=str(ROOT / "data" / "records"),
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = cifar10(train=train, test=test, normalise="channel")
    folder = checkpoints("hard_samples", options)
    steps = epochs * -(-train // batch)

    def measure(net, epoch):
        logits = evaluate(net, x_test)
        found = {"test_accuracy": (logits.argmax(1) == y_test).double().mean()}
        if epoch == epochs:
            true = logits.softmax(1)[torch.arange(test), y_test]
            found |= {"predicted": logits.argmax(1).to(torch.uint8), "probability": true.half()}
        return found

    histories = []
    for seed in range(seeds):
        for depth in DEPTHS:
            torch.manual_seed(seed)
            net = vgg(depth, width=width, head=head).to(device)
            histories.append(
                fit(
                    net,
                    x,
                    y,
                    epochs=epochs,
                    batch=batch,
                    seed=seed,
                    measure=measure,
                    augment=flip_and_shift,
                    optimizer=partial(torch.optim.SGD, lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4),
                    schedule=partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=lr, total_steps=steps),
                    checkpoint=folder / f"vgg{depth}-seed{seed}.pt",
                )  # fmt: skip
            )
    arrays = {
        name: np.stack([h[name] for h in histories]).reshape(seeds, len(DEPTHS), *histories[0][name].shape)
        for name in histories[0]
    }
    seconds = arrays.pop("seconds").sum()
    arrays["predicted"], arrays["probability"] = arrays["predicted"][:, :, 0], arrays["probability"][:, :, 0]

    pool, labels = torch.cat([x_test, x[:reference]]), torch.cat([y_test, y[:reference]])
    arrays["disagreement"] = neighbour_disagreement(pool, labels, neighbours=neighbours)[:test].astype(np.float32)
    points, onehot = unit_distance(pool.flatten(1).numpy())[0], np.eye(10)[labels]
    low = gaussian_means(points, onehot, 1 / K0**2, dtype=torch.float32, device=device)  # (cut-offs, classes, points)
    high = ((onehot.T - low) ** 2).sum(1)[:, :test]
    arrays |= {"high_frequency": high.astype(np.float32), "k0": K0, "label": y_test.numpy().astype(np.uint8)}
    write_record("hard_samples", arrays, options, seconds)


if __name__ == "__main__":
    run(main)
