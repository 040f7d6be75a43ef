"""Monitors in the training loops of other libraries: callbacks for Lightning and Hugging Face.

This module imports neither of the two, because both call any object whose methods have the right names. In any other
loop call ``found = monitor.watch(...)`` yourself and, if the result is not None, hand it to your logger:

- TensorBoard: ``writer.add_scalars("error", found, step)``
- Weights & Biases: ``wandb.log({f"error/{name}": value for name, value in found.items()}, step=step)``
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fpbook.monitor import FrequencyMonitor


class _Hooks:
    """Every hook of a framework that is not written out does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith(("on_", "setup", "teardown")):
            return lambda *_, **__: None
        raise AttributeError(name)


class LightningMonitor(_Hooks):
    """Callback for Lightning's ``Trainer(callbacks=[...])``, which measures when training starts and as it goes on.

    It measures at the steps that are multiples of ``monitor.every``, step 0 included.
    What was measured is saved in Lightning's checkpoints, and a run that resumes from one goes on from there. The
    relative error of each NAME is logged as ``error/NAME``.

    Parameters
    ----------
    monitor : FrequencyMonitor
    inputs : tensor, or iterable of batches
        All inputs in the order of the monitor's labels. A tensor, or a list or dictionary of tensors, is moved to the
        model's device; a loader must give batches that are already there.
    name : str
        What the names in the log begin with: ``error/NAME`` by default. Several monitors in one run need different
        names.
    """

    def __init__(self, monitor: FrequencyMonitor, inputs: Any, *, name: str = "error"):
        self.monitor, self.inputs, self.name = monitor, inputs, name
        self.state_key = f"fpbook.{name}"
        self._legacy_state_key = self.state_key

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self._measure(trainer, module)

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any, **__: Any) -> None:
        self._measure(trainer, module)

    def _measure(self, trainer: Any, module: Any) -> None:
        if not trainer.is_global_zero:
            return
        found = self.monitor.watch(trainer.global_step, module, _moved(self.inputs, module.device))
        if found and trainer.logger is not None:
            values = {f"{self.name}/{name}": value for name, value in found.items()}
            trainer.logger.log_metrics(values, step=trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        return self.monitor.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.monitor.load_state_dict(state)


class TrainerMonitor(_Hooks):
    """Callback for Hugging Face's ``Trainer(callbacks=[...])``, which measures when training starts and as it goes on.

    It measures at the steps that are multiples of ``monitor.every``, step 0 included.
    What was measured is written into the folder of each checkpoint as ``fpbook_monitor.json``, and a run that resumes
    from that checkpoint goes on from there.

    Parameters
    ----------
    monitor : FrequencyMonitor
    inputs : tensor, or iterable of batches
        All inputs in the order of the monitor's labels; batches may be dictionaries of named tensors. A tensor,
        or a list or dictionary of tensors, is moved to the model's device; a loader must give batches that are already
        there.
    name : str
        Name of that file without its ending. Several monitors in one run need different names.
    """

    def __init__(self, monitor: FrequencyMonitor, inputs: Any, *, name: str = "fpbook_monitor"):
        self.monitor, self.inputs, self.name = monitor, inputs, name

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        saved = self._file(args, state)
        if state.global_step and saved.is_file() and not len(self.monitor.step):
            self.monitor.load_state_dict(json.loads(saved.read_text(encoding="utf-8")))
        self._measure(state, model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        self._measure(state, model)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero and self._file(args, state).parent.is_dir():
            self._file(args, state).write_text(json.dumps(self.monitor.state_dict()), encoding="utf-8")

    def _measure(self, state: Any, model: Any) -> None:
        if not state.is_world_process_zero:
            return
        device = next(model.parameters()).device
        self.monitor.watch(state.global_step, model, _moved(self.inputs, device))

    def _file(self, args: Any, state: Any) -> Path:
        return Path(args.output_dir) / f"checkpoint-{state.global_step}" / f"{self.name}.json"


def _moved(inputs: Any, device: Any) -> Any:
    """Inputs on a device: a tensor, a dictionary of tensors, or a list of either."""
    if hasattr(inputs, "to"):
        return inputs.to(device)
    if isinstance(inputs, dict):
        return {name: _moved(value, device) for name, value in inputs.items()}
    return [_moved(batch, device) for batch in inputs] if isinstance(inputs, (list, tuple)) else inputs
