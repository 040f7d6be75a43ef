"""Callbacks in loops of Lightning and Hugging Face: with stand-ins, and with the packages where they are installed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fpbook.contrib import LightningMonitor, TrainerMonitor
from fpbook.monitor import FrequencyMonitor

x = torch.linspace(-3, 3, 40)[:, None]
y = torch.sin(2 * x)


def fresh(every=5):
    return FrequencyMonitor(x, y, k=[2], every=every)


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.Dropout(0.1), torch.nn.Tanh(), torch.nn.Linear(20, 1))


def test_hooks_that_are_not_written_out_do_nothing_and_other_names_are_errors():
    callback = LightningMonitor(fresh(), x)
    assert callback.on_fit_end(1, 2, three=3) is None and callback.setup(1, 2, stage="fit") is None
    with pytest.raises(AttributeError):
        callback.weights  # noqa: B018


def test_one_row_a_step_in_the_first_process_and_the_mode_is_put_back():
    logged = []
    logger = SimpleNamespace(log_metrics=lambda values, step: logged.append((step, values)))
    net, callback = network().train(), LightningMonitor(fresh(), x)
    net.device = torch.device("cpu")
    for step in [0, 3, 5, 5, 5, 10]:  # batches whose gradients are added up share a step
        trainer = SimpleNamespace(is_global_zero=True, global_step=step, logger=logger)
        callback.on_train_batch_end(trainer, net, None, None, 0)
        callback.on_train_batch_end(SimpleNamespace(is_global_zero=False, global_step=step), net, None, None, 0)
    np.testing.assert_array_equal(callback.monitor.step, [0, 5, 10])
    assert [step for step, _ in logged] == [0, 5, 10] and list(logged[0][1]) == ["error/k=2"] and net.training
    resumed = LightningMonitor(fresh(), x)
    resumed.load_state_dict(callback.state_dict())
    np.testing.assert_array_equal(resumed.monitor.error, callback.monitor.error)


def test_the_trainer_of_hugging_face_writes_beside_its_checkpoint_and_resumes(tmp_path):
    args, callback = SimpleNamespace(output_dir=str(tmp_path)), TrainerMonitor(fresh(), x)
    state = SimpleNamespace(global_step=0, is_world_process_zero=True)
    callback.on_train_begin(args, state, None, model=network())
    state.global_step = 5
    callback.on_step_end(args, state, None, model=network())
    (tmp_path / "checkpoint-5").mkdir()
    callback.on_save(args, state, None)
    resumed = TrainerMonitor(fresh(), x)
    resumed.on_train_begin(args, state, None, model=network())
    np.testing.assert_array_equal(resumed.monitor.step, [0, 5])
    np.testing.assert_array_equal(resumed.monitor.error, callback.monitor.error)


def test_only_the_first_process_writes_and_only_where_a_checkpoint_is(tmp_path):
    args, callback = SimpleNamespace(output_dir=str(tmp_path)), TrainerMonitor(fresh(), x)
    for step, first, saved in [(5, True, False), (10, False, True), (15, True, True)]:
        if saved:
            (tmp_path / f"checkpoint-{step}").mkdir()
        callback.on_save(args, SimpleNamespace(global_step=step, is_world_process_zero=first), None)
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["checkpoint-15"]


def test_in_lightning_itself(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, inputs):
            return self.net(inputs)

        def training_step(self, batch, _):
            return ((self(batch[0]) - batch[1]) ** 2).mean()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    def trainer(callback, epochs):
        how = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
        return lightning.Trainer(max_epochs=epochs, callbacks=[callback], default_root_dir=tmp_path, **how)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=10)  # 4 steps an epoch
    first, second = LightningMonitor(fresh(2), x), LightningMonitor(fresh(2), x)
    run = trainer(first, 2)
    run.fit(Module(), loader)
    run.save_checkpoint(tmp_path / "last.ckpt")
    trainer(second, 3).fit(Module(), loader, ckpt_path=tmp_path / "last.ckpt")
    np.testing.assert_array_equal(first.monitor.step, [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(second.monitor.step, [0, 2, 4, 6, 8, 10, 12])
    np.testing.assert_array_equal(second.monitor.error[:5], first.monitor.error)


def test_in_the_trainer_of_hugging_face_itself(tmp_path):
    transformers = pytest.importorskip("transformers")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, inputs, labels=None):
            logits = self.net(inputs)
            loss = None if labels is None else ((logits - labels) ** 2).mean()
            return transformers.modeling_outputs.SequenceClassifierOutput(loss=loss, logits=logits)

    def fit(callback, steps, **how):
        arguments = transformers.TrainingArguments(
            str(tmp_path), max_steps=steps, save_steps=5, report_to=[], use_cpu=True, disable_tqdm=True
        )
        data = [{"inputs": a, "labels": b} for a, b in zip(x, y)]
        transformers.Trainer(Model(), arguments, train_dataset=data, callbacks=[callback]).train(**how)

    batches = [{"inputs": x[:30], "labels": y[:30]}, {"inputs": x[30:], "labels": y[30:]}]
    first, second = TrainerMonitor(fresh(), batches), TrainerMonitor(fresh(), batches)
    fit(first, 10)
    fit(second, 15, resume_from_checkpoint=str(tmp_path / "checkpoint-10"))
    np.testing.assert_array_equal(first.monitor.step, [0, 5, 10])
    np.testing.assert_array_equal(second.monitor.step, [0, 5, 10, 15])
    np.testing.assert_array_equal(second.monitor.error[:3], first.monitor.error)


def in_one_of_two_processes(rank, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    net, monitor = torch.nn.parallel.DistributedDataParallel(network()), fresh(1)
    adam = torch.optim.Adam(net.parameters())
    for step in range(3):
        monitor.watch(step, net, x)
        ((net(x[rank::2]) - y[rank::2]) ** 2).mean().backward()
        adam.step()
    torch.save(monitor.state_dict(), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_give_one_row_a_step(tmp_path, forked):
    processes = [forked.Process(target=in_one_of_two_processes, args=(rank, str(tmp_path))) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    rows = [torch.load(tmp_path / f"{rank}.pt")["step"] for rank in range(2)]
    assert rows == [[0, 1, 2], []]
