// The panels of labs: what a run has reached, step by step, over what lies under it; drawn by replay.js.
(() => {
  "use strict";
  const { amplitudes } = window.fpExperiment;
  const { COLORS } = window.fpColors;

  const HOLLOW = { hollow: true };

  /** Several arrays of points as one in increasing order; `merge` puts their values in this order. */
  function merged(...parts) {
    const all = parts.flatMap((part) => [...part]);
    const order = all.map((_, i) => i).sort((a, b) => all[a] - all[b]);
    const merge = (...values) => {
      const joined = values.flatMap((part) => [...part]);
      return Float64Array.from(order, (i) => joined[i]);
    };
    return { x: Float64Array.from(order, (i) => all[i]), merge };
  }

  const filled = (n, value) => new Float64Array(n).fill(value);

  /** What is drawn of a frame is computed once. */
  function once(frame, key, make) {
    frame.drawn ??= {};
    frame.drawn[key] ??= make();
    return frame.drawn[key];
  }

  const steps = (frames) => (frames.length ? frames.map(({ step }) => step) : [0]);

  /** Target, labels and output; dashed, the output of the run `under` at the same step. */
  function outputPanel({ data, frames, under, xlim, color = COLORS.output, least = 1.3 }) {
    const { x, y, fine, f } = data;
    const { x: points, merge } = merged(fine, x);
    let last = f[0];
    const target = merge(f, filled(x.length, Number.NaN)).map((v) => (last = Number.isNaN(v) ? last : v));
    const line = (frame) => once(frame, "output", () => merge(frame.h, frame.at));
    const output = { name: "output", style: "-", color };
    const curves = [
      { name: "target", style: "=", color: COLORS.target, y: target },
      { name: "labels", style: "o", color: COLORS.points, y: merge(filled(fine.length, Number.NaN), y) },
    ];
    if (frames.length) curves.push({ ...output, frames: frames.map(line) });
    const top = Math.max(least, heightOf(f, y, frames));
    const spec = { ylabel: "", xlabel: "<i>x</i>", log: "", x: points, xlim, ylim: [-top, top], curves };
    const its = under?.frames ?? [];
    const own = under?.data ? merged(under.data.fine, under.data.x) : { x: points, merge }; // its points may be others
    const before = (frame) => once(frame, "output", () => own.merge(frame.h, frame.at));
    const others = its.length
      ? [{ panel: { x: own.x, curves: [{ ...output, frames: its.map(before) }] }, steps: steps(its) }]
      : [];
    return { spec, steps: steps(frames), others };
  }

  /** A panel holds target and labels, and what an output does beyond them as far as twice as high. */
  function heightOf(f, y, frames) {
    const largest = (values) => values.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
    const inner = Math.max(1, largest(f), largest(y));
    const outer = frames.length ? largest(frames.at(-1).h) : 0;
    return outer > 1.3 * inner ? Math.min(2.6 * inner, 1.1 * outer) : 1.3 * inner;
  }

  /**
   * Amplitudes by frequency: rings for the labels, stems for the output at the points, those that are watched in their colours.
   * With `whole`, rings for the target on the whole interval, and small ones for the output there.
   */
  function spectrumPanel({ data, frames, watched, colorOf, rest, bars, whole = false }) {
    const ks = Float64Array.from({ length: bars + 1 }, (_, k) => k);
    const aim = whole ? amplitudes(data.fine, data.f, bars) : amplitudes(data.x, data.y, bars);
    const follow = watched.filter((k) => k <= bars);
    const only = (chosen) => (frame) => frame.bars.map((v, k) => (chosen(k) ? v : Number.NaN));
    const stems = (name, color, key, chosen) => {
      const values = frames.map((frame) => once(frame, key, () => only(chosen)(frame)));
      return { name, style: "|", color, frames: values.length ? values : [filled(bars + 1, Number.NaN)] };
    };
    const curves = [
      { name: whole ? "target" : "labels", style: "o", color: COLORS.points, y: aim, ...HOLLOW },
      stems(whole ? "output at the points" : "output", rest, "rest", (k) => !follow.includes(k)),
      ...follow.map((k) => stems("", colorOf(k), `k${k}`, (j) => j === k)),
    ];
    if (whole) curves.push(wholeInterval(data, frames, bars));
    const top = Math.max(1.3, 1.1 * Math.max(...aim));
    const spec = {
      ylabel: whole ? "spectrum" : "spectrum at the points",
      xlabel: "frequency <i>k</i>",
      log: "",
      x: ks,
    };
    Object.assign(spec, { xlim: [-0.5, bars + 0.5], ylim: [0, top], curves });
    return { spec, steps: steps(frames), others: [] };
  }

  /** The same of the output on the whole interval: what lies between the points shows as the gap. */
  function wholeInterval(data, frames, bars) {
    const values = frames.map((frame) => once(frame, "whole", () => amplitudes(data.fine, frame.h, bars)));
    const none = [filled(bars + 1, Number.NaN)];
    return {
      name: "on the whole interval",
      style: "o",
      color: COLORS.output,
      frames: values.length ? values : none,
      ...HOLLOW,
    };
  }

  /** A round number of steps that is at least `last`, so that the axis seldom moves. */
  function roundUp(last) {
    const power = 10 ** Math.floor(Math.log10(Math.max(last, 100)));
    return power * [1, 2, 5, 10].find((m) => m * power >= Math.max(last, 100));
  }

  /**
   * What is watched over the steps, and below it, dashed, other runs. `curvesOf(run)` lists {name, color, at}, `at` the column
   * of its rows.
   */
  function stepsPanel({ run, others, curvesOf, spec }) {
    const rows = run.rows.length ? run.rows : [[0]];
    const lines = (one, its) =>
      curvesOf(one).map(({ name, color, at }) => ({
        name,
        color,
        style: "-",
        moving: true,
        y: Float64Array.from(its, (row) => row[at] ?? Number.NaN),
      }));
    const far = Math.max(...[run, ...others].map((one) => one.rows.at(-1)?.[0] ?? 0));
    const under = others.map((one) => ({
      panel: { curves: lines(one, one.rows) },
      steps: one.rows.map((row) => row[0]),
    }));
    const whole = { xlabel: "step", log: "xy", xlim: [1, roundUp(far)], ...spec, curves: lines(run, rows) };
    return { spec: whole, steps: rows.map((row) => row[0]), others: under };
  }

  window.fpPanels = { outputPanel, spectrumPanel, stepsPanel };
})();
