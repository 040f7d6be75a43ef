// The panels of labs: what a run has reached, step by step, over what lies under it; drawn by replay.js.
(() => {
  "use strict";
  const { amplitudes, nudft, relativeError } = window.fpExperiment;
  const { COLORS } = window.fpColors;
  const { CurvesPanel, crossings, element } = window.fpReplay;

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
    const wanted = whole ? amplitudes(data.fine, data.f, bars) : amplitudes(data.x, data.y, bars);
    const follow = watched.filter((k) => k <= bars);
    const only = (chosen) => (frame) => frame.bars.map((v, k) => (chosen(k) ? v : Number.NaN));
    const stems = (name, color, key, chosen) => {
      const values = frames.map((frame) => once(frame, key, () => only(chosen)(frame)));
      return { name, style: "|", color, frames: values.length ? values : [filled(bars + 1, Number.NaN)] };
    };
    const curves = [
      {
        name: whole ? "target" : "labels",
        style: "o",
        color: whole ? COLORS.target : COLORS.points,
        y: wanted,
        ...HOLLOW,
      },
      stems(whole ? "output at the points" : "output", rest, "rest", (k) => !follow.includes(k)),
      ...follow.map((k) => stems("", colorOf(k), `k${k}`, (j) => j === k)),
    ];
    if (whole) curves.push(wholeInterval(data, frames, bars));
    const top = Math.max(1.3, 1.1 * Math.max(...wanted));
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

  // ---- The heat map of training: frequency over step, the colour is the relative error ----

  const LEVELS = 25;
  const SHARE = 0.05; // of the largest wave of the labels: below it a relative error says nothing
  // From a tenth of the threshold over the threshold, which is nearly white, to ten times as much.
  const BLUE_TO_BROWN = [
    [8, 81, 156],
    [250, 244, 232],
    [153, 52, 4],
  ];

  const HEAT = Array.from({ length: LEVELS }, (_, i) => {
    const at = (2 * i) / (LEVELS - 1);
    const [from, to] = [BLUE_TO_BROWN[Math.min(1, Math.floor(at))], BLUE_TO_BROWN[Math.ceil(at)]];
    const share = at - Math.min(1, Math.floor(at));
    return `rgb(${from.map((c, j) => Math.round(c + share * (to[j] - c))).join(",")})`;
  });

  /** The frequencies that the labels have, those that are watched among them; none beyond what a grid resolves. */
  function heatFrequencies(data, watched, bars) {
    const sizes = amplitudes(data.x, data.y, Math.min(bars, Math.floor(data.x.length / 2)));
    const least = SHARE * Math.max(...sizes);
    const strong = [...sizes.keys()].filter((k) => sizes[k] > Math.max(least, 1e-9));
    return [...new Set([...strong, ...watched])].sort((a, b) => a - b);
  }

  /** The heat map of a run, for `HeatPanel`: every frequency of the labels is a row, every output that was kept a column. */
  function heatPanel({ data, frames, watched = [], bars = 20, threshold = 0.1, name = "" }) {
    data.heat ??= heatFrequencies(data, watched, bars).map((k) => [k, nudft(data.x, data.y, k)]);
    const errors = (frame) => data.heat.map(([k, f]) => relativeError(nudft(data.x, frame.at, k), f));
    const heat = frames.map((frame) => once(frame, "heat", () => errors(frame)));
    return heatOf({ heat, ks: data.heat.map(([k]) => k), threshold, name, its: steps(frames) });
  }

  /** The same of a run of which only what was watched was kept: `columns` lists [k, column of its rows]. */
  function heatOfRows({ rows, columns, threshold = 0.1, name = "" }) {
    const heat = rows.map((row) => columns.map(([, at]) => row[at]));
    const ks = columns.map(([k]) => k);
    return heatOf({ heat, ks, threshold, name, its: rows.map(([step]) => step) });
  }

  function heatOf({ heat, ks, threshold, name, its }) {
    const spec = {
      heat,
      ks,
      edge: threshold, // where the colour turns
      ylabel: `${name || "frequency <i>k</i>"}: `,
      xlabel: "step",
      log: "x",
      xlim: [1, roundUp(its.at(-1))],
      ylim: [0, ks.length || 1],
      curves: [],
    };
    return { spec, steps: its, others: [] };
  }

  /** Draws what `heatPanel` makes; the pointer moves the step. A mark stands where a frequency has come to stay below the threshold. */
  class HeatPanel extends CurvesPanel {
    set(spec, its) {
      if (this.ks !== String(spec.ks) && this.shape) this.shape = ""; // other rows: the axes are made anew
      this.ks = String(spec.ks);
      super.set(spec, its);
    }

    make() {
      super.make();
      const head = this.card.querySelector(".replay-head");
      const { edge } = this.spec;
      element("span", head).innerHTML = `\u0394<sub>F</sub> \u2265 ${10 * edge}`;
      const key = element("svg", head, { class: "heat-key", viewBox: "0 0 25 4", "aria-hidden": "true" });
      const cells = element("g", key, { class: "heat-cells" });
      [...HEAT].reverse().forEach((color, i) => {
        const box = element("path", cells, { d: `M${i} 0h1.1v4h-1.1z` });
        box.style.fill = color;
      });
      element("span", head).textContent = `\u2264 ${edge / 10}; white at ${edge}`;
    }

    axes(sx, sy, right, base) {
      sy.ticks = [];
      super.axes(sx, sy, right, base);
      const { ks } = this.spec;
      const every = Math.ceil((12 * ks.length) / (sy(0) - sy(ks.length)));
      ks.forEach((k, i) => {
        if (i % every) return;
        const place = { x: sx(1) - 5, y: sy(i + 0.5) + 4, "text-anchor": "end" };
        element("text", this.svg, place).textContent = k;
      });
      const cells = element("g", this.svg, { class: "heat-cells" });
      this.cells = HEAT.map((color) => {
        const node = element("path", cells);
        node.style.fill = color;
        return node;
      });
      this.veil = element("path", this.svg, { class: "heat-veil" });
      this.marks = element("path", this.svg, { class: "heat-marks" });
      this.ends = { right, base, top: sy(ks.length) };
    }

    draw() {
      if (!this.parts) return;
      const { sx, sy } = this.parts;
      const { heat, ks, edge } = this.spec;
      const levelOf = (v) =>
        Math.max(0, Math.min(LEVELS - 1, ((LEVELS - 1) * (1 + Math.log10(v / edge))) / 2));
      const paths = HEAT.map(() => "");
      const tall = (sy(0) - sy(ks.length)) / (ks.length || 1);
      heat.forEach((errors, j) => {
        const from = sx(this.steps[j]);
        const wide = sx(this.steps[j + 1] ?? this.steps[j] * 1.04) - from;
        if (!(wide > 0)) return;
        errors.forEach((v, i) => {
          const level = Number.isNaN(v) ? LEVELS - 1 : Math.round(levelOf(v));
          paths[level] +=
            `M${from.toFixed(1)} ${sy(i + 1).toFixed(1)}h${(wide + 0.5).toFixed(1)}v${tall.toFixed(1)}H${from.toFixed(1)}z`;
        });
      });
      paths.forEach((d, level) => this.cells[level].setAttribute("d", d));
      this.mark(tall);
      super.draw();
    }

    mark(tall) {
      const { sx, sy } = this.parts;
      const { heat, ks, edge } = this.spec;
      const errorsOf = (i) => heat.map((errors) => errors[i]);
      const stays = ks.map((_, i) => crossings(errorsOf(i), edge).stays);
      const line = (j, i) => `M${sx(this.steps[j]).toFixed(1)} ${sy(i + 1).toFixed(1)}v${tall.toFixed(1)}`;
      this.marks.setAttribute("d", stays.map((j, i) => (j >= 0 ? line(j, i) : "")).join(""));
    }

    show(frame) {
      super.show(frame);
      if (!this.parts) return;
      const { right, base, top } = this.ends;
      this.veil.setAttribute(
        "d",
        `M${this.parts.sx(this.steps[frame]).toFixed(1)} ${top}V${base}H${right}V${top}z`,
      );
    }
  }

  window.fpPanels = { HeatPanel, heatOfRows, heatPanel, outputPanel, spectrumPanel, stepsPanel };
})();
