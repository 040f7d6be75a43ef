"""Labs in a live kernel: widgets, a thread that trains, a figure."""

import base64
import html
import io
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from fpbook.lab import experiment
from fpbook.lab.declared import Declared, check, value_at, with_choice
from fpbook.lab.said import ELSEWHERE, picture, reply, verdict, words

Progress = Callable[[Sequence[int]], Iterator[int]]


def live(declared: Declared, recorded_values: Declared) -> None:
    """Controls for a live kernel, from the declaration."""
    widgets = {path: _widget(declared, path) for path in declared["choose"]}
    recorded: dict[str, Any] = {}
    names = {path: path.replace(".", "_") for path in widgets}
    asked = declared["question"]
    guess = None
    if asked:
        guess = ipywidgets.RadioButtons(options=asked["answers"], value=None, description=asked["ask"])
        guess.style.description_width = "initial"
    note = ipywidgets.HTML()

    def run(progress: Progress, **values: Any) -> Figure:
        if guess is not None and guess.value is None:
            raise ValueError("first guess what will happen")
        chosen = {path: check(declared, path, _chosen(declared, path, values[name])) for path, name in names.items()}
        if not recorded:
            note.value = "Training first what this is compared with …"
            base = with_choice(declared, recorded_values)
            first = experiment.run(base, progress)
            if first["done"] == "stopped":
                note.value = "Stopped before what yours is compared with was trained; Train begins again."
                return picture(base, first)
            recorded.update(first)
            note.value = ""
        changed = with_choice(declared, chosen)
        result = experiment.run(changed, progress)
        text = html.escape(words(changed, result, recorded))
        if guess is not None:
            here = all(value == value_at(declared, path) for path, value in chosen.items() if path != "network.seed")
            right = verdict(changed, result, recorded)
            text += html.escape(reply(asked, asked["answers"].index(guess.value), right) if here else ELSEWHERE)
        note.value = text
        return picture(changed, result, recorded)

    extra = [guess] if guess is not None else []
    kernel_lab(run, {names[path]: widget for path, widget in widgets.items()}, before=extra, after=[note])


def _widget(declared: Declared, path: str) -> ipywidgets.Widget:
    """The ipywidget of a control."""
    control, value = declared["choose"][path], value_at(declared, path)
    if "options" in control:
        options = control["options"]
        shown = next(name for name, one in options.items() if one == value)
        widget = ipywidgets.Dropdown(options=list(options), value=shown)
    elif control.get("frequencies"):
        widget = ipywidgets.Text(value=", ".join(str(k) for k in value))
    elif "low" in control and control["high"] > 1e6:
        widget = ipywidgets.IntText(value=value)
    elif "low" in control:
        kind = ipywidgets.IntSlider if isinstance(control["step"], int) else ipywidgets.FloatSlider
        widget = kind(value=value, min=control["low"], max=control["high"], step=control["step"])
    else:
        widget = ipywidgets.Checkbox(value=bool(value))
    widget.description = control["label"]
    widget.style.description_width = "initial"
    return widget


def _chosen(declared: Declared, path: str, value: Any) -> Any:
    """What a widget's value means for the declaration."""
    control = declared["choose"][path]
    if "options" in control:
        return control["options"][value]
    if control.get("frequencies"):
        return {part.strip(): 1.0 for part in value.split(",") if part.strip()}
    return value


def kernel_lab(
    run: Callable[..., Figure],
    controls: dict[str, ipywidgets.Widget],
    before: Iterable[ipywidgets.Widget] = (),
    after: Iterable[ipywidgets.Widget] = (),
) -> None:
    """Controls, a button that trains with their values, one that stops, the figure; a line while the book is built."""
    if os.environ.get("FPBOOK_BUILD") == "1":
        print("This lab trains again with your own choice. It needs a live kernel: open this page in Jupyter or Colab.")
        if (
            os.environ.get("FPBOOK_TRY_LABS") == "1"
        ):  # the second run: a lab that fails or cannot be stopped fails there
            values = {name: control.value for name, control in controls.items()}
            plt.close(run(lambda steps: itertools.islice(steps, 3), **values))
        return
    button, stop = ipywidgets.Button(description="Train"), ipywidgets.Button(description="Stop", disabled=True)
    bar, shown, stopped = ipywidgets.FloatProgress(max=1.0), ipywidgets.HTML(), threading.Event()

    def progress(steps: Sequence[int]) -> Iterator[int]:
        for done, step in enumerate(steps):
            if done % max(len(steps) // 50, 1) == 0:
                bar.value = done / len(steps)
            yield step
            if stopped.is_set():
                return

    def work(values: dict[str, Any]) -> None:
        try:
            shown.value = _picture_html(run(progress, **values))
        except ValueError as error:
            shown.value = html.escape(f"Please choose again: {error}")
        except Exception as error:  # a thread's exception would be lost
            shown.value = html.escape(f"{type(error).__name__}: {error}")
        finally:
            bar.value, button.disabled, stop.disabled = 0.0, False, True

    def on_click(_: ipywidgets.Button) -> None:
        button.disabled, stop.disabled = True, False
        stopped.clear()
        shown.value = "Training …"
        values = {name: control.value for name, control in controls.items()}
        threading.Thread(target=work, args=(values,)).start()

    button.on_click(on_click)
    stop.on_click(lambda _: stopped.set())
    display(ipywidgets.VBox([*before, *controls.values(), ipywidgets.HBox([button, stop, bar]), *after, shown]))


def as_control(name: str, value: Any) -> ipywidgets.Widget:
    """The widget for a value; ValueError if there is none."""
    if isinstance(value, ipywidgets.Widget):
        return value
    widget = ipywidgets.interactive.widget_from_abbrev(value)
    if widget is None:
        raise ValueError(
            f"no control for {name} = {value!r}: give a number, a text, a list, a (low, high, step) or a widget"
        )
    widget.description = widget.description or name
    return widget


def _picture_html(fig: Figure) -> str:
    """A figure as an element of a page; the text for those who do not see it names its axes."""
    fig.savefig(png := io.BytesIO(), format="png", dpi=120)
    plt.close(fig)  # or the next cell would show it again
    names = html.escape("; ".join(f"{ax.get_ylabel()} against {ax.get_xlabel()}" for ax in fig.axes))
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return f'<img src="{source}" alt="{names}" style="max-width: 100%">'
