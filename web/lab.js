// The labs of a page: an experiment that fpbook.lab.lab declared, its controls and words; afterwards a replay of the reader's own
// run. lab-panels.js draws.
(() => {
  "use strict";
  const { Player, element, nearest, number, setAside, sign, watchWidth, whenNear } = window.fpReplay;
  const { frequencyOf } = window.fpExperiment;
  const { Control, button, check, same, showBeside, written } = window.fpControls;
  const { LabPanels } = window.fpLabPanels;
  const { answer, order, parts, reply, say, verdict } = window.fpMessages;
  const { Address } = window.fpAddress;
  const { Session } = window.fpSession;

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
      this.addQuestion(index);
      this.addButtons();
      this.addControls();
      this.text = element("p", this.root, { class: "replay-text", "aria-live": "polite" });
      this.addPanels();
      still.before(this.root);
      setAside(still);
      this.begin();
    }

    // ---- What there is to see and to press ----

    addQuestion(index) {
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
      this.bar = element("div", bar, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
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

    addPanels() {
      this.cards = element("div", this.root, { class: "replay-cards" });
      this.legend = element("p", this.root, { class: "lab-past" });
      this.panels = new LabPanels(this.cards, this.base, (step) => this.seek(step));
    }

    /** Shown at first: the recorded run, dashed, unless it is the answer. */
    begin() {
      for (const input of this.inputs) input.write();
      this.draw();
      this.panels.layout();
      watchWidth(this.cards, () => this.panels.layout());
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
        marked.style.setProperty("--curve", this.panels.color(name));
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
      showBeside(this.go, this.text);
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
      this.panels.showStep(step);
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

    /** What is said to the guess, or, with other settings, the answer where the order of the frequencies does not tell it. */
    answer() {
      const { guess, recorded, run } = this;
      const { question } = this.base;
      if (this.asking()) return `${reply(question, guess, verdict(question, run, recorded))} `;
      const here = question && !order(run) && answer(question, run, recorded);
      return here ? `${here} ` : "";
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

    *drawing() {
      const others = this.comparable();
      this.legend.textContent = others.length
        ? say("dashed", { runs: others.map(({ label }) => label).join("; ") })
        : "";
      yield* this.panels.drawing(this.shown(), others);
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
