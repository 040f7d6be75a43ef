"""Monitors in other people's training loops: callbacks for Lightning and Hugging Face, which need neither to import.

Both frameworks call whatever has methods of the right names. Any other loop calls ``monitor.watch`` itself, and any
logger takes the dictionary that it returns: ``writer.add_scalars("error", found, step)`` of TensorBoard, or
``wandb.log({f"error/{name}": value for name, value in found.items()}, step=step)``.
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
    """Callback for Lightning's ``Trainer(callbacks=[...])``: measures every `monitor.every` steps and at the end.

    What was measured is saved in checkpoints and goes on from them. Values are logged as ``error/NAME``.

    Parameters
    ----------
    monitor : FrequencyMonitor
    inputs : tensor, or iterable of batches
        All inputs in the order of the monitor's labels; tensors are moved to the model's device.
    name : str
        Distinguishes several of them in one checkpoint and in the log.
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
    """Callback for the ``Trainer(callbacks=[...])`` of Hugging Face: measures every `monitor.every` steps.

    What was measured is written beside each checkpoint as ``fpbook_monitor.json``, and goes on from there.

    Parameters
    ----------
    monitor : FrequencyMonitor
    inputs : tensor, or iterable of batches
        All inputs in the order of the monitor's labels; batches may be dictionaries of named tensors.
    name : str
        Of the file, where there are several.
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
