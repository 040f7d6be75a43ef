"""Steps a second of the labs' trainer in Chromium and of PyTorch: `python benchmarks/browser.py`, on an idle machine.

Both train the same networks on the same points with full batches and Adam, on one thread. PyTorch computes in float32,
the browser in float64, the only kind of number that JavaScript computes with.
"""

import shutil
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright

from fpbook.networks import MLP, Antisymmetric, Ricker
from fpbook.training import column, mean_squared_error, train

TRAINER = Path(__file__).parents[1] / "web/trainer.js"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
POINTS, STEPS, ROUNDS = 61, 300, 5
NETWORKS = {
    "tanh, 1-50-50-1": ({"widths": [1, 50, 50, 1], "activation": "tanh"}, lambda: MLP([1, 50, 50, 1])),
    "Ricker, 1-64-64-64-1 and its twin": (
        {"widths": [1, 64, 64, 64, 1], "activation": "ricker", "a": 0.3, "antisymmetric": True},
        lambda: Antisymmetric(MLP([1, 64, 64, 64, 1], Ricker(0.3))),
    ),
    "tanh, 1-200-200-200-1": ({"widths": [1, 200, 200, 200, 1], "activation": "tanh"}, lambda: MLP([1, *[200] * 3, 1])),
}
IN_THE_PAGE = """([net, data, steps]) => {
  const training = new fpTrainer.Training(net, { lr: 1e-3 }, data), start = performance.now();
  for (let t = 0; t < steps; t++) { training.step(); training.update(); }
  return (1e3 * steps) / (performance.now() - start);
}"""


def in_pytorch(make, x, y):
    adam = partial(torch.optim.Adam, lr=1e-3, fused=True)
    start = time.perf_counter()
    train(make(), partial(mean_squared_error, x=x, y=y), steps=STEPS, optimizer=adam, every=STEPS, progress=iter)
    return STEPS / (time.perf_counter() - start)


def main():
    if not CHROMIUM:
        sys.exit("no Chromium on this machine: install it, or there is no browser to measure")
    x = column(torch.linspace(-3, 3, POINTS))
    y = torch.sin(x)
    data = {"x": x.flatten().tolist(), "y": y.flatten().tolist()}
    print("| network | browser, steps a second | PyTorch | ratio |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]).new_page()
        page.add_script_tag(path=TRAINER)
        for name, (net, make) in NETWORKS.items():
            turns = [(page.evaluate(IN_THE_PAGE, [net, data, STEPS]), in_pytorch(make, x, y)) for _ in range(ROUNDS)]
            browser, torch_ = (statistics.median(column) for column in zip(*turns))
            print(f"| {name} | {browser:.0f} | {torch_:.0f} | {browser / torch_:.2f} |")


if __name__ == "__main__":
    main()
