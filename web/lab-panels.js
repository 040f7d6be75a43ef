// What a lab draws of a run: its output, a spectrum or energies, what is watched over the steps, and perhaps the heat map.
(() => {
  "use strict";
  const { CurvesPanel, PicturePanel, element } = window.fpReplay;
  const { frequencyOf, names, numbers } = window.fpExperiment;
  const { same } = window.fpControls;
  const { HeatPanel, heatOfRows, heatPanel, outputPanel, spectrumPanel, stepsPanel } = window.fpPanels;
  const { REST, frequencyColor } = window.fpColors;

  const CORNERS = [
    ["unseen, wrong", "#d55e00"],
    ["unseen, right", "#9ecae1"],
    ["seen, wrong", "#7f0000"],
    ["seen, right", "#0072b2"],
  ];
  const UNTRAINED = [
    ["unseen", "#b4b4b4"],
    ["seen", "#606060"],
  ]; // before the first step

  class LabPanels {
    /** In `cards`; `seek` is called with the step to which the reader drags. */
    constructor(cards, { watch }, seek) {
      Object.assign(this, { watch, seek, key: "", numbers: null, panels: [] });
      const count = watch.heat ? 4 : 3;
      this.places = Array.from({ length: count }, () => element("div", cards, { class: "replay-card" }));
    }

    layout() {
      for (const panel of this.panels) panel.layout();
    }

    showStep(step) {
      for (const panel of this.panels) panel.showStep(step);
    }

    color(name) {
      return this.watch.colors[name] ?? frequencyColor(frequencyOf(name));
    }

    /** Panel after panel of a run, the others dashed below it; it yields after each. */
    *drawing(run, others) {
      const { data, network } = run.declared;
      const key = JSON.stringify([data, network.seed]);
      if (this.key !== key) [this.key, this.numbers] = [key, numbers(data, network.seed)];
      const panels = data.cube ? this.cubePanels : data.rod ? this.rodPanels : this.linePanels;
      for (const [i, spec] of panels.call(this, run, others).entries()) {
        this.put(i, spec);
        yield;
      }
      this.put(2, this.seriesPanel(run, others));
      yield;
      if (this.watch.heat) this.put(3, this.heatMap(run, others), HeatPanel);
    }

    put(i, { spec, steps, others }, Kind = CurvesPanel) {
      if (this.panels[i]) return this.panels[i].set(spec, steps, others);
      const place = this.places[i];
      const seek = (j) => this.seek(this.panels[i].steps[j]);
      if (spec.image) this.panels[i] = new PicturePanel(place, spec, steps);
      else this.panels[i] = new Kind(place, spec, steps, { others, seek });
    }

    linePanels(run, others) {
      const { watch } = this;
      const { data, numbers: made } = { data: run.declared.data, numbers: this.numbers };
      const watched = names(run.declared)
        .map(frequencyOf)
        .filter((k) => k !== null);
      const under = others.filter((one) => same(one.declared.data, data)).at(-1);
      const rest = watched.length ? REST : watch.colors.output; // grey beside frequencies of a colour
      const { frames } = run;
      return [
        outputPanel({ data: made, frames, under, xlim: [data.low, data.high], color: watch.colors.output }),
        spectrumPanel({
          data: made,
          frames,
          watched,
          rest,
          bars: watch.bars,
          colorOf: (k) => this.color(`k = ${k}`),
        }),
      ];
    }

    /** The function beside both solutions, and how much of the tent between them it has at each odd frequency. */
    rodPanels({ frames }, others) {
      const { modified, fine, f } = this.numbers;
      const data = { fine, f, x: [], y: [] }; // no labels
      const under = others.at(-1) && { ...others.at(-1), data };
      const { output } = this.watch.colors;
      const field = outputPanel({ data, frames, under, xlim: [-1, 1], color: output });
      const dashed = { name: "modified", style: "--", color: this.color("modified"), y: modified };
      field.spec.curves.splice(1, 1, dashed);
      field.spec.curves[0].name = "exact";
      field.spec.ylim = [-0.9, 0.3];
      const x = Float64Array.from({ length: 15 }, (_, j) => 2 * j + 1);
      const level = (name, style, value) => ({ name, style, color: this.color(name), y: x.map(() => value) });
      const found = { name: "output", style: "o", color: output };
      found.frames = frames.length ? frames.map(({ bars }) => bars) : [x.map(() => Number.NaN)];
      const share = { ylabel: "share of the tent", xlabel: "odd <i>k</i>", log: "", x, xlim: [0, 30] };
      share.ylim = [-0.3, 1.5];
      share.curves = [level("exact", "=", 1), level("modified", "--", 0), found];
      return [field, { spec: share, steps: field.steps, others: [] }];
    }

    seriesPanel(run, others) {
      const { watch } = this;
      const curvesOf = ({ declared }) =>
        names(declared).map((name, i) => ({
          name: watch.names[name] ?? name,
          color: this.color(name),
          at: i + 1,
        }));
      const { ylim, log, threshold, ylabel = "error" } = watch;
      return stepsPanel({ run, others, curvesOf, spec: { ylabel, log, ylim, threshold } });
    }

    /** Frequency over step; before the first run, of the recorded one, in which only what is watched was kept. */
    heatMap(run, others) {
      const { bars, threshold } = this.watch;
      const columnsOf = ({ declared }) =>
        names(declared)
          .map((name, i) => [frequencyOf(name), i + 1])
          .filter(([k]) => k !== null);
      const common = { bars, threshold: threshold ?? undefined };
      const watched = columnsOf(run).map(([k]) => k);
      if (run.frames.length || !others.length)
        return heatPanel({ data: this.numbers, frames: run.frames, watched, ...common });
      const last = others.at(-1);
      return heatOfRows({ rows: last.rows, columns: columnsOf(last), name: last.label, ...common });
    }

    /** All corners of the cube, seen or not, right or wrong; and the energy of the output by degree. */
    cubePanels({ frames, declared }) {
      const { f, order, y } = this.numbers;
      const seen = new Set(order.slice(0, y.length));
      const corner = (h) =>
        Uint8Array.from(f, (v, c) => (h ? 2 * seen.has(c) + (h[c] * v > 0) : 4 + seen.has(c)));
      const columns = 2 ** Math.ceil(Math.log2(f.length) / 2);
      const hexes = [...CORNERS, ...UNTRAINED].map(([, hex]) => hex);
      const palette = Uint8Array.from(
        hexes.flatMap((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16))),
      );
      const image = frames.length ? frames.map(({ h }) => corner(h)) : [corner(null)];
      const named = frames.length ? CORNERS : UNTRAINED;
      const curves = named.map(([name, color]) => ({ name, color, style: "o" }));
      const steps = frames.length ? frames.map(({ step }) => step) : [0];
      const degrees = Float64Array.from({ length: declared.data.cube + 1 }, (_, k) => k);
      const stems = { name: "output", style: "|", color: this.watch.colors.output };
      stems.frames = frames.length
        ? frames.map(({ bars }) => Float64Array.from(bars))
        : [degrees.map(() => 0)];
      const energy = {
        ylabel: "energy of the output by degree",
        xlabel: "degree",
        log: "",
        x: degrees,
        curves: [stems],
      };
      Object.assign(energy, { xlim: [-0.5, degrees.length - 0.5], ylim: [0, 1.1] });
      return [
        { spec: { ylabel: "", image, palette, shape: [f.length / columns, columns], curves }, steps },
        { spec: energy, steps, others: [] },
      ];
    }
  }

  window.fpLabPanels = { LabPanels };
})();
