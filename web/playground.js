// The frequency playground: a target that the reader draws, and a network that trains on it here. What can be chosen and the
// lessons stand in lessons.js, its inputs in form.js, the panels in stage.js, the address in settings.js.
(() => {
  "use strict";
  const place = document.querySelector(".playground");
  if (!place || !window.fpLessons) return;
  const { Player, element, nearest, number, setAside, sign } = window.fpReplay;
  const { ALL, FIRST, LESSONS, declared, followed, outcome } = window.fpLessons;
  const { PARTS, entriesOf, readEntries } = window.fpSettings;
  const { button, showBeside } = window.fpControls;
  const { TakeBar } = window.fpDialogs;
  const { Session } = window.fpSession;
  const { Address } = window.fpAddress;
  const { Forecast } = window.fpForecast;
  const { Stage } = window.fpStage;
  const { Form } = window.fpForm;
  const { Sounds, Tone } = window.fpSound;
  const GUESS = "Guess, then press Train.";
  const POINTS = ["points", "anywhere", "noise", "sines", "drawn"]; // each of these puts the points anew

  class Playground {
    constructor() {
      setAside(...place.children);
      this.root = element("div", place, {
        class: "replay lab play",
        role: "group",
        "aria-label": "Playground",
      });
      Object.assign(this, {
        parts: {}, // of the page, those that a link can hide
        run: null,
        before: null,
        plan: [],
        hidden: [], // parts that the address hides
        lock: false, // the address forbids other settings
      });
      this.addLessons();
      const desk = element("div", this.root, { class: "play-desk" });
      this.work = element("div", desk, { class: "play-work" });
      this.addButtons();
      this.stage = new Stage(this.work, (step) => this.seek(step));
      this.addTakeaway();
      this.form = new Form(desk, this.root, {
        stage: this.stage,
        now: () => this.now,
        change: (values) => this.change(values),
        refused: (reason) => this.refused(reason),
        tell: (what) => this.tell(what),
      });
      Object.assign(this.parts, this.form.parts);
      this.forecast = new Forecast(this.root);
      this.parts.table = this.forecast.box;
      this.choose("kept");
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
      this.go = button(bar, "Train", press, { once: true, class: "lab-train" });
      button(bar, "Step", () => {
        this.stop();
        this.train(1);
      });
      button(bar, "Reset", () => this.reset());
      this.bar = element("div", bar, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
      this.text = element("p", this.work, { class: "replay-text", "aria-live": "polite" });
    }

    addTakeaway() {
      const bar = element("div", this.work, { class: "replay-controls play-take" });
      const heat = button(bar, "Heat map", () => {
        this.stage.heat = !this.stage.heat;
        heat.setAttribute("aria-pressed", this.stage.heat);
        this.draw();
      });
      heat.setAttribute("aria-pressed", false);
      this.pinButton = button(bar, "Pin this run", () => this.pin());
      this.unpinButton = button(bar, "Unpin", () => this.unpin());
      if (Tone.possible) this.sounds = new Sounds(bar, () => this.heard());
      this.take = new TakeBar(bar, this.root, {
        run: () => this.run,
        now: () => this.now,
        link: () => new URL(this.address.of(this.entries()), location.href).href,
        panels: this.stage.cards,
      });
      this.parts.take = this.take.box;
    }

    /** What can be heard at the moment that is shown. */
    heard() {
      const { fine, f } = this.stage.dataOf(this.shown());
      return { x: fine, target: f, output: this.frame?.h ?? f.map(() => 0) };
    }

    tell(what) {
      this.text.textContent = what;
    }

    refused(reason) {
      this.stop();
      this.tell(reason);
    }

    // ---- What the reader chooses ----

    /** New values end a run; what it reached stays, dashed. With `lesson` they are those of a lesson. */
    change(values, lesson = null) {
      if (this.canRetune(values)) return this.retune(values);
      if (!("own" in values) && POINTS.some((key) => key in values)) values = { ...values, own: null };
      const ended = this.run?.step > 0 && !this.run.done;
      this.forget(true);
      const kept = lesson !== null || Object.keys(values).every((key) => key === "seed");
      this.lesson = lesson ?? (kept ? this.lesson : null);
      this.now = { ...this.now, ...values };
      this.write();
      this.address?.write(this.entries());
      const why =
        ended &&
        Object.keys(values)
          .map((key) => ALL[key]?.note)
          .find(Boolean);
      this.tell(`${why ? `${why} ` : ""}Press Train.`);
    }

    /**
     * Learning rate and noise are changed without losing the run, unless the points are the reader's own, which have no noise
     * that could change; all else that can be chosen decides how a run begins.
     */
    canRetune(values) {
      const { run } = this;
      const [key, ...others] = Object.keys(values);
      const can = key === "lr" || (key === "noise" && !this.now.own);
      return can && !others.length && run && !run.done && run.step > 0 && !this.plan.length;
    }

    async retune(values) {
      const { run } = this;
      this.lesson = null;
      this.now = { ...this.now, ...values };
      Object.assign(run, { now: this.now, lesson: null });
      this.address?.write(this.entries());
      this.showLesson();
      const step = await run.retune(values);
      if (run !== this.run) return;
      this.stage.relabel(run);
      this.draw();
      if (run.done) return;
      const [[key, value]] = Object.entries(values);
      this.tell(
        `${{ lr: "Learning rate", noise: "Noise" }[key]} ${number(value)} from step ${number(step)} on.`,
      );
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
      this.form.write();
      this.showLesson();
      this.state("ready");
      this.draw();
    }

    showLesson() {
      for (const { key, node } of this.lessons) node.setAttribute("aria-pressed", key === this.lesson);
      const own = "Your own experiment: which frequency will be learned first?";
      this.look.textContent = this.lesson ? LESSONS[this.lesson].look : own;
    }

    state(name) {
      this.root.dataset.state = name;
      this.training = name === "training";
      this.pins();
      sign(this.go, ...(this.training ? ["stop", "Stop"] : ["play", "Train"]));
      const frames = this.run?.frames.length ?? 0;
      this.bar.hidden = frames < 3 || name === "training";
      this.root.toggleAttribute("data-seek", !this.bar.hidden);
      if (this.bar.hidden) this.player.pause();
      else this.player.rest(frames);
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
      const { wrong } = this.form;
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

    /** Where panels and controls stand side by side, they are brought into one view; elsewhere what is said of the run. */
    reveal() {
      if (innerWidth < 1100) return showBeside(this.go, this.text);
      const { top, bottom } = this.work.getBoundingClientRect();
      if (top < 0 || bottom > innerHeight) this.root.scrollIntoView();
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
      this.run = Object.assign(new Session(declared(now), () => this.drawing()), { now, lesson });
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
      this.state(run.done || "stopped");
      if (!run.done) {
        if (!this.form.wrong) this.tell(most ? `Step ${number(run.step)}.` : this.stopped());
        return;
      }
      const { text, shown } = outcome(run, this.before);
      if (shown !== undefined) this.root.dataset.shown = shown;
      this.tell(text);
    }

    // ---- Runs that stay beside the present one ----

    pin() {
      this.stage.pin(this.run);
      this.repin();
    }

    unpin() {
      if (!this.stage.pinned.length) return;
      this.stage.unpin();
      this.repin();
    }

    /** There are other panels in the row now, so each has another width. */
    repin() {
      this.pins();
      this.draw();
      this.stage.layout();
    }

    /** Which buttons a run allows. */
    pins() {
      const none = !(this.run?.rows.length > 1);
      this.take.csv.disabled = none;
      this.pinButton.disabled = none || this.training || this.stage.full;
      this.unpinButton.hidden = !this.stage.pinned.length;
    }

    // ---- Drawing ----

    shown() {
      return this.run ?? { now: this.now, declared: declared(this.now), rows: [], frames: [] };
    }

    draw() {
      return [...this.drawing()];
    }

    *drawing() {
      const run = this.shown();
      yield* this.stage.drawing({ run, before: this.before, now: this.now });
      this.forecast.show(run);
      this.frame = run.frames.at(-1);
      this.sounds?.follow();
    }

    showFrame(at) {
      this.frame = this.run.frames[at];
      this.sounds?.follow();
      this.stage.showStep(this.frame.step);
      this.player.slider.setAttribute("aria-valuetext", `step ${number(this.frame.step)}`);
    }

    seek(wanted) {
      if (this.bar.hidden) return;
      const all = this.run.frames.map(({ step }) => step);
      this.player.seek(nearest(all, wanted));
    }

    // ---- The address: a lesson, or what differs from the first one ----

    entries() {
      const entries = entriesOf(this.now, this.lesson);
      if (this.hidden.length) entries.push(["hide", this.hidden.join(",")]);
      if (this.lock) entries.push(["lock", 1]);
      return entries;
    }

    /** Hides parts and fixes the settings where the address asks for it. */
    restrict(hidden, lock) {
      Object.assign(this, { hidden, lock });
      for (const part of PARTS) this.parts[part].hidden = hidden.includes(part);
      this.form.lock(lock);
      for (const { node } of this.lessons) node.disabled = lock;
      this.root.toggleAttribute(
        "data-narrow",
        Object.keys(this.form.parts).every((part) => hidden.includes(part)),
      );
      this.root.toggleAttribute("data-lock", lock);
    }

    readAddress(all) {
      const { address } = this;
      try {
        const { lesson, values, hidden, lock } = readEntries(all);
        this.restrict(hidden, lock);
        this.address = null; // written once, when all is read: who reads it meanwhile would find half of it
        this.choose(lesson ?? "kept");
        const names = Object.keys(values);
        const seedOnly = lesson !== null && names.every((name) => name === "seed");
        if (names.length || lesson === null) this.change({ own: null, ...values }, seedOnly ? lesson : null);
        this.address = address;
        address.write(this.entries());
        this.tell("These are the settings of the address. Press Train.");
      } catch (error) {
        this.address = address;
        this.restrict([], false);
        this.choose("kept");
        address.write([]);
        this.tell(`The address of this page cannot be used: ${error.message}. Shown is the first lesson.`);
      }
    }
  }

  window.fpPlayground = new Playground();
})();
