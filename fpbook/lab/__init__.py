"""Controls for a live kernel: choose values, train, stop."""

import base64
import html
import io
import itertools
import os
import threading

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display


def lab(run, **controls):
    """Show controls and a button that trains with their values; while the book is built, one line says where to run it.

    Parameters
    ----------
    run : function
        ``run(progress, **values)`` -> matplotlib figure, with one value a control. It passes `progress` on to
        `fpbook.training.train`, so that a bar is shown and "Stop" ends the training early; the figure then shows what was reached.
        An exception that it raises is shown as a message, a ValueError as a request to choose again.
    controls : ipywidgets, or plain values
        One for each value. A number gives a slider around it, a tuple (smallest, largest, step) a slider between them, a
        text a field, a list a choice, as in `ipywidgets.interact`.

    Notes
    -----
    Training runs in a thread, because a kernel that is busy does not hear the button. Uses what ipywidgets 7.7.1 (Colab) and 8 share.
    """
    controls = {name: _control(name, value) for name, value in controls.items()}
    if os.environ.get("FPBOOK_BUILD") == "1":
        print("This lab trains again with your own choice. It needs a live kernel: open this page in Jupyter or Colab.")
        if os.environ.get("FPBOOK_TRY_LABS") == "1":  # the second run: a lab that fails, or cannot be stopped, fails there
            values = {name: control.value for name, control in controls.items()}
            plt.close(run(lambda steps: itertools.islice(steps, 3), **values))
        return
    button, stop = ipywidgets.Button(description="Train"), ipywidgets.Button(description="Stop", disabled=True)
    bar, shown, stopped = ipywidgets.FloatProgress(max=1.0), ipywidgets.HTML(), threading.Event()

    def progress(steps):
        for done, step in enumerate(steps):
            if done % max(len(steps) // 50, 1) == 0:
                bar.value = done / len(steps)
            yield step
            if stopped.is_set():
                return

    def work(values):
        try:
            shown.value = _picture_html(run(progress, **values))
        except ValueError as error:
            shown.value = html.escape(f"Please choose again: {error}")
        except Exception as error:  # a thread's exception would be lost
            shown.value = html.escape(f"{type(error).__name__}: {error}")
        finally:
            bar.value, button.disabled, stop.disabled = 0.0, False, True

    def on_click(_):
        button.disabled, stop.disabled = True, False
        stopped.clear()
        shown.value = "Training …"
        values = {name: control.value for name, control in controls.items()}
        threading.Thread(target=work, args=(values,)).start()

    button.on_click(on_click)
    stop.on_click(lambda _: stopped.set())
    display(ipywidgets.VBox([*controls.values(), ipywidgets.HBox([button, stop, bar]), shown]))


def _control(name, value):
    """The widget for a value; ValueError if there is none."""
    if isinstance(value, ipywidgets.Widget):
        return value
    widget = ipywidgets.interactive.widget_from_abbrev(value)
    if widget is None:
        raise ValueError(f"no control for {name} = {value!r}: give a number, a text, a list, a (low, high, step) or a widget")
    widget.description = widget.description or name
    return widget


def _picture_html(fig):
    """A figure as an element of a page; the text for those who do not see it names its axes."""
    fig.savefig(png := io.BytesIO(), format="png", dpi=120)
    plt.close(fig)  # or the next cell would show it again
    names = html.escape("; ".join(f"{ax.get_ylabel()} against {ax.get_xlabel()}" for ax in fig.axes))
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return f'<img src="{source}" alt="{names}" style="max-width: 100%">'
