// The frequency playground: a target that the reader draws, a network that trains on it here, its panels. What can be chosen, the
// lessons and their numbers stand in lessons.js.
(() => {
  "use strict";
  const place = document.querySelector(".playground");
  if (!place || !window.fpLessons) return;
  const { CurvesPanel, Player, element, nearest, number, watchWidth } = window.fpReplay;
  const { amplitudes, numbers, frequencyOf, target } = window.fpExperiment;
  const { ALL, CONTROLS, FIRST, LESSONS, FAR, HEIGHTS, TALLEST, THRESHOLD, BARS } = window.fpLessons;
  const { declared, end, few, firstBelow, followed, readSetting, steps, tryNext, verdict } = window.fpLessons;
  const { SHAPES, atNodes, clamp, drawLine, placeOf } = window.fpPoints;
  const { readPoints, shape, straightLines, tenThousandths } = window.fpPoints;
  const { COLORS, REST, frequencyColor } = window.fpColors;
  const { HeatPanel, heatPanel, outputPanel, spectrumPanel, stepsPanel } = window.fpPanels;
  const { Control, button, dialog, same, written } = window.fpControls;
  const { Session } = window.fpSession;
  const { Address } = window.fpAddress;
  const { say } = window.fpMessages;
  const { Tone } = window.fpSound;
  const { copy, csvOf, pictureOf, pythonOf, save } = window.fpTakeaway;
  // It scrolls on a phone, so the keyboard must reach it.
  const FORECAST_BOX = {
    class: "play-forecast",
    tabindex: 0,
    role: "region",
    "aria-label": "Forecast and result",
  };

  const { PI } = Math;
  const ROOM = 3.2; // what the first panel holds at least; a drawing reaches to 3
  const TRAIN = "\u25b6\ufe0e Train";
  const STOP = "\u23f8\ufe0e Stop";
  const GUESS = "Guess, then press Train.";

  const PINS = 3;
  const POINTS = ["points", "anywhere", "noise", "sines", "drawn"]; // each of these puts the points anew
  const PARTS = ["lessons", "target", "points", "network", "training", "take", "table"]; // that a link can hide

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
        pinned: [], // runs that stay beside the present one
        heat: false, // the errors of all frequencies as a heat map, in place of curves
        hidden: [], // parts that the address hides
        lock: false, // the address forbids other settings
      });
      this.parts = {};
      this.addLessons();
      const desk = element("div", this.root, { class: "play-desk" });
      this.work = element("div", desk, { class: "play-work" });
      this.addButtons();
      this.addPanels();
      this.addTakeaway();
      this.addForm(desk);
      this.addTable();
      this.write();
      this.tell(GUESS);
      this.address = new Address("#try?", (entries) => this.readAddress(entries));
      this.address.open();
      addEventListener("hashchange", () => this.address.open());
      if (new URLSearchParams(location.search).get("embed") === "1")
        document.documentElement.dataset.embed = "";
    }

    // ---- The page ----

    addLessons() {
      const list = { class: "replay-controls play-lessons", role: "group", "aria-label": "Lessons" };
      const bar = element("div", this.root, list);
      this.lessons = Object.entries(LESSONS).map(([key, { title }]) => {
        const node = button(bar, title, () => this.choose(key));
        return { key, node };
      });
      this.parts.lessons = bar;
      this.look = element("p", this.root, { class: "play-look" });
    }

    addButtons() {
      const bar = element("div", this.work, { class: "replay-controls play-bar" });
      const press = () => (this.active ? this.stop() : this.train());
      this.go = button(bar, TRAIN, press, { once: true, class: "lab-train" });
      button(bar, "Step", () => {
        this.stop();
        this.train(1);
      });
      button(bar, "Reset", () => this.reset());
      this.bar = element("div", bar, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
      this.text = element("p", this.work, { class: "replay-text", "aria-live": "polite" });
    }

    addPanels() {
      this.cards = element("div", this.work, { class: "replay-cards" });
      const card = (parent) => element("div", parent, { class: "replay-card" });
      this.places = { output: card(this.cards), spectrum: card(this.cards) };
      this.errors = element("div", this.cards, { class: "play-errors" });
      this.places.errors = card(this.errors);
      this.places.squares = card(this.errors);
      this.places.output.classList.add("play-draw");
      this.places.output.addEventListener("pointerdown", (event) => this.beginDrawing(event));
      this.panels = {};
      this.legend = element("p", this.work, { class: "lab-past" });
      watchWidth(this.cards, () => this.layout());
    }

    layout() {
      for (const panel of Object.values(this.panels)) panel.layout();
    }

    addTable() {
      const box = element("div", this.root, FORECAST_BOX);
      this.table = element("table", box);
      this.parts.table = box;
    }

    addTakeaway() {
      const bar = element("div", this.work, { class: "replay-controls play-take" });
      const heat = button(bar, "Heat map", () => {
        this.heat = !this.heat;
        heat.setAttribute("aria-pressed", this.heat);
        this.draw();
      });
      heat.setAttribute("aria-pressed", false);
      this.pinButton = button(bar, "Pin this run", () => this.pin());
      this.unpinButton = button(bar, "Unpin", () => this.unpin());
      if (Tone.possible) this.addSound(bar);
      const take = element("span", bar, { role: "group", "aria-label": "Take it with you" });
      this.parts.take = take;
      button(take, "Python", () => this.showPython(), { "aria-haspopup": "dialog" });
      button(take, "Copy link", () => {
        const link = new URL(this.address.of(this.entries()), location.href).href;
        this.copied(link, "The link to these settings is copied.");
      });
      this.csv = button(take, "CSV", () =>
        this.saveAs("csv", new Blob([csvOf(this.run)], { type: "text/csv" })),
      );
      button(take, "PNG", () => pictureOf(this.cards).toBlob((blob) => this.saveAs("png", blob)));
      this.taken = element("output", bar);
      this.addPython();
    }

    addSound(bar) {
      this.tone = new Tone();
      const group = element("span", bar, { role: "group", "aria-label": "Hear it as a tone" });
      this.sounds = ["target", "output"].map((name) => {
        const node = button(group, `\u266a ${name}`, () => this.hear(name), { "aria-pressed": false });
        return { name, node };
      });
      document.addEventListener("visibilitychange", () => this.hear(null));
    }

    /** Lets the target or the output sound, as long as it is asked for. */
    hear(name) {
      this.sounding = this.sounding === name ? null : name;
      for (const one of this.sounds) one.node.setAttribute("aria-pressed", one.name === this.sounding);
      this.tone.stop();
      if (this.sounding) this.sound((...wave) => this.tone.play(...wave));
    }

    /** Gives what is to be heard at the moment that is shown; one loudness for target and output. */
    sound(use) {
      const { fine, f } = this.dataOf(this.run ?? { declared: declared(this.now) });
      const values = this.sounding === "target" ? f : (this.heard?.h ?? f.map(() => 0));
      const sizes = [f, values].flatMap((one) => [...amplitudes(fine, one, BARS)]);
      const size = Math.max(0.1, ...sizes);
      if (Number.isFinite(size)) use(fine, values, size);
    }

    addPython() {
      this.script = dialog(this.root, "The Python of this setting");
      const about = element("p", this.script);
      about.textContent =
        "Where fpbook is installed, this takes the same steps from the same first weights as the run in the page.";
      const bar = element("div", this.script, { class: "replay-controls" });
      button(bar, "Copy again", () => this.copyPython());
      this.scriptSaid = element("output", bar);
      const code = {
        class: "play-python",
        tabindex: 0,
        role: "region",
        "aria-label": "Python of this setting",
      };
      this.code = element("pre", this.script, code);
    }

    async copied(text, done, place = this.taken) {
      place.textContent = "";
      const there = await copy(text, this.script.open ? this.script : document.body);
      place.textContent = there ? done : "This browser does not let a page copy; please select the text.";
    }

    saveAs(kind, blob) {
      const name = `playground-seed-${this.now.seed}.${kind}`;
      save(name, blob);
      this.taken.textContent = `Saved as ${name}.`;
    }

    /** The script of the run that is shown, or of the one that Train would begin. */
    showPython() {
      const { run } = this;
      this.code.textContent = run ? pythonOf(run.now, run.rates) : pythonOf(this.now);
      this.script.showModal();
      this.copyPython();
    }

    copyPython() {
      this.copied(this.code.textContent, "Copied.", this.scriptSaid);
    }

    addForm(desk) {
      const form = element("div", desk, { class: "play-choose" });
      const group = (part, title) => {
        const box = element("fieldset", form);
        this.parts[part] = box;
        element("legend", box).textContent = title;
        return box;
      };
      this.addHeights(group("target", "Target: height of each sine"));
      this.inputs = {};
      for (const title in CONTROLS) {
        const box = group(title.toLowerCase(), title);
        const grid = element("div", box, { class: "play-pairs" });
        for (const key in CONTROLS[title]) this.inputs[key] = this.control(grid, key, CONTROLS[title][key]);
      }
      this.addPaste();
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
      const shapes = element("p", box, { class: "play-draws" });
      for (const name in SHAPES) button(shapes, name, () => this.change({ sines: {}, drawn: shape(name) }));
      this.mover = button(shapes, "Move points", () => this.moves(!this.moving), { "aria-pressed": false });
      button(shapes, "Paste", () => this.paste(), {
        "aria-haspopup": "dialog",
        "aria-label": "Paste points",
      });
      const clear = () => this.change({ sines: {}, drawn: null });
      button(shapes, "Clear", clear, { "aria-label": "Clear the target" });
      this.hint = element("p", box, { class: "play-hint" });
      this.moves(false);
    }

    /** What the pointer does in the first panel: it draws the target, or moves the points. */
    moves(points) {
      this.moving = points;
      this.mover.setAttribute("aria-pressed", points);
      this.places.output.classList.toggle("play-moves", points);
      this.hint.textContent = points
        ? "Drag a point in the first panel up or down."
        : "Or draw the target in the first panel.";
    }

    addPaste() {
      this.pasteBox = dialog(this.root, "Points of your own");
      element("p", this.pasteBox).textContent =
        "One point a line: x, a comma, y. Between them the target is taken to be straight.";
      const field = { rows: 12, spellcheck: false, "aria-label": "points, one a line" };
      this.pasted = element("textarea", this.pasteBox, field);
      const bar = element("div", this.pasteBox, { class: "replay-controls" });
      button(bar, "Use these points", () => this.usePasted());
      this.pasteSaid = element("output", bar, { class: "refusal" });
    }

    /** The points as they are, to be changed by keyboard or replaced. */
    paste() {
      this.pasted.value = this.labels()
        .map((point) => point.join(", "))
        .join("\n");
      this.pasteSaid.textContent = "";
      this.pasteBox.showModal();
      this.pasted.select();
    }

    usePasted() {
      try {
        const { points, moved } = readPoints(this.pasted.value);
        this.pasteBox.close();
        this.change({ own: points, sines: {}, drawn: straightLines(points) });
        const how = moved ? ", moved and stretched into the interval from \u2212\u03c0 to \u03c0" : "";
        this.tell(`${points.length} points are taken over${how}. Press Train.`);
      } catch (error) {
        this.pasteSaid.textContent = error.message;
      }
    }

    /** The points with their labels as they stand, [[x, y], ...]. */
    labels() {
      const { x, y } = this.dataOf({ declared: declared(this.now) });
      return Array.from(x, (v, i) => [tenThousandths(v), tenThousandths(y[i])]);
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
      if (!("own" in values) && POINTS.some((key) => key in values)) values = { ...values, own: null };
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
      this.tell(`Learning rate ${number(lr)} from step ${number(step)} on.`);
    }

    /** The settings of the lesson that was chosen last, or of a locked address, and no run. */
    reset() {
      if (!this.lock) return this.choose(this.from);
      this.forget(false);
      this.write();
      this.tell(GUESS);
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
      if (!keep) {
        this.before = null;
        this.unpin();
      } else if (this.run?.rows.length > 1) this.before = this.run;
      this.run = null;
      this.plan = [];
    }

    write() {
      for (const input of Object.values(this.inputs)) input.write();
      this.heights.forEach((node, i) => (node.value = this.now.sines[i + 1] ?? 0));
      this.inputs.a.box.hidden = this.now.activation !== "ricker";
      const { own } = this.now;
      this.parts.points.firstChild.textContent = own ? `Points: ${own.length} of your own` : "Points";
      this.parts.points.classList.toggle("play-own", Boolean(own));
      this.showLesson();
      this.state("ready");
      this.draw();
    }

    showLesson() {
      for (const { key, node } of this.lessons) node.setAttribute("aria-pressed", key === this.lesson);
      const own = "Your own experiment: which frequency will come first?";
      this.look.textContent = this.lesson ? LESSONS[this.lesson].look : own;
    }

    state(name) {
      this.root.dataset.state = name;
      const shown = this.run?.rows.length > 1;
      this.csv.disabled = !shown;
      this.pinButton.disabled = !shown || name === "training" || this.pinned.length >= PINS;
      this.unpinButton.hidden = !this.pinned.length;
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
      this.reveal();
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

    /** Where panels and controls stand side by side, they are brought into one view. */
    reveal() {
      const { top, bottom } = this.work.getBoundingClientRect();
      if (innerWidth >= 1100 && (top < 0 || bottom > innerHeight)) this.root.scrollIntoView();
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
    }

    /** One run after the other; true when the last has come to rest, false where another call has taken over. */
    async follow(mine, most) {
      for (;;) {
        const { run } = this;
        if (!most)
          this.tell(
            this.plan.length ? "Training first what this is compared with \u2026" : "Training \u2026",
          );
        run.eigenvalues ??= (await run.forecast()).slice(0, followed(run).length);
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
      if (run.done === "lost") return `${say("lost")} ${tryNext(run)}`;
      const how = say(run.done === "fitted" ? "fitted" : "trained", { steps: number(run.step) });
      if (!run.lesson) {
        const all = followed(run).length ? `Frequencies below ${THRESHOLD}: ${steps(run)}. ` : "";
        const errors = `Error at the points ${few(end(run, "training"))}, on the whole interval ${few(end(run, "between"))}.`;
        return `${how} ${all}${errors} ${tryNext(run)}`;
      }
      const { said, next } = LESSONS[run.lesson];
      const [what, shown] = said(run, before);
      this.root.dataset.shown = shown;
      const then = shown ? next : "This run does not show the lesson. Next: try other seeds.";
      return `${how} ${what} ${then}`;
    }

    // ---- Runs that stay beside the present one ----

    pin() {
      const { rows, frames, now, declared, done } = this.run;
      const kept = { rows: [...rows], frames: [...frames], now, declared, done, data: this.dataOf(this.run) };
      this.pinned.push(kept);
      const place = element("div", null, { class: "replay-card" });
      this.places.errors.before(place);
      this.places[`pin${this.pinned.length}`] = place;
      this.repin();
    }

    unpin() {
      this.pinned.forEach((_, i) => {
        this.places[`pin${i + 1}`].remove();
        delete this.panels[`pin${i + 1}`];
      });
      if (!this.pinned.length) return;
      this.pinned = [];
      this.repin();
    }

    /** There are other panels in the row now, so each has another width. */
    repin() {
      this.places.squares.hidden = this.pinned.length > 0;
      if (this.places.squares.hidden) delete this.panels.squares;
      this.pinButton.disabled = this.pinned.length >= PINS;
      this.unpinButton.hidden = !this.pinned.length;
      this.draw();
      this.layout();
    }

    showFrame(frame) {
      const { step } = this.run.frames[frame];
      this.heard = this.run.frames[frame];
      if (this.sounding) this.sound((...wave) => this.tone.change(...wave));
      for (const panel of Object.values(this.panels)) panel.showStep(step);
      this.player.slider.setAttribute("aria-valuetext", `step ${number(step)}`);
    }

    seek(wanted) {
      if (this.bar.hidden) return;
      const all = this.run.frames.map(({ step }) => step);
      this.player.seek(nearest(all, wanted));
    }

    // ---- Drawing ----

    draw() {
      const idle = { now: this.now, declared: declared(this.now), rows: [], frames: [] };
      const run = this.run ?? idle;
      const { before, pinned } = this;
      const { frames } = run;
      const data = this.dataOf(run);
      const under = before?.frames.length ? { frames: before.frames, data: this.dataOf(before) } : null;
      const watched = followed(run).map(frequencyOf);
      const looks = { colorOf: frequencyColor, rest: REST, bars: BARS, whole: true };
      this.put("output", outputPanel({ data, frames, under, xlim: [-PI, PI], least: ROOM }));
      this.put("spectrum", spectrumPanel({ data, frames, watched, ...looks }));
      this.drawErrors(run);
      if (!pinned.length) this.put("squares", this.squaresPanel(run, before ? [before] : []));
      const dashed = before ? `Dashed: the run before, ${this.difference(before.now)}. ` : "";
      const pins = pinned.map((one, i) => `${"ABC"[i]}: ${this.difference(one.now)}. `);
      this.legend.textContent = dashed + pins.join("");
      this.forecasts(run);
      this.heard = frames.at(-1);
      if (this.sounding) this.sound((...wave) => this.tone.change(...wave));
    }

    /** The errors of the present run, and beside them, on the same axis, those of the pinned ones. */
    drawErrors(run) {
      const { before, pinned } = this;
      const others = before && !pinned.length ? [before] : [];
      const all = [...pinned.map((one, i) => ["ABC"[i], one, []]), [pinned.length ? "now" : "", run, others]];
      const made = all.map(([name, one, its]) => this.errorsOf(one, its, name));
      const far = Math.max(...made.map(({ spec }) => spec.xlim[1]));
      made.forEach((panel, i) => {
        panel.spec.xlim = [1, far];
        this.put(i < pinned.length ? `pin${i + 1}` : "errors", panel, this.heat ? HeatPanel : CurvesPanel);
      });
    }

    errorsOf(run, others, name) {
      if (!this.heat) return this.errorsPanel(run, others, name);
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

    put(key, { spec, steps: its, others }, Kind = CurvesPanel) {
      if (this.panels[key]?.constructor === Kind) return this.panels[key].set(spec, its, others);
      this.panels[key] = new Kind(this.places[key], spec, its, {
        others,
        seek: (j) => this.seek(this.panels[key].steps[j]),
      });
      this.panels[key].layout();
    }

    errorsPanel(run, others, title) {
      const curvesOf = (one) =>
        followed(one).map((name, i) => {
          const k = frequencyOf(name);
          return { name: `<i>k</i> = ${k}`, color: frequencyColor(k), at: i + 1 };
        });
      const ylabel = title ? `${title}: ` : "relative error \u0394<sub>F</sub>: ";
      const spec = { ylabel, ylim: [5e-3, 3], threshold: THRESHOLD };
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
      const { eigenvalues } = run;
      const ks = followed(run).map(frequencyOf);
      const times = ks.map((k) => (run.rows.length ? firstBelow(run, k) : Number.POSITIVE_INFINITY));
      const rank = (values, i, sign) => `${1 + values.filter((v) => sign * v > sign * values[i]).length}.`;
      this.table.replaceChildren();
      const title = "What the tangent kernel forecasts before the first step, and what happened";
      element("caption", this.table).textContent = title + (eigenvalues ? verdict(run, times) : "");
      this.row(["frequency k", "rate, of the largest", "forecast", `first below ${THRESHOLD}`, "came"], "th");
      const top = Math.max(...(eigenvalues ?? [1]));
      ks.forEach((k, i) => {
        const forecast = eigenvalues
          ? [few(eigenvalues[i] / top), rank(eigenvalues, i, 1)]
          : ["\u2013", "\u2013"];
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

    // ---- The target drawn with finger or mouse, what stood there is taken over first; or a point that is dragged ----

    beginDrawing(event) {
      const panel = this.panels.output;
      const scales = panel.scales();
      if (this.lock || event.button || !scales || event.target.closest("svg") !== panel.svg) return;
      event.preventDefault();
      const box = panel.svg.getBoundingClientRect();
      const at = (pointer) => placeOf(pointer, box, scales);
      const drawn = this.moving ? this.dragging(at(event)) : this.drawing(at(event));
      let begun = false;
      const drag = (moved) => {
        const [dx, dy] = [moved.clientX - event.clientX, moved.clientY - event.clientY];
        begun ||= Math.hypot(dx, dy) >= 4; // a press alone draws nothing
        if (begun) drawn(at(moved));
      };
      const drop = () => {
        removeEventListener("pointermove", drag);
        for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, drop);
      };
      addEventListener("pointermove", drag);
      for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, drop);
    }

    drawing(from) {
      const { sines, drawn } = this.now;
      const values = atNodes(target({ sines, drawn, low: -PI, high: PI }));
      let last = from;
      return (place) => {
        drawLine(values, last, place);
        last = place;
        this.change({ sines: {}, drawn: [...values] });
      };
    }

    /** The point that is nearest takes another label: an outlier. The others keep theirs, noise included. */
    dragging([x]) {
      const points = this.labels();
      const chosen = nearest(
        points.map((point) => point[0]),
        x,
      );
      return (place) => {
        points[chosen] = [points[chosen][0], tenThousandths(clamp(place[1], FAR))];
        this.change({ own: points.map((point) => [...point]) });
      };
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
        if (this.now.own) entries.push(["own", this.now.own.map((point) => point.join(":")).join(",")]);
        entries.push([
          "sines",
          Object.entries(sines)
            .map(([k, size]) => `${k}:${size}`)
            .join(","),
        ]);
      }
      if (this.hidden.length) entries.push(["hide", this.hidden.join(",")]);
      if (this.lock) entries.push(["lock", 1]);
      return entries;
    }

    /** What a link may hide, and whether it fixes the settings, as for a class. */
    frame(hide, lock) {
      const hidden = hide ? hide.split(",") : [];
      const unknown = hidden.find((part) => !PARTS.includes(part));
      if (unknown !== undefined)
        throw new Error(`it hides a part that is not here; there are ${PARTS.join(", ")}`);
      if (![undefined, "0", "1"].includes(lock)) throw new Error("lock is 0 or 1");
      this.hidden = hidden;
      this.lock = lock === "1";
      for (const part of PARTS) this.parts[part].hidden = hidden.includes(part);
      for (const part of ["target", "points", "network", "training"]) this.parts[part].disabled = this.lock;
      for (const { node } of this.lessons) node.disabled = this.lock;
      this.root.toggleAttribute(
        "data-narrow",
        PARTS.slice(1, 5).every((part) => hidden.includes(part)),
      );
      this.root.toggleAttribute("data-lock", this.lock);
    }

    readAddress(all) {
      try {
        const { hide, lock, ...given } = Object.fromEntries(all);
        const entries = Object.entries(given);
        const key = given.lesson ?? null;
        if (key !== null && !Object.hasOwn(LESSONS, key)) throw new Error("it names no lesson of this page");
        const rest = entries.filter(([name]) => name !== "lesson");
        const values = Object.fromEntries(rest.map(([name, text]) => [name, readSetting(name, text)]));
        this.frame(hide, lock);
        this.choose(key ?? "kept");
        const seedOnly = key !== null && Object.keys(values).every((name) => name === "seed");
        if (rest.length || key === null) this.change({ own: null, ...values }, seedOnly ? key : null);
        this.tell("These are the settings of the address. Press Train.");
      } catch (error) {
        this.frame();
        this.choose("kept");
        this.address.write([]);
        this.tell(`The address of this page cannot be used: ${error.message}. Shown is the first lesson.`);
      }
    }
  }

  window.fpPlayground = new Playground();
})();
