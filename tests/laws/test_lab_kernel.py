"""A lab in a live kernel, over the protocol that every front end speaks: a click goes in, the picture comes out.

What comes from a thread reaches the reader only if the kernel still knows to which cell it belongs.
"""

import os
import queue
import time

import pytest
from jupyter_client import KernelManager

LAB = """
import ipywidgets
from fpbook.lab import lab
made = []
ipywidgets.Widget.on_widget_constructed(made.append)
lab(data=dict(points=9, low=-1, high=1, sines={1: 1}), network=dict(hidden=[3], activation="tanh"),
    training=dict(lr=0.1, steps=100), watch=dict(series=["training"]), says="{end:training}")
box = next(widget for widget in made if isinstance(widget, ipywidgets.VBox))
*_, buttons, note, picture = box.children
print(buttons.children[0].model_id, picture.model_id)
"""


@pytest.fixture
def client():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={name: value for name, value in os.environ.items() if name != "FPBOOK_BUILD"})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_click_trains_and_its_picture_reaches_the_reader(client):
    printed = []
    client.execute_interactive(LAB, timeout=120, output_hook=lambda message: printed.append(message["content"]))
    button, picture = next(content["text"] for content in printed if content.get("name") == "stdout").split()
    for _ in range(2):  # a second run is no less heard than the first
        click = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
        client.shell_channel.send(client.session.msg("comm_msg", click))
        values, end = [], time.monotonic() + 60
        while not (values and "<img" in values[-1]) and time.monotonic() < end:
            try:
                content = client.get_iopub_msg(timeout=5)["content"]
            except queue.Empty:
                continue
            if content.get("comm_id") == picture:
                values.append(content["data"].get("state", {}).get("value", ""))
        assert values[0].startswith("Training") and "<img" in values[-1], values
