// The first page: two networks fit the same points, and differ in one number. Both train here; their run is played at a steady
// pace, can be moved through, and at the end shows what is between the points. What is trained stands in landing-run.js.
(() => {
  "use strict";
  const root = document.querySelector(".landing-lab");
  if (!root) return;
  const { Player, element, nearest, number, setAside } = window.fpReplay;
  const { LESS_MOTION, Session } = window.fpSession;
  const { numbers } = window.fpExperiment;
  const { measure } = window.fpMessages;
  const { button } = window.fpControls;
  const RECORDED = window.fpLandingRuns;

  const SIDES = ["left", "right"];
  const USUAL = "tanh"; // an activation in common use, which the left network can have, too
  const DIFFERENCE_USUAL =
    "They share data, layers, initial weights and optimizer, and differ in their activation function.";
  const WAVES = { slow: 1, middle: 3, fast: 5 };
  const GUESSES = [...SIDES.map((side) => `the ${side} one`), "I cannot tell"];
  const OFF_BY = "\u201coff by 100\u00a0%\u201d: as wrong as a flat line at 0 (root mean square)";
  const KEYS = {
    curve: () => "the curve",
    points: () => "41 points of it",
    network: ({ revealed }) => (revealed ? "network" : "network, at the points only"),
    before: ({ revealed, again }) => (again && !revealed ? "the run before" : ""),
    words: ({ revealed, fitted }) => (revealed || fitted ? OFF_BY : ""),
  };
  // Step PACE t² is shown after t seconds: slowly at first, where most happens; about five seconds in all.
  const PACE = 8;
  const PACE_USUAL = 50; // tanh learns the fast wave later
  const TICKS = 120; // places of the slider
  const GROWING = 900; // milliseconds in which the outputs grow out of the straight lines
  const PRINCIPLE =
    "The network decides what is there, not the data. Most networks, with tanh for example, learn slow waves first and add no needless fast ones. This is the frequency principle. It suits smooth curves and costs fine detail. We made the right bump so narrow that this preference is lost.";
  const HEIGHT = 2.6; // of a panel, from the middle
  const NEAR = 0.1; // an output is near the curve where its error is below this share of the curve

  const nextFrame = () => new Promise(requestAnimationFrame);
  const later = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));
  const last = ({ frames }) => frames.at(-1)?.step ?? 0;
  const x = (v) => (100 + (95 * v) / Math.PI).toFixed(2);
  const y = (v) => (50 - (48 * Math.max(-HEIGHT, Math.min(HEIGHT, v))) / HEIGHT).toFixed(2);
  const lineOf = (xs, ys) => `M${Array.from(xs, (v, i) => `${x(v)} ${y(ys[i])}`).join("L")}`;

  /** Root mean square of the error as a share of that of the values. */
  function share(found, values) {
    const energy = (of) => values.reduce((sum, v, i) => sum + of(v, i) ** 2, 0);
    return Math.sqrt(energy((v, i) => v - found[i]) / energy((v) => v));
  }

  const percent = (part) => `${Math.round(100 * part)}\u00a0%`;

  /** Drawn in a box of fixed units that stretches to its place; lines keep their width. */
  function drawing(parent, box, attributes = {}) {
    return element("svg", parent, { viewBox: box, preserveAspectRatio: "none", ...attributes });
  }

  /** The shape of the activation, in small. */
  function activationIcon(parent, a) {
    const svg = drawing(parent, "-1 -0.25 2 1.8", { class: "landing-icon", "aria-hidden": "true" });
    const z = Array.from({ length: 81 }, (_, i) => (i - 40) / 40);
    const bump = (v) => -(1 - (v / a) ** 2) * Math.exp(-((v / a) ** 2) / 2);
    element("path", svg, { d: `M${z.map((v) => `${v} ${(bump(v) + 0.9).toFixed(3)}`).join("L")}` });
  }

  /** sin kx from -π to π, from one end of the box to the other. */
  function wave(k) {
    const at = Array.from({ length: 121 }, (_, i) => i);
    return `M${at.map((i) => `${i} ${(8 - 6 * Math.sin(k * ((i * Math.PI) / 60 - Math.PI))).toFixed(1)}`).join("L")}`;
  }

  /** One network: its output over the curve and the points, and how much of each wave it has learned. */
  class Panel {
    constructor(parent, side, { declared }) {
      const card = element("section", parent, { class: "landing-panel", "aria-label": `${side} network` });
      this.head = element("p", card, { class: "landing-title" });
      this.call(declared.network);
      this.data = numbers(declared.data, 0);
      this.draw(card, side);
      const bars = element("div", card, { class: "landing-bars" });
      const head = element("p", bars, { class: "landing-heads", "aria-hidden": "true" });
      head.innerHTML = "<span><span>learned </span>at the points</span><span>90\u00a0% by</span>";
      this.bars = Object.entries(WAVES).map(([name, k]) => this.bar(bars, name, k));
    }

    /** The activation as title. */
    call({ activation, a }) {
      this.head.replaceChildren();
      element("b", this.head).textContent = `activation: ${a ? "a bump" : activation}`;
      if (!a) return;
      activationIcon(this.head, a);
      element("span", this.head).innerHTML = `scale <i>a</i> = ${a}`;
    }

    draw(card, side) {
      const { data } = this;
      const words = `the curve, the points, and the output of the ${side} network`;
      const svg = drawing(card, "0 0 200 100", { class: "landing-curve", role: "img", "aria-label": words });
      element("path", svg, { class: "target", d: lineOf(data.fine, data.f) });
      this.under = element("path", svg, { class: "before" });
      this.line = element("path", svg, { class: "network" });
      const dots = Array.from(data.x, (v, i) => `M${x(v)} ${y(data.y[i])}h0`).join("");
      element("path", svg, { class: "points", d: dots });
    }

    bar(parent, name, k) {
      const box = element("div", parent, { class: `landing-bar wave-${k}` });
      element("span", box).textContent = name;
      const meter = element("div", box, { role: "meter", "aria-valuemin": 0, "aria-valuemax": 100 });
      meter.setAttribute("aria-label", `${name} wave, learned at the points`);
      for (const kind of ["rest", "learned"])
        element("path", drawing(meter, "0 0 120 16", { class: kind, "aria-hidden": "true" }), { d: wave(k) });
      return { meter, name: `k = ${k}`, time: element("small", box) };
    }

    /** At the same step, the run before, at the points only: between them it would hide what is to be seen. */
    showBefore(run, step) {
      const frame = run?.frames[nearest(run.frames, step, (one) => one.step)];
      this.under.setAttribute("d", frame ? lineOf(this.data.x, frame.at) : "");
    }

    /** The state of a run at a step; `opened` from 0 to 1 is how far the output between the points is shown. */
    show(run, step, opened) {
      const frame = run.frames[nearest(run.frames, step, (one) => one.step)];
      const row = run.rows[nearest(run.rows, step, ([t]) => t)];
      const at = frame?.at ?? this.data.x.map(() => 0);
      this.line.setAttribute("d", lineOf(this.data.fine, this.between(at, frame?.h, opened)));
      this.bars.forEach(({ meter, name, time }, i) => {
        const learned = Math.max(0, Math.min(1, 1 - (row?.[i + 1] ?? 1)));
        meter.style.setProperty("--learned", `${100 * learned}%`);
        meter.setAttribute("aria-valuenow", Math.round(100 * learned));
        const since = run.done ? measure(`t:${name}`, run) : Number.POSITIVE_INFINITY; // known at the end only
        time.innerHTML = since <= step ? `<span>step </span>${number(since)}` : "";
      });
    }

    /** Straight lines from point to point, or what the network says there. */
    between(at, h, opened) {
      const { fine } = this.data;
      const each = (fine.length - 1) / (at.length - 1); // so many fine points to a training point
      return fine.map((_, i) => {
        const j = Math.min(Math.floor(i / each), at.length - 2);
        const straight = at[j] + (at[j + 1] - at[j]) * (i / each - j);
        return h ? straight + opened * (h[i] - straight) : straight;
      });
    }
  }

  /** What two runs show: the errors of each, and the side that alone has learned the curve. */
  function outcome(runs, panels) {
    const each = runs.map(({ view }, i) => {
      const { data } = panels[i];
      return { at: share(view.at, data.y), between: share(view.h, data.f) };
    });
    const near = each.map(({ between }) => between < NEAR);
    const right = near[0] === near[1] ? null : near.indexOf(true);
    return { each, right, fitted: runs.every(({ done }) => done === "fitted") };
  }

  class Landing {
    constructor() {
      const links = [...root.querySelectorAll("a")].map((link) => link.cloneNode(true));
      setAside(...root.children);
      this.live = element("div", null, {
        class: "landing-live",
        role: "group",
        "aria-label": "Two networks",
      });
      Object.assign(this, {
        seed: 0,
        guess: -1,
        runs: RECORDED,
        sessions: [],
        before: [],
        opened: 0,
        active: null,
        usual: false,
      });
      this.addControls(links);
      this.addPanels();
      root.prepend(this.live);
      this.show("ready");
      this.tell(
        "A recording of both. Guess, then train them here, in this page.",
        "The curve is the sum of the three waves below it. Colour shows how much of each has been learned.",
      );
      if (LESS_MOTION) this.player.go(TICKS);
      else this.playOnceSeen();
    }

    // ---- What there is to see and to press ----

    addControls(links) {
      this.controls = element("div", this.live, { class: "landing-controls" });
      const ask = element("fieldset", this.controls, { class: "landing-ask" });
      element("legend", ask).textContent = "Which one has learned the curve?";
      GUESSES.forEach((guess, i) => {
        const label = element("label", ask);
        const radio = element("input", label, { type: "radio", name: "landing-guess" });
        element("span", label).textContent = guess;
        radio.addEventListener("change", () => (this.guess = i));
      });
      const add = (text, act, kind) => button(this.controls, text, act, { once: true, class: kind });
      this.go = add("", () => (this.active ? this.stop() : this.train()), "landing-train");
      this.open = add("What is between the points?", () => this.reveal(), "landing-open");
      this.next = element("div", this.controls, { class: "landing-next" });
      this.next.append(...links);
      this.other = button(this.next, "", () => this.swap(), { once: true });
      button(this.next, "Other weights", () => this.again(), { once: true });
      this.subtitle = document.querySelector(".landing-headline p + p"); // none where the lab stands alone
      this.difference = this.subtitle?.innerHTML;
      const say = element("p", this.live, { class: "landing-say", role: "status" });
      this.first = element("b", say);
      say.append(" ");
      this.more = element("span", say);
    }

    addPanels() {
      const place = element("div", this.live, { class: "landing-panels" });
      this.panels = SIDES.map((side, i) => new Panel(place, side, RECORDED[i]));
      const bar = element("div", this.live, { class: "landing-player replay-controls" });
      this.player = new Player(bar, "step", (tick) => this.showStep(this.end * (tick / TICKS) ** 2));
      this.player.set(TICKS + 1);
      this.at = element("span", bar, { class: "landing-step" });
      const keys = element("p", this.live, { class: "landing-keys", "aria-hidden": "true" });
      this.keys = Object.keys(KEYS).map((kind) => element("span", keys, { class: `landing-key ${kind}` }));
    }

    /** The recording plays once, when it is seen. */
    playOnceSeen() {
      this.player.go(0, true);
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        if (this.runs === RECORDED && !this.active && this.player.frame === 0) this.player.play();
      });
      seen.observe(this.live);
    }

    /** Only what can be pressed now is there; the keyboard stays among it. */
    show(state) {
      const held = document.activeElement;
      const again = this.before.length > 0;
      this.live.dataset.state = state;
      this.live.toggleAttribute("data-again", again);
      const now = { [state]: true, again };
      Object.values(KEYS).forEach((words, i) => (this.keys[i].textContent = words(now)));
      this.other.textContent = this.usual ? "The bump again" : `Try ${USUAL} on the left`;
      this.go.textContent = state === "training" ? "Stop" : state === "stopped" ? "Go on" : "Train both";
      const shown = (node) => node.getClientRects().length > 0;
      if (!this.controls.contains(held) || shown(held)) return;
      [...this.controls.querySelectorAll("a, button")].find(shown)?.focus();
    }

    /** What counts, and more; on a phone only the first stands above the panels. */
    tell(first, ...more) {
      this.first.textContent = first;
      this.more.textContent = more.filter(Boolean).join(" ");
    }

    get end() {
      return Math.max(...this.runs.map(last));
    }

    /** The step that is played now. */
    get step() {
      return this.pace * this.clock ** 2;
    }

    showStep(step) {
      this.panels.forEach((panel, i) => {
        panel.show(this.runs[i], step, this.opened);
        panel.showBefore(this.before[i], step);
      });
      this.at.textContent = `step ${number(Math.round(step))}`;
      this.player.slider.setAttribute("aria-valuetext", this.at.textContent);
    }

    // ---- A run ----

    /** Both train as fast as the machine can, and are played at a steady pace behind that. */
    async train() {
      this.player.pause();
      if (!this.sessions.length) this.begin();
      const mine = {};
      this.active = mine;
      this.show("training");
      this.tell("Training both on the same 41 points \u2026");
      try {
        const resting = this.sessions.map((run) => run.done || run.train());
        const played = this.play(mine);
        await Promise.all(resting);
        if (await played) this.ended();
      } catch (error) {
        this.active = null;
        this.show("ready");
        this.tell(`This cannot be trained here: ${error.message}.`);
      }
    }

    begin() {
      this.sessions = RECORDED.map(({ declared }, i) => {
        const { a, ...rest } = declared.network;
        const activation = this.usual && i === 0 ? { activation: USUAL } : { a };
        const network = { ...rest, ...activation, seed: this.seed };
        this.panels[i].call(network);
        return new Session({ ...declared, network }, () => []);
      });
      if (this.subtitle) this.subtitle.innerHTML = this.usual ? DIFFERENCE_USUAL : this.difference;
      Object.assign(this, { runs: this.sessions, opened: 0, clock: 0, pace: this.usual ? PACE_USUAL : PACE });
    }

    /** Shows step after step of what there is; true at the end, false when another has taken over. */
    async play(mine) {
      let before = performance.now();
      for (;;) {
        await (LESS_MOTION ? later(500) : nextFrame());
        if (this.active !== mine) return false;
        const now = performance.now();
        const training = this.sessions.filter(({ done }) => !done);
        const reached = training.length ? Math.min(...training.map(last)) : this.end;
        const passed = Math.min(now - before, LESS_MOTION ? 600 : 100) / 1000; // a hidden page stands still
        this.clock = Math.min(this.clock + passed, Math.sqrt(reached / this.pace));
        before = now;
        this.showStep(this.step);
        if (!training.length && this.step > this.end - 0.01) return true;
      }
    }

    stop() {
      this.active = null;
      for (const run of this.sessions) run.stop();
      this.show("stopped");
      this.tell(`Stopped at step ${number(Math.round(this.step))}.`, "\u201cGo on\u201d continues.");
    }

    ended() {
      this.active = null;
      this.found = outcome(this.runs, this.panels);
      this.toEnd();
      const { each, fitted } = this.found;
      this.show(fitted ? "fitted" : "revealed");
      if (!fitted)
        return this.tell("From these initial weights they do not both fit the points.", "Try others.");
      const error = percent(Math.max(...each.map(({ at }) => at)));
      this.tell(
        `At the points both are off by at most ${error}.`,
        "So how well they fit does not tell which of the two is better.",
      );
    }

    toEnd() {
      this.player.rest(TICKS + 1);
      this.showStep(this.end);
    }

    /** The outputs grow out of the straight lines. */
    async reveal() {
      this.player.pause();
      this.toEnd();
      this.show("revealed");
      this.tellVerdict();
      const begins = performance.now();
      do {
        await nextFrame();
        const passed = LESS_MOTION ? 1 : Math.min(1, (performance.now() - begins) / GROWING);
        this.opened = passed * passed * (3 - 2 * passed);
        this.showStep(this.end * (this.player.frame / TICKS) ** 2);
      } while (this.opened < 1);
    }

    tellVerdict() {
      const { each, right } = this.found;
      const [left, other] = each.map(({ between }) => percent(between));
      const verdict = `Between the points the left is off by ${left}, the right by ${other}.`;
      this.tell(verdict, right === 0 && (this.usual ? this.withUsual() : PRINCIPLE), this.reply(right));
    }

    withUsual() {
      const [slow, fast] = [WAVES.slow, WAVES.fast].map((k) => measure(`t:k = ${k}`, this.runs[0]));
      if (slow >= fast) return "";
      return `A network with ${USUAL}, an ordinary activation, does the same, only later: it has learned the slow wave by step ${number(slow)}, the fast one by step ${number(fast)}.`;
    }

    reply(right) {
      if (this.guess < 0 || right === null) return "";
      return this.guess === right ? "You guessed right." : `It is ${GUESSES[right]}.`;
    }

    /** From the next seed. */
    again() {
      this.seed += 1;
      this.anew();
    }

    /** The left network with the other activation. */
    swap() {
      this.usual = !this.usual;
      this.anew();
    }

    anew() {
      for (const run of this.sessions) run.end();
      Object.assign(this, { before: this.sessions, sessions: [] });
      this.train();
    }
  }

  new Landing();
})();
