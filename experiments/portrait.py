"""The portrait of the picture lab, `web/portrait.js`: a public-domain photograph that comes with matplotlib.

It is the picture of the section on pictures: 32 x 32 means over blocks of 10 x 10 pixels, here in steps of 1/255.
"""

import base64
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data

SCRIPT = Path(__file__).parents[1] / "web" / "portrait.js"
HEAD = "// Grace Hopper in 32 x 32 pixels, row by row, a byte each. Written by experiments/portrait.py.\n"
TOP, LEFT, SIZE, SIDE = 40, 110, 320, 32


def main() -> None:
    with get_sample_data("grace_hopper.jpg") as file:
        grey = plt.imread(file) @ [0.299, 0.587, 0.114]
    square = grey[TOP : TOP + SIZE, LEFT : LEFT + SIZE]
    means = square.reshape(SIDE, SIZE // SIDE, SIDE, SIZE // SIDE).mean(axis=(1, 3))
    text = base64.b64encode(np.round(means).astype(np.uint8).tobytes()).decode()
    SCRIPT.write_text(f'{HEAD}window.fpPortrait = "{text}";\n', "utf8")


if __name__ == "__main__":
    main()
