"""Labs in a live kernel: widgets, a training behind them, a figure."""

import base64
import contextvars
import html
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from fpbook.lab import experiment
from fpbook.lab.messages import answer, order, picture, reply, say, verdict, words
from fpbook.lab.spec import Declared, check, value_at, with_choice

HEARD = 50  # how often a run looks whether Stop was pressed, and moves its bar


def live(declared: Declared, recorded_values: Declared) -> None:
    """Controls, a button that trains with their values, one that stops, the figure."""
    display(LiveLab(declared, recorded_values).box)


class LiveLab:
    """The widgets of one lab, and what they have trained."""

    def __init__(self, declared: Declared, recorded_values: Declared) -> None:
        self.declared = declared
        self.base = with_choice(declared, recorded_values)  # what the reader's run is compared with
        self.recorded: dict[str, Any] = {}
        self.widgets = {path: _widget(declared, path) for path in declared["choose"]}
        question = declared["question"]
        self.guess = ipywidgets.RadioButtons(options=question["answers"] if question else [], value=None)
        self.guess.description = question["ask"] if question else ""
        self.guess.style.description_width = "initial"
        self.train = ipywidgets.Button(description="Train")
        self.stop = ipywidgets.Button(description="Stop", disabled=True)
        self.bar = ipywidgets.FloatProgress(max=1.0)
        self.note, self.shown = ipywidgets.HTML(), ipywidgets.HTML()
        self.stopped = threading.Event()
        self.train.on_click(self._start)
        self.stop.on_click(lambda _: self.stopped.set())
        buttons = ipywidgets.HBox([self.train, self.stop, self.bar])
        asked = [self.guess] if question else []
        self.box = ipywidgets.VBox([*asked, *self.widgets.values(), buttons, self.note, self.shown])

    def _start(self, _: ipywidgets.Button) -> None:
        """Train with the values of the widgets: in a thread, so that Stop is heard, where its updates arrive."""
        values = {path: chosen(self.declared, path, widget.value) for path, widget in self.widgets.items()}
        self.train.disabled, self.stop.disabled = True, False
        self.stopped.clear()
        self.shown.value = say("training")
        if "google.colab" in sys.modules:  # there an update that comes after the click is over is lost
            self.stop.disabled = True
            self.work(values)
        else:  # with the context of the click: ipykernel 7.0 finds the cell in it to which an output belongs
            threading.Thread(target=contextvars.copy_context().run, args=(self.work, values)).start()

    def work(self, values: dict[str, Any]) -> None:
        try:
            self._run(values)
        except ValueError as error:
            self.shown.value = html.escape(say("again", reason=str(error)))
        except Exception as error:  # a thread's exception would be lost
            self.shown.value = html.escape(f"{type(error).__name__}: {error}")
        finally:
            self.bar.value, self.train.disabled, self.stop.disabled = 0.0, False, True

    def _run(self, values: dict[str, Any]) -> None:
        question = self.declared["question"]
        chosen = {path: check(self.declared, path, value) for path, value in values.items()}
        here = {path for path, value in chosen.items() if value != value_at(self.declared, path)} <= {"network.seed"}
        asked = question and here  # a guess holds for what was asked, with any seed
        if asked and self.guess.value is None:
            self.note.value, self.shown.value = html.escape(say("guess first")), ""
            return
        if not self.recorded and not self._train_recorded():
            return
        changed = with_choice(self.declared, chosen)
        result = experiment.run(changed, self._progress)
        first = order(changed, result)
        if asked:
            right = verdict(changed, result, self.recorded)
            first = reply(question, question["answers"].index(self.guess.value), right)
        elif question and not first:
            first = answer(changed, result, self.recorded)
        self.note.value = html.escape(f"{first} {words(changed, result, self.recorded)}".strip())
        self.shown.value = _picture_html(picture(changed, result, self.recorded))

    def _train_recorded(self) -> bool:
        """Train what the reader's run is compared with; False if it was stopped, and so is not kept."""
        self.note.value = say("comparison")
        first = experiment.run(self.base, self._progress)
        if first["done"] == "stopped":
            self.note.value = say("no comparison")
            self.shown.value = ""
            return False
        self.recorded, self.note.value = first, ""
        return True

    def _progress(self, steps: Sequence[int]) -> Iterator[int]:
        for done, step in enumerate(steps):
            if done % max(len(steps) // HEARD, 1) == 0:
                self.bar.value = done / len(steps)
            yield step
            if self.stopped.is_set():
                return


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


def chosen(declared: Declared, path: str, value: Any) -> Any:
    """What a widget's value means for the declaration."""
    control = declared["choose"][path]
    if "options" in control:
        return control["options"][value]
    if control.get("frequencies"):
        declared_sizes = value_at(declared, path)
        return {k: declared_sizes.get(k, 1.0) for part in value.split(",") if (k := part.strip())}
    return value


def _picture_html(fig: Figure) -> str:
    """A figure as an element of a page; the text for those who do not see it names its axes."""
    fig.savefig(png := io.BytesIO(), format="png", dpi=120)
    plt.close(fig)  # or the next cell would show it again
    names = html.escape("; ".join(f"{ax.get_ylabel()} against {ax.get_xlabel()}" for ax in fig.axes))
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return f'<img src="{source}" alt="{names}" style="max-width: 100%">'
