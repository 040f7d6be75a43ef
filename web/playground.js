// The frequency playground: a target that the reader draws, a network that trains on it here, its panels. What can be chosen, the
// lessons and their numbers stand in lessons.js.
(() => {
  "use strict";
  const place = document.querySelector(".playground");
  if (!place || !window.fpLessons) return;
  const { CurvesPanel, Player, element, nearest, number, watchWidth } = window.fpReplay;
  const { numbers, frequencyOf, target } = window.fpExperiment;
  const { ALL, CONTROLS, FIRST, LESSONS, HEIGHTS, TALLEST, NODES, THRESHOLD, BARS } = window.fpLessons;
  const { declared, end, few, firstBelow, followed, readSetting, steps, verdict } = window.fpLessons;
  const { COLORS, REST, frequencyColor } = window.fpColors;
  const { HeatPanel, heatPanel, outputPanel, spectrumPanel, stepsPanel } = window.fpPanels;
  const { Control, button, same, written } = window.fpControls;
  const { Session } = window.fpSession;
  const { Address } = window.fpAddress;
  const { say } = window.fpMessages;
  const { copy, csvOf, pictureOf, pythonOf, save } = window.fpTakeaway;
  // It scrolls on a phone, so the keyboard must reach it.
  const FORECAST_BOX = {
    class: "play-forecast",
    tabindex: 0,
    role: "region",
    "aria-label": "Forecast and result",
  };

  const { PI } = Math;
  const ROOM = 3.2; // what the first panel holds at least; a drawing reaches to DRAWN
  const DRAWN = 3;
  const TRAIN = "\u25b6\ufe0e Train";
  const STOP = "\u23f8\ufe0e Stop";
  const GUESS = "Guess, then press Train.";

  const hundredths = (v) => Math.round(100 * v) / 100;
  const clamp = (v, top) => Math.max(-top, Math.min(top, v));

  class Playground {
    constructor() {
      for (const still of place.children) {
        still.classList.add("play-still");
        still.hidden = true;
      }
      this.root = element("div", place, {
        class: "replay lab play",
        role: "group",
        "aria-label": "Playground",
      });
      Object.assign(this, {
        now: { ...FIRST },
        lesson: "kept",
        from: "kept",
        run: null,
        before: null,
        plan: [],
        heat: false, // the errors of all frequencies as a heat map, in place of curves
      });
      this.addLessons();
      this.addButtons();
      this.addPanels();
      this.addTakeaway();
      this.addForm();
      this.write();
      this.tell(GUESS);
      this.address = new Address("#try?", (entries) => this.readAddress(entries));
      this.address.open();
      addEventListener("hashchange", () => this.address.open());
    }

    // ---- The page ----

    addLessons() {
      const list = { class: "replay-controls play-lessons", role: "group", "aria-label": "Lessons" };
      const bar = element("div", this.root, list);
      this.lessons = Object.entries(LESSONS).map(([key, { title }]) => {
        const node = button(bar, title, () => this.choose(key));
        return { key, node };
      });
      this.look = element("p", this.root, { class: "play-look" });
    }

    addButtons() {
      const bar = element("div", this.root, { class: "replay-controls play-bar" });
      const press = () => (this.active ? this.stop() : this.train());
      this.go = button(bar, TRAIN, press, { once: true, class: "lab-train" });
      button(bar, "Step", () => {
        this.stop();
        this.train(1);
      });
      button(bar, "Reset", () => this.choose(this.from));
      const heat = button(bar, "Heat map", () => {
        this.heat = !this.heat;
        heat.setAttribute("aria-pressed", this.heat);
        this.draw();
      });
      heat.setAttribute("aria-pressed", false);
      this.text = element("p", this.root, { class: "replay-text", "aria-live": "polite" });
      this.bar = element("div", this.root, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
    }

    addPanels() {
      this.cards = element("div", this.root, { class: "replay-cards" });
      this.places = [0, 1, 2, 3].map(() => element("div", this.cards, { class: "replay-card" }));
      this.places[0].classList.add("play-draw");
      this.places[0].addEventListener("pointerdown", (event) => this.beginDrawing(event));
      this.panels = [];
      this.legend = element("p", this.root, { class: "lab-past" });
      this.table = element("table", element("div", this.root, FORECAST_BOX));
      watchWidth(this.cards, () => this.panels.forEach((panel) => panel.layout()));
    }

    addTakeaway() {
      const bar = element("div", this.root, {
        class: "replay-controls play-take",
        role: "group",
        "aria-label": "Take it with you",
      });
      this.python = button(bar, "Python of this setting", () => this.showPython());
      this.python.setAttribute("aria-expanded", false);
      button(bar, "Copy link", () => {
        const link = new URL(this.address.of(this.entries()), location.href).href;
        this.copied(link, "The link to these settings is copied.");
      });
      this.csv = button(bar, "CSV", () =>
        this.saveAs("csv", new Blob([csvOf(this.run)], { type: "text/csv" })),
      );
      button(bar, "PNG", () => pictureOf(this.cards).toBlob((blob) => this.saveAs("png", blob)));
      this.taken = element("output", bar);
      this.code = element("pre", this.root, {
        class: "play-python",
        tabindex: 0,
        role: "region",
        "aria-label": "Python of this setting",
        hidden: "",
      });
    }

    async copied(text, done) {
      this.taken.textContent = "";
      const there = await copy(text);
      this.taken.textContent = there
        ? done
        : "This browser does not let a page copy; please select the text.";
    }

    saveAs(kind, blob) {
      const name = `playground-seed-${this.now.seed}.${kind}`;
      save(name, blob);
      this.taken.textContent = `Saved as ${name}.`;
    }

    showPython() {
      this.code.hidden = !this.code.hidden;
      this.python.setAttribute("aria-expanded", !this.code.hidden);
      this.taken.textContent = "";
      if (this.code.hidden) return;
      this.writePython();
      this.copied(
        this.code.textContent,
        "Copied: run it where fpbook is installed, and it takes the same steps.",
      );
    }

    /** The run that is shown, or the one that Train would begin. */
    writePython() {
      const { run } = this;
      if (!this.code.hidden) this.code.textContent = run ? pythonOf(run.now, run.rates) : pythonOf(this.now);
    }

    addForm() {
      const form = element("div", this.root, { class: "play-choose" });
      const group = (title) => {
        const box = element("fieldset", form);
        element("legend", box).textContent = title;
        return box;
      };
      this.addHeights(group("Target: height of each sine"));
      this.inputs = {};
      for (const title in CONTROLS) {
        const box = group(title);
        for (const key in CONTROLS[title]) this.inputs[key] = this.control(box, key, CONTROLS[title][key]);
      }
    }

    addHeights(box) {
      const sliders = element("div", box, { class: "play-heights" });
      this.heights = Array.from({ length: HEIGHTS }, (_, i) => {
        const label = element("label", sliders);
        const range = { type: "range", min: 0, max: TALLEST, step: 0.05, orient: "vertical" };
        const node = element("input", label, { ...range, "aria-label": `height of frequency ${i + 1}` });
        element("span", label, { "aria-hidden": "true" }).textContent = i + 1;
        node.addEventListener("input", () => this.raise(i + 1, Number(node.value)));
        return node;
      });
      const line = element("p", box, { class: "play-draws" });
      line.append("Or draw in the first panel. ");
      button(line, "Clear the target", () => this.change({ sines: {}, drawn: null }));
    }

    raise(k, size) {
      const sines = { ...this.now.sines, [k]: size };
      if (!size) delete sines[k];
      this.change({ sines });
    }

    control(box, key, spec) {
      return new Control(box, spec, {
        get: () => this.now[key],
        change: (value) => this.change({ [key]: value }),
        refused: (reason) => {
          this.stop();
          this.tell(reason);
        },
      });
    }

    tell(what) {
      this.text.textContent = what;
    }

    // ---- What the reader chooses ----

    /** New values end a run; what it reached stays, dashed. With `lesson` they are those of a lesson. */
    change(values, lesson = null) {
      if (this.canRetune(values)) return this.retune(values.lr);
      this.forget(true);
      const kept = lesson !== null || Object.keys(values).every((key) => key === "seed");
      this.lesson = lesson ?? (kept ? this.lesson : null);
      this.now = { ...this.now, ...values };
      this.write();
      this.writeAddress();
      this.tell("Press Train.");
    }

    /** A learning rate is changed without losing the run; all else that can be chosen decides how a run begins. */
    canRetune(values) {
      const { run } = this;
      const alone = Object.keys(values).join() === "lr";
      return alone && run && !run.done && run.step > 0 && !this.plan.length;
    }

    async retune(lr) {
      const { run } = this;
      this.lesson = null;
      this.now = { ...this.now, lr };
      Object.assign(run, { now: this.now, lesson: null });
      this.writeAddress();
      this.showLesson();
      const step = await run.retune(lr);
      if (run !== this.run || run.done) return;
      this.writePython();
      this.tell(`Learning rate ${number(lr)} from step ${number(step)} on.`);
    }

    /** The settings of a lesson, and no run. */
    choose(key) {
      this.forget(false);
      this.from = key;
      this.now = { ...FIRST };
      this.change(LESSONS[key].values, key);
      this.tell(GUESS);
    }

    forget(keep) {
      this.active = null;
      this.run?.end();
      if (!keep) this.before = null;
      else if (this.run?.rows.length > 1) this.before = this.run;
      this.run = null;
      this.plan = [];
    }

    write() {
      for (const input of Object.values(this.inputs)) input.write();
      this.heights.forEach((node, i) => (node.value = this.now.sines[i + 1] ?? 0));
      this.inputs.a.box.hidden = this.now.activation !== "ricker";
      this.showLesson();
      this.state("ready");
      this.draw();
      this.writePython();
    }

    showLesson() {
      for (const { key, node } of this.lessons) node.setAttribute("aria-pressed", key === this.lesson);
      const own = "Your own experiment: which frequency will come first?";
      this.look.textContent = this.lesson ? LESSONS[this.lesson].look : own;
    }

    state(name) {
      this.root.dataset.state = name;
      this.csv.disabled = !(this.run?.rows.length > 1);
      this.go.textContent = name === "training" ? STOP : TRAIN;
      const frames = this.run?.frames.length ?? 0;
      this.bar.hidden = frames < 3 || name === "training";
      this.root.toggleAttribute("data-seek", !this.bar.hidden);
      this.player.pause();
      if (this.bar.hidden) return;
      this.player.set(frames);
      this.player.frame = frames - 1;
      this.player.slider.value = frames - 1;
    }

    // ---- Runs ----

    stop() {
      if (!this.active) return;
      this.active = null;
      this.run?.stop();
      this.state("stopped");
      this.tell(this.stopped());
    }

    stopped() {
      return `Stopped at step ${number(this.run?.step ?? 0)}; Train goes on from there.`;
    }

    /** Trains what is chosen, after what its lesson compares it with; begun by Step it is compared with nothing. */
    async train(most) {
      const wrong = Object.values(this.inputs).find((input) => input.wrong);
      if (wrong) {
        wrong.take(); // once more with the reason
        return wrong.node.focus();
      }
      if (!this.run || this.run.done) this.anew(most);
      const mine = {};
      this.active = mine;
      this.state(most ? "stepping" : "training");
      try {
        if (await this.follow(mine, most)) this.ended(most);
      } catch (error) {
        this.active = null;
        this.state("lost");
        this.tell(`This cannot be trained here: ${error.message}.`);
      }
    }

    anew(most) {
      const before = LESSONS[this.lesson]?.before;
      const now = { ...this.now };
      this.forget(true);
      if (before && !most) this.plan.push({ now: { ...now, ...before }, lesson: null });
      this.plan.push({ now, lesson: before && most ? null : this.lesson });
      this.begin();
    }

    begin() {
      const { now, lesson } = this.plan.shift();
      this.run = Object.assign(new Session(declared(now), () => this.draw()), { now, lesson });
      this.writePython();
    }

    /** One run after the other; true when the last has come to rest, false where another call has taken over. */
    async follow(mine, most) {
      for (;;) {
        const { run } = this;
        if (!most)
          this.tell(
            this.plan.length ? "Training first what this is compared with \u2026" : "Training \u2026",
          );
        run.rates ??= (await run.forecast()).slice(0, followed(run).length);
        if (this.active !== mine) return false;
        const rested = await run.train(most);
        if (!rested || run !== this.run || (this.active && this.active !== mine)) return false;
        if (!run.done || run.done === "lost" || !this.plan.length) return true;
        this.before = run;
        this.begin();
      }
    }

    ended(most) {
      const { run } = this;
      this.active = null;
      this.draw();
      this.state(run.done || "stopped");
      const wrong = Object.values(this.inputs).some((input) => input.wrong);
      if (run.done) this.tell(this.outcome());
      else if (!wrong) this.tell(most ? `Step ${number(run.step)}.` : this.stopped());
    }

    outcome() {
      const { run, before } = this;
      if (run.done === "lost") return say("lost");
      const how = say(run.done === "fitted" ? "fitted" : "trained", { steps: number(run.step) });
      if (!run.lesson) {
        const all = followed(run).length ? `Frequencies below ${THRESHOLD}: ${steps(run)}. ` : "";
        const errors = `Error at the points ${few(end(run, "training"))}, on the whole interval ${few(end(run, "between"))}.`;
        return `${how} ${all}${errors}`;
      }
      const { said, next } = LESSONS[run.lesson];
      const [what, shown] = said(run, before);
      this.root.dataset.shown = shown;
      return `${how} ${what} ${shown ? next : "This run does not show the lesson."}`;
    }

    showFrame(frame) {
      const { step } = this.run.frames[frame];
      for (const panel of this.panels) panel.showStep(step);
      this.player.slider.setAttribute("aria-valuetext", `step ${number(step)}`);
    }

    seek(wanted) {
      if (this.bar.hidden) return;
      const all = this.run.frames.map(({ step }) => step);
      this.player.seek(nearest(all, wanted));
    }

    // ---- Drawing ----

    draw() {
      const experiment = declared(this.now);
      const run = this.run ?? { now: this.now, declared: experiment, rows: [], frames: [] };
      const data = this.dataOf(run);
      const { before } = this;
      const { frames } = run;
      const watched = followed(run).map(frequencyOf);
      const under = before?.frames.length ? { frames: before.frames, data: this.dataOf(before) } : null;
      const spectrum = {
        data,
        frames,
        watched,
        colorOf: frequencyColor,
        rest: REST,
        bars: BARS,
        whole: true,
      };
      this.put(0, outputPanel({ data, frames, under, xlim: [-PI, PI], least: ROOM }));
      this.put(1, spectrumPanel(spectrum));
      if (this.heat)
        this.put(2, heatPanel({ data, frames, watched, bars: BARS, threshold: THRESHOLD }), HeatPanel);
      else this.put(2, this.errorsPanel(run, before ? [before] : []));
      this.put(3, this.squaresPanel(run, before ? [before] : []));
      this.legend.textContent = before ? `Dashed: the run before, ${this.difference(before.now)}.` : "";
      this.forecasts(run);
    }

    /** The numbers of a run, made once. */
    dataOf(run) {
      const key = JSON.stringify([run.declared.data, run.declared.network.seed]);
      if (this.key !== key && run !== this.before) [this.key, this.data] = [key, null];
      if (run === this.before) {
        run.data ??= numbers(run.declared.data, run.declared.network.seed);
        return run.data;
      }
      this.data ??= numbers(run.declared.data, run.declared.network.seed);
      return this.data;
    }

    put(i, { spec, steps: its, others }, Kind = CurvesPanel) {
      if (this.panels[i]?.constructor === Kind) return this.panels[i].set(spec, its, others);
      this.panels[i] = new Kind(this.places[i], spec, its, {
        others,
        seek: (j) => this.seek(this.panels[i].steps[j]),
      });
      this.panels[i].layout();
    }

    errorsPanel(run, others) {
      const curvesOf = (one) =>
        followed(one).map((name, i) => {
          const k = frequencyOf(name);
          return { name: `<i>k</i> = ${k}`, color: frequencyColor(k), at: i + 1 };
        });
      const spec = { ylabel: "relative error \u0394<sub>F</sub>: ", ylim: [5e-3, 3], threshold: THRESHOLD };
      return stepsPanel({ run, others, curvesOf, spec });
    }

    squaresPanel(run, others) {
      const curvesOf = (one) => {
        const at = followed(one).length + 1;
        return [
          { name: "at the points", color: COLORS.training, at },
          { name: "on the whole interval", color: COLORS.output, at: at + 1 },
        ];
      };
      const first = Math.max(5, ...[run, ...others].map(({ rows }) => rows[0]?.at(-1) ?? 0));
      const spec = {
        ylabel: "squared error: ",
        ylim: [1e-4, first > 5 ? 10 ** Math.ceil(Math.log10(first)) : 5],
      };
      return stepsPanel({ run, others, curvesOf, spec });
    }

    difference(old) {
      const keys = Object.keys(ALL).filter((key) => old[key] !== this.now[key]);
      const parts = keys.map((key) => `${ALL[key].label} ${written(ALL[key], old[key])}`);
      if (!same([old.sines, old.drawn], [this.now.sines, this.now.drawn])) parts.unshift("another target");
      return parts.join(", ") || "with the same settings";
    }

    forecasts(run) {
      const { rates } = run;
      const ks = followed(run).map(frequencyOf);
      const times = ks.map((k) => (run.rows.length ? firstBelow(run, k) : Number.POSITIVE_INFINITY));
      const rank = (values, i, sign) => `${1 + values.filter((v) => sign * v > sign * values[i]).length}.`;
      this.table.replaceChildren();
      const title = "What the tangent kernel forecasts before the first step, and what happened";
      element("caption", this.table).textContent = title + (rates ? verdict(run, times) : "");
      this.row(["frequency k", "rate, of the largest", "forecast", `first below ${THRESHOLD}`, "came"], "th");
      const top = Math.max(...(rates ?? [1]));
      ks.forEach((k, i) => {
        const forecast = rates ? [few(rates[i] / top), rank(rates, i, 1)] : ["\u2013", "\u2013"];
        const came = Number.isFinite(times[i])
          ? [`step ${number(times[i])}`, rank(times, i, -1)]
          : ["\u2013", "\u2013"];
        this.row([k, ...forecast, ...came], "td");
      });
    }

    row(cells, tag) {
      const line = element("tr", this.table);
      cells.forEach((cell, i) => {
        const scope = tag === "th" ? { scope: "col" } : i ? {} : { scope: "row" };
        element(i ? tag : "th", line, scope).textContent = cell;
      });
    }

    // ---- The target drawn with finger or mouse: what stood there is taken over first ----

    beginDrawing(event) {
      const scales = this.panels[0].scales();
      if (event.button || !scales || event.target.closest("svg") !== this.panels[0].svg) return;
      event.preventDefault();
      const box = this.panels[0].svg.getBoundingClientRect();
      const values = this.targetOnNodes();
      const at = (pointer) => nodeAt(pointer, box, scales);
      let last = null;
      const drag = (moved) => {
        const [dx, dy] = [moved.clientX - event.clientX, moved.clientY - event.clientY];
        if (!last && Math.hypot(dx, dy) < 4) return; // a press alone draws nothing
        drawLine(values, last ?? at(event), at(moved));
        last = at(moved);
        this.change({ sines: {}, drawn: [...values] });
      };
      const drop = () => {
        removeEventListener("pointermove", drag);
        for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, drop);
      };
      addEventListener("pointermove", drag);
      for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, drop);
    }

    targetOnNodes() {
      const f = target({ sines: this.now.sines, drawn: this.now.drawn, low: -PI, high: PI });
      return Array.from({ length: NODES }, (_, i) =>
        hundredths(clamp(f(-PI + (2 * PI * i) / (NODES - 1)), DRAWN)),
      );
    }

    // ---- The address: a lesson, or what differs from the first one ----

    writeAddress() {
      this.address?.write(this.entries());
    }

    entries() {
      const base = { ...FIRST, ...(this.lesson ? LESSONS[this.lesson].values : {}) };
      const entries = this.lesson ? [["lesson", this.lesson]] : [];
      for (const key in ALL) {
        const value = this.now[key];
        if (value !== base[key]) entries.push([key, typeof value === "boolean" ? Number(value) : value]);
      }
      if (!this.lesson) {
        const { drawn, sines } = this.now;
        if (drawn) entries.push(["drawn", drawn.map((v) => Math.round(100 * v)).join(",")]);
        entries.push([
          "sines",
          Object.entries(sines)
            .map(([k, size]) => `${k}:${size}`)
            .join(","),
        ]);
      }
      return entries;
    }

    readAddress(entries) {
      try {
        const key = entries.find(([name]) => name === "lesson")?.[1] ?? null;
        if (key !== null && !Object.hasOwn(LESSONS, key)) throw new Error("it names no lesson of this page");
        const rest = entries.filter(([name]) => name !== "lesson");
        const values = Object.fromEntries(rest.map(([name, text]) => [name, readSetting(name, text)]));
        this.choose(key ?? "kept");
        const seedOnly = key !== null && Object.keys(values).every((name) => name === "seed");
        if (rest.length || key === null) this.change(values, seedOnly ? key : null);
        this.tell("These are the settings of the address. Press Train.");
      } catch (error) {
        this.choose("kept");
        this.address.write([]);
        this.tell(`The address of this page cannot be used: ${error.message}. Shown is the first lesson.`);
      }
    }
  }

  /** Where a pointer is: [node of a drawn target, value]. */
  function nodeAt({ clientX, clientY }, box, [sx, sy]) {
    const [bottom, top] = [sy(-DRAWN), sy(DRAWN)];
    const node = ((clientX - box.left - sx(-PI)) / (sx(PI) - sx(-PI))) * (NODES - 1);
    return [node, DRAWN - (2 * DRAWN * (clientY - box.top - top)) / (bottom - top)];
  }

  /** Puts a straight line between two places into the values of the nodes. */
  function drawLine(values, [i, v], [j, w]) {
    const parts = Math.max(1, Math.ceil(Math.abs(j - i)));
    for (let s = 0; s <= parts; s++) {
      const node = Math.round(i + ((j - i) * s) / parts);
      if (node >= 0 && node < NODES) values[node] = hundredths(clamp(v + ((w - v) * s) / parts, DRAWN));
    }
  }

  window.fpPlayground = new Playground();
})();
