// The playground's panels: output, spectrum, errors; beside the errors, on the same axis, those of runs that are pinned.
(() => {
  "use strict";
  const { CurvesPanel, element, watchWidth } = window.fpReplay;
  const { frequencyOf, numbers } = window.fpExperiment;
  const { ALL, BARS, THRESHOLD, followed } = window.fpLessons;
  const { COLORS, REST, frequencyColor } = window.fpColors;
  const { HeatPanel, heatPanel, outputPanel, spectrumPanel, stepsPanel } = window.fpPanels;
  const { same, written } = window.fpControls;

  const { PI } = Math;
  const ROOM = 3.2; // what the first panel holds at least; a drawing reaches to 3
  const NAMES = "ABC"; // of runs that are pinned
  const LOOKS = { colorOf: frequencyColor, rest: REST, bars: BARS, whole: true };

  /** The panels of one run. `seek(step)` moves to a step that was pointed at. */
  class Stage {
    constructor(parent, seek) {
      Object.assign(this, { seek, panels: {}, pinned: [], heat: false });
      this.cards = element("div", parent, { class: "replay-cards" });
      const card = (place) => element("div", place, { class: "replay-card" });
      this.places = { output: card(this.cards), spectrum: card(this.cards) };
      const errors = element("div", this.cards, { class: "play-errors" });
      this.places.errors = card(errors);
      this.places.squares = card(errors);
      this.legend = element("p", parent, { class: "lab-past" });
      watchWidth(this.cards, () => this.layout());
    }

    layout() {
      for (const panel of Object.values(this.panels)) panel.layout();
    }

    showStep(step) {
      for (const panel of Object.values(this.panels)) panel.showStep(step);
    }

    // ---- Runs that stay beside the present one ----

    get full() {
      return this.pinned.length >= NAMES.length;
    }

    pin(run) {
      const { now, declared, done } = run;
      const kept = { rows: [...run.rows], frames: [...run.frames], data: this.dataOf(run) };
      this.pinned.push({ ...kept, now, declared, done });
      const place = element("div", null, { class: "replay-card" });
      this.places.errors.before(place);
      this.places[`pin${this.pinned.length}`] = place;
      this.makeRoom();
    }

    unpin() {
      this.pinned.forEach((_, i) => {
        this.places[`pin${i + 1}`].remove();
        delete this.panels[`pin${i + 1}`];
      });
      this.pinned = [];
      this.makeRoom();
    }

    makeRoom() {
      this.places.squares.hidden = this.pinned.length > 0;
      if (this.places.squares.hidden) delete this.panels.squares;
    }

    // ---- Drawing ----

    /**
     * Draws a run, over the one `before` it if there was one, and yields after each panel; the legend says how the others differ
     * from the settings `now`.
     */
    *drawing({ run, before, now }) {
      const { frames } = run;
      const data = this.dataOf(run);
      const under = before?.frames.length ? { frames: before.frames, data: this.dataOf(before) } : null;
      const watched = followed(run).map(frequencyOf);
      this.put("output", outputPanel({ data, frames, under, xlim: [-PI, PI], least: ROOM }));
      yield;
      this.put("spectrum", spectrumPanel({ data, frames, watched, ...LOOKS }));
      yield;
      yield* this.errors(run, before);
      if (!this.pinned.length) this.put("squares", squaresPanel(run, before ? [before] : []));
      const dashed = before ? `Dashed: the run before, ${difference(before.now, now)}. ` : "";
      const pins = this.pinned.map((one, i) => `${NAMES[i]}: ${difference(one.now, now)}. `);
      this.legend.textContent = dashed + pins.join("");
    }

    /** The errors of the present run, and beside them, on the same axis, those of the pinned ones. */
    *errors(run, before) {
      const { pinned } = this;
      const others = before && !pinned.length ? [before] : [];
      const last = [pinned.length ? "now" : "", run, others];
      const all = [...pinned.map((one, i) => [NAMES[i], one, []]), last];
      const made = all.map(([name, one, its]) => this.errorsOf(one, its, name));
      const far = Math.max(...made.map(({ spec }) => spec.xlim[1]));
      for (const [i, panel] of made.entries()) {
        panel.spec.xlim = [1, far];
        this.put(i < pinned.length ? `pin${i + 1}` : "errors", panel, this.heat ? HeatPanel : CurvesPanel);
        yield;
      }
    }

    errorsOf(run, others, name) {
      if (!this.heat) return errorsPanel(run, others, name);
      const watched = followed(run).map(frequencyOf);
      const of = { bars: BARS, threshold: THRESHOLD, name };
      return heatPanel({ data: this.dataOf(run), frames: run.frames, watched, ...of });
    }

    /** The numbers of a run, made once; those of the settings alone as long as they stay. */
    dataOf(run) {
      const made = () => numbers(run.declared.data, run.declared.network.seed);
      if (run.frames?.length) {
        run.data ??= made();
        return run.data;
      }
      const key = JSON.stringify([run.declared.data, run.declared.network.seed]);
      if (this.key !== key) [this.key, this.data] = [key, made()];
      return this.data;
    }

    /** The labels of a run have changed: the heat map measures all its outputs against the new ones. */
    relabel(run) {
      run.data = null;
      run.frames = run.frames.map((frame) => ({ ...frame, drawn: undefined }));
    }

    put(key, { spec, steps, others }, Kind = CurvesPanel) {
      if (this.panels[key]?.constructor === Kind) return this.panels[key].set(spec, steps, others);
      this.panels[key] = new Kind(this.places[key], spec, steps, {
        others,
        seek: (j) => this.seek(this.panels[key].steps[j]),
      });
      this.panels[key].layout();
    }
  }

  function errorsPanel(run, others, title) {
    const curvesOf = (one) =>
      followed(one).map((name, i) => {
        const k = frequencyOf(name);
        return { name: `<i>k</i> = ${k}`, color: frequencyColor(k), at: i + 1 };
      });
    const ylabel = title ? `${title}: ` : "relative error \u0394<sub>F</sub>: ";
    const spec = { ylabel, ylim: [5e-3, 3], threshold: THRESHOLD };
    return stepsPanel({ run, others, curvesOf, spec });
  }

  function squaresPanel(run, others) {
    const curvesOf = (one) => {
      const at = followed(one).length + 1;
      return [
        { name: "at the points", color: COLORS.training, at },
        { name: "on the whole interval", color: COLORS.output, at: at + 1 },
      ];
    };
    const first = Math.max(5, ...[run, ...others].map(({ rows }) => rows[0]?.at(-1) ?? 0));
    const top = first > 5 ? 10 ** Math.ceil(Math.log10(first)) : 5;
    return stepsPanel({ run, others, curvesOf, spec: { ylabel: "squared error: ", ylim: [1e-4, top] } });
  }

  /** In words, by what older settings differ from those `now`. */
  function difference(old, now) {
    const keys = Object.keys(ALL).filter((key) => old[key] !== now[key]);
    const parts = keys.map((key) => `${ALL[key].label} ${written(ALL[key], old[key])}`);
    if (!same([old.sines, old.drawn], [now.sines, now.drawn])) parts.unshift("another target");
    return parts.join(", ") || "with the same settings";
  }

  window.fpStage = { Stage };
})();
