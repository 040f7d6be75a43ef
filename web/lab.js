// The labs of a page: an experiment that fpbook.lab.lab declared, its controls, panels and words; afterwards a replay of the
// reader's own run.
(() => {
  "use strict";
  const { CurvesPanel, PicturePanel, Player, element, nearest, number, setAside, sign } = window.fpReplay;
  const { watchWidth, whenNear } = window.fpReplay;
  const { frequencyOf, names, numbers } = window.fpExperiment;
  const { Control, button, check, same, written } = window.fpControls;
  const { HeatPanel, heatOfRows, heatPanel, outputPanel, spectrumPanel, stepsPanel } = window.fpPanels;
  const { order, parts, reply, say, verdict } = window.fpMessages;
  const { REST, frequencyColor } = window.fpColors;
  const { Address } = window.fpAddress;
  const { Session } = window.fpSession;

  const CORNERS = [
    ["unseen, wrong", "#d55e00"],
    ["unseen, right", "#9ecae1"],
    ["seen, wrong", "#7f0000"],
    ["seen, right", "#0072b2"],
  ];
  const UNTRAINED = ["#dddddd", "#777777"]; // corners that are not seen and seen, before the first step
  const RUNS_BEFORE = 3; // that stay, dashed
  const TRAIN = ["play", "Train"];
  const STOP = ["stop", "Stop"];

  const copy = (value) => JSON.parse(JSON.stringify(value));

  /** The value of a control in a declaration: an entry, or the option with which several entries agree. */
  function valueAt(declared, path) {
    const [part, name] = path.split(".");
    if (name) return declared[part][name];
    const agrees = (option) => Object.entries(option).every(([key, v]) => same(declared[part][key], v));
    return Object.values(declared.choose[path].options).find(agrees);
  }

  function setValue(declared, path, value) {
    const [part, name] = path.split(".");
    if (name) declared[part][name] = value;
    else Object.assign(declared[part], value);
  }

  /** The run that was recorded when the book was built, in the form of a session that has come to its end. */
  function recordedRun(base) {
    const { rows, done, values, h, at, bars } = base.recorded;
    const declared = copy(base);
    for (const path in values) setValue(declared, path, values[path]);
    return { declared, rows, done, frames: [{ step: rows.at(-1)[0], h, at, bars }], values };
  }

  class Lab {
    constructor(script, still, index) {
      this.base = JSON.parse(script.textContent);
      this.declared = copy(this.base);
      this.recorded = recordedRun(this.base);
      const difference = this.difference(this.recorded.declared);
      this.recorded.label = say("recorded", { difference });
      Object.assign(this, { run: null, past: [], guess: -1 });
      this.root = element("div", null, { class: "replay lab", role: "group", "aria-label": "Lab" });
      this.address = new Address(`#lab${index}?`, (entries) => this.readAddress(entries));
      this.ask(index);
      this.addButtons();
      this.addControls();
      this.text = element("p", this.root, { class: "replay-text", "aria-live": "polite" });
      this.addPlayer();
      this.addPanels();
      still.before(this.root);
      setAside(still);
      this.begin();
    }

    // ---- What there is to see and to press ----

    ask(index) {
      const { question } = this.base;
      this.box = element("fieldset", this.root, { class: "lab-ask" });
      this.box.hidden = !question;
      if (!question) return;
      element("legend", this.box).textContent = question.ask;
      question.answers.forEach((answer, i) => {
        const label = element("label", this.box);
        const radio = element("input", label, { type: "radio", name: `lab${index}` });
        label.append(` ${answer}`);
        radio.addEventListener("change", () => {
          this.guess = i;
          this.missing.textContent = "";
        });
      });
      this.missing = element("small", this.box, { class: "refusal", role: "alert" });
    }

    addButtons() {
      const bar = element("div", this.root, { class: "replay-controls" });
      const press = () => (this.run?.running ? this.stop() : this.train());
      this.go = button(bar, "", press, { once: true, class: "lab-train" });
      sign(this.go, ...TRAIN);
      button(bar, "Step", () => {
        this.stop();
        this.train(1);
      });
      button(bar, "Reset", () => this.reset());
    }

    addControls() {
      const place = element("div", this.root, { class: "lab-choose" });
      this.inputs = this.base.order.map(
        (path) =>
          new Control(place, this.base.choose[path], {
            slider: true,
            get: () => valueAt(this.declared, path),
            change: (value) => this.change({ [path]: value }),
            refused: (reason) => {
              this.stop();
              this.tell(reason);
            },
          }),
      );
    }

    addPlayer() {
      this.bar = element("div", this.root, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
    }

    addPanels() {
      this.cards = element("div", this.root, { class: "replay-cards" });
      this.legend = element("p", this.root, { class: "lab-past" });
      const count = this.base.watch.heat ? 4 : 3;
      this.places = Array.from({ length: count }, () => element("div", this.cards, { class: "replay-card" }));
      this.panels = [];
    }

    /** Shown at first: the recorded run, dashed, unless it is the answer. */
    begin() {
      for (const input of this.inputs) input.write();
      this.draw();
      for (const panel of this.panels) panel.layout();
      watchWidth(this.cards, () => this.panels.forEach((panel) => panel.layout()));
      this.tellBeginning();
    }

    tellBeginning() {
      const { recorded } = this;
      const telling = this.comparable().includes(recorded);
      if (telling) this.tell(`${say("shown", { run: recorded.label })} `, ...this.result(recorded));
      else this.tell(say(this.base.question ? "guess" : "press"));
    }

    /** Texts; what is said of one curve, [text, name], with a line below it in the colour of the curve. */
    tell(...texts) {
      const node = (part) => {
        if (!Array.isArray(part)) return part;
        const [text, name] = part;
        if (!name || (!this.base.watch.colors[name] && frequencyOf(name) === null)) return text;
        const marked = element("span", null, { class: "lab-value" });
        marked.style.textDecorationColor = this.color(name);
        marked.textContent = text;
        return marked;
      };
      this.text.replaceChildren(...texts.map(node));
    }

    /** The order of the frequencies, then how the run ended, then its numbers. */
    result(run) {
      const first = order(run);
      return [first && `${first} `, ...parts(run, this.recorded)];
    }

    // ---- What the reader does ----

    /** New values end a run; what it reached stays, dashed. */
    change(values, from = this.declared) {
      this.stop();
      this.keep();
      this.declared = from;
      for (const path in values) setValue(this.declared, path, values[path]);
      this.run?.end();
      this.run = null;
      for (const input of this.inputs) input.write();
      this.address.write(
        this.changed(this.declared).map((path) => [path, JSON.stringify(valueAt(this.declared, path))]),
      );
      this.box.hidden = !this.asking();
      this.rest();
      this.draw();
      this.tell(say("press"));
    }

    keep() {
      if (this.run?.rows.length > 1) this.past = [...this.past, this.run].slice(-RUNS_BEFORE);
    }

    /** Back to the settings and the picture with which the lab begins. */
    reset() {
      this.change({}, copy(this.base));
      this.past = [];
      this.draw();
      this.tellBeginning();
    }

    stop() {
      if (!this.run?.running) return;
      this.run.stop();
      sign(this.go, ...TRAIN);
      if (this.run.rows.length) this.tell(...this.result(this.run));
      else this.tell(say("stopped", { steps: 0 }));
    }

    async train(most) {
      const wrong = this.inputs.find((input) => input.wrong);
      if (wrong) {
        wrong.take(); // once more with the reason
        return wrong.node.focus();
      }
      if (this.asking() && this.guess < 0) return this.guessFirst();
      if (!this.run || this.run.done) this.anew();
      const { run } = this;
      this.player.pause();
      sign(this.go, ...(most ? TRAIN : STOP));
      if (!most) this.tell(say("training"));
      try {
        if ((await run.train(most)) && run === this.run) this.ended(most);
      } catch (error) {
        this.rest();
        this.tell(say("cannot", { reason: error.message }));
      }
    }

    anew() {
      this.keep();
      this.run?.end();
      this.run = new Session(copy(this.declared), () => this.drawing());
      this.run.label = this.difference(this.declared);
      this.rest();
    }

    guessFirst() {
      this.missing.textContent = say("guess first");
      this.box.querySelector("input").focus();
      this.box.scrollIntoView({ block: "nearest" });
    }

    ended(most) {
      const { run } = this;
      this.rest();
      if (this.inputs.some((input) => input.wrong)) return; // the reason of a refusal stays
      if (!run.done && most) return this.tell(say("step", { steps: number(run.step) }));
      const reply = run.done ? this.answer() : "";
      if (reply) this.tell(reply, ...parts(run, this.recorded));
      else this.tell(...this.result(run));
    }

    /** Train can be pressed, and what there is of a run can be moved through. */
    rest() {
      sign(this.go, ...TRAIN);
      const frames = this.run?.frames.length ?? 0;
      this.bar.hidden = frames < 3 || this.run.running;
      this.root.toggleAttribute("data-seek", !this.bar.hidden);
      if (this.bar.hidden) this.player.pause();
      else this.player.rest(frames);
    }

    showFrame(frame) {
      const { step } = this.run.frames[frame];
      for (const panel of this.panels) panel.showStep(step);
      this.player.slider.setAttribute("aria-valuetext", `step ${number(step)}`);
    }

    seek(wanted) {
      if (this.bar.hidden) return;
      const steps = this.run.frames.map(({ step }) => step);
      this.player.seek(nearest(steps, wanted));
    }

    // ---- The question, and what differs from it ----

    /** Paths of the controls that are not as the lab begins. */
    changed(declared) {
      return Object.keys(this.base.choose).filter(
        (path) => !same(valueAt(declared, path), valueAt(this.base, path)),
      );
    }

    /** A guess is asked for what the question is about, with any seed. */
    asking() {
      return (
        Boolean(this.base.question) && this.changed(this.declared).every((path) => path === "network.seed")
      );
    }

    answer() {
      if (!this.asking()) return "";
      return `${reply(this.base.question, this.guess, verdict(this.base.question, this.run, this.recorded))} `;
    }

    difference(declared) {
      const { choose } = this.base;
      const changes = this.changed(declared).map(
        (path) => `${choose[path].label} ${written(choose[path], valueAt(declared, path))}`,
      );
      return changes.join(", ") || say("as declared");
    }

    /** What comes from a link is checked like what is typed. */
    readAddress(entries) {
      const { choose } = this.base;
      try {
        const values = entries.map(([path, text]) => [
          path,
          check(Object.hasOwn(choose, path) && choose[path], parsed(text)),
        ]);
        this.past = [];
        this.change(Object.fromEntries(values), copy(this.base));
        this.root.scrollIntoView();
      } catch (error) {
        this.tell(say("address", { reason: error.message }));
      }
    }

    // ---- Drawing ----

    /** Runs to compare with: those that had the same data; the recorded one only if it does not give the answer away. */
    comparable() {
      const { recorded, base } = this;
      const known = this.changed(recorded.declared).length > 0 || this.run !== null ? [recorded] : [];
      const { data } = this.shown().declared;
      const alike = (one) =>
        one !== this.run && (same(one.declared.data, data) || data.cube || base.watch.compare);
      return [...known, ...this.past].filter(alike);
    }

    shown() {
      return this.run ?? { declared: this.declared, rows: [], frames: [] };
    }

    draw() {
      return [...this.drawing()];
    }

    /** Panel after panel; it yields after each. */
    *drawing() {
      const run = this.shown();
      const { data, network } = run.declared;
      const key = JSON.stringify([data, network.seed]);
      if (this.key !== key) [this.key, this.numbers] = [key, numbers(data, network.seed)];
      const others = this.comparable();
      this.legend.textContent = others.length
        ? say("dashed", { runs: others.map(({ label }) => label).join("; ") })
        : "";
      const panels = data.cube ? this.cubePanels : data.rod ? this.rodPanels : this.linePanels;
      for (const [i, spec] of panels.call(this, run, others).entries()) {
        this.put(i, spec);
        yield;
      }
      this.put(2, this.seriesPanel(run, others));
      yield;
      if (this.base.watch.heat) this.put(3, this.heatMap(run, others), HeatPanel);
    }

    put(i, { spec, steps, others }, Kind = CurvesPanel) {
      if (this.panels[i]) return this.panels[i].set(spec, steps, others);
      const place = this.places[i];
      const seek = (j) => this.seek(this.panels[i].steps[j]);
      if (spec.image) this.panels[i] = new PicturePanel(place, spec, steps);
      else this.panels[i] = new Kind(place, spec, steps, { others, seek });
    }

    linePanels(run, others) {
      const { watch } = this.base;
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
      const { output } = this.base.watch.colors;
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
      const { watch } = this.base;
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
      const { bars, threshold } = this.base.watch;
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

    color(name) {
      return this.base.watch.colors[name] ?? frequencyColor(frequencyOf(name));
    }

    /** All corners of the cube, seen or not, right or wrong; and the energy of the output by degree. */
    cubePanels({ frames, declared }) {
      const { f, order, y } = this.numbers;
      const seen = new Set(order.slice(0, y.length));
      const corner = (h) =>
        Uint8Array.from(f, (v, c) => (h ? 2 * seen.has(c) + (h[c] * v > 0) : 4 + seen.has(c)));
      const columns = 2 ** Math.ceil(Math.log2(f.length) / 2);
      const hexes = [...CORNERS.map(([, hex]) => hex), ...UNTRAINED];
      const palette = Uint8Array.from(
        hexes.flatMap((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16))),
      );
      const image = frames.length ? frames.map(({ h }) => corner(h)) : [corner(null)];
      const curves = CORNERS.map(([name, color]) => ({ name, color, style: "o" }));
      const steps = frames.length ? frames.map(({ step }) => step) : [0];
      const degrees = Float64Array.from({ length: declared.data.cube + 1 }, (_, k) => k);
      const stems = { name: "output", style: "|", color: this.base.watch.colors.output };
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

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  function scan() {
    const labs = [...document.querySelectorAll("script.lab-data")].map((script, index) => {
      const still = script.previousElementSibling;
      let lab = null;
      const open = () => {
        lab ??= new Lab(script, still, index);
        return lab;
      };
      whenNear(still, open);
      return { prefix: `#lab${index}?`, open };
    });
    const followLink = () => {
      for (const { prefix, open } of labs) if (location.hash.startsWith(prefix)) open().address.open();
    };
    addEventListener("hashchange", followLink);
    followLink();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scan);
  else scan();
})();
