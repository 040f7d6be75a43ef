// The picture lab: a network learns every second pixel of a picture, here in the page; the reader chooses the picture and the scale
// of the Fourier features, and looks for the scale that is best at the pixels that are held out.
(() => {
  "use strict";
  const place = document.querySelector(".picture-lab");
  if (!place) return;
  const { CurvesPanel, PicturePanel, Player, element, number } = window.fpReplay;
  const { setAside, sign, watchWidth, whenNear } = window.fpReplay;
  const { numbers, ringsOf } = window.fpExperiment;
  const { Control, button, showBeside } = window.fpControls;
  const { COLORS } = window.fpColors;
  const { Session } = window.fpSession;
  const { say } = window.fpMessages;

  const SIDE = 32;
  const HALF = SIDE / 2;
  const SCALE = {
    label: "scale \u03c3 of the Fourier features; 0 is bare coordinates",
    short: "scale \u03c3 (0: bare coordinates)",
    low: 0,
    high: 16,
    step: 1,
  };
  // As in the section around it: 64 features, two hidden layers, 400 steps with 128 pixels each.
  const NETWORK = { width: 64, depth: 2, activation: "relu", start: "default", seed: 0 };
  const TRAINING = { name: "adam", lr: 3e-3, steps: 400, batch: 128 };
  const FEATURES = 64;
  const SLICES = 3; // the output of all pixels takes as long as two steps
  const BRUSH = 1.4; // pixels from its middle to its edge
  const GREY = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));
  const RINGS = Float64Array.from({ length: HALF }, (_, i) => i + 1);
  const ASK = "Guess: which scale is best at the held-out pixels? Then train with several, and compare.";
  const NO_PICTURE = "This file holds no picture that the browser can read; nothing was changed.";

  // ---- Pictures: brightness from 0 to 1, row by row ----

  const portrait = () => Array.from(atob(window.fpPortrait), (c) => c.charCodeAt(0) / 255);
  const chessboard = () => pixels((row, column) => ((row >> 2) + (column >> 2)) % 2);
  const white = () => pixels(() => 1);

  const pixels = (of) => Array.from({ length: SIDE * SIDE }, (_, i) => of(Math.floor(i / SIDE), i % SIDE));

  /** The middle square of a photo, made small; it stays on the reader's machine. */
  async function fromPhoto(file) {
    const photo = await createImageBitmap(file);
    const size = Math.min(photo.width, photo.height);
    const context = element("canvas", null, { width: SIDE, height: SIDE }).getContext("2d");
    context.imageSmoothingQuality = "high";
    const [left, top] = [(photo.width - size) / 2, (photo.height - size) / 2];
    context.drawImage(photo, left, top, size, size, 0, 0, SIDE, SIDE);
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    const brightness = (i) => (0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]) / 255;
    return pixels((row, column) => brightness(4 * (row * SIDE + column)));
  }

  const bytes = (values) => Uint8Array.from(values, (v) => Math.max(0, Math.min(255, Math.round(255 * v))));

  /** Those of a frame, made once. */
  function shades(frame) {
    frame.shades ??= bytes(frame.h);
    return frame.shades;
  }

  /** Peak signal-to-noise ratio of an output, in decibels, at the pixels that `chosen` marks. */
  function psnr(h, f, chosen) {
    const errors = Array.from(h, (v, i) => (v - f[i]) ** 2).filter((_, i) => chosen(i));
    return -10 * Math.log10(errors.reduce((sum, v) => sum + v, 0) / errors.length);
  }

  const decibels = (value) => `${Math.round(value)}\u00a0dB`;
  const named = (scale) => (scale ? `\u03c3 = ${scale}` : "bare coordinates");

  // ---- Panels ----

  function picturePanel(name, frames) {
    return { ylabel: name, image: frames, palette: GREY, shape: [SIDE, SIDE], curves: [] };
  }

  /** Spectrum by ring, of the picture and of the output at each step. */
  function ringsPanel(target, frames) {
    const output = { name: "output", style: "o", color: COLORS.output };
    output.frames = frames.length ? frames.map(({ bars }) => bars) : [RINGS.map(() => Number.NaN)];
    const picture = { name: "picture", style: "=", color: COLORS.target, y: target };
    const spec = { ylabel: "spectrum by ring", xlabel: "|<i>k</i>|", log: "y", x: RINGS };
    return { ...spec, xlim: [0.5, HALF + 0.5], ylim: [1e-4, 0.1], curves: [picture, output] };
  }

  /** Quality over the scales that were tried on this picture. */
  function scalesPanel(results) {
    const x = Float64Array.from({ length: SCALE.high + 1 }, (_, scale) => scale);
    const curve = (name, color, of) => {
      const y = x.map((scale) => of(results.get(scale)) ?? Number.NaN);
      return { name, style: "o", color, y };
    };
    const curves = [
      curve("training", COLORS.training, (one) => one?.given),
      curve("held out", COLORS.test, (one) => one?.heldOut),
    ];
    const spec = { ylabel: "PSNR in dB", xlabel: "scale \u03c3", log: "", x };
    return { ...spec, xlim: [-0.5, SCALE.high + 0.5], ylim: [0, 80], curves };
  }

  /** What a run shows, and what it makes one want to try. */
  function verdict(scale, { given, heldOut }, results) {
    const said = `With ${named(scale)}: ${decibels(given)} at the training pixels, ${decibels(heldOut)} at the held-out ones.`;
    const [best, { heldOut: most }] = [...results].sort((a, b) => b[1].heldOut - a[1].heldOut)[0];
    if (results.size > 1)
      return `${said} Best so far at the held-out pixels: ${named(best)}, ${decibels(most)}.`;
    return `${said} Is a smaller or a larger scale better at those?`;
  }

  // ---- The lab ----

  class PictureLab {
    constructor() {
      setAside(...place.children);
      const live = { class: "replay lab picture-live", role: "group", "aria-label": "Picture lab" };
      this.root = element("div", place, live);
      Object.assign(this, { scale: 3, run: null, results: new Map(), drawing: false, panels: [] });
      this.addPictures();
      this.addButtons();
      this.text = element("p", this.root, { class: "replay-text", "aria-live": "polite" });
      this.addPanels();
      this.choose("portrait", portrait());
    }

    addPictures() {
      const bar = element("div", this.root, {
        class: "replay-controls",
        role: "group",
        "aria-label": "Picture",
      });
      const add = (name, act) => button(bar, name, act, { "aria-pressed": false });
      this.buttons = {
        portrait: add("Portrait", () => this.choose("portrait", portrait())),
        chessboard: add("Chessboard", () => this.choose("chessboard", chessboard())),
        drawing: add("Draw one", () => this.choose("drawing", white())),
        photo: add("Your photo", () => this.file.click()),
      };
      const only = { type: "file", accept: "image/*", hidden: "", "aria-label": "Your photo" };
      this.file = element("input", bar, only);
      this.file.addEventListener("change", () => this.takePhoto());
    }

    addButtons() {
      const bar = element("div", this.root, { class: "replay-controls" });
      const press = () => (this.run?.running ? this.stop() : this.train());
      this.go = button(bar, "", press, { once: true, class: "lab-train" });
      this.bar = element("div", bar, { class: "replay-controls lab-player", hidden: "" });
      this.player = new Player(this.bar, "step", (frame) => this.showFrame(frame));
      const choose = element("div", this.root, { class: "lab-choose" });
      this.control = new Control(choose, SCALE, {
        get: () => this.scale,
        change: (scale) => this.change({ scale }),
        refused: (reason) => this.tell(reason),
        slider: true,
      });
    }

    addPanels() {
      this.cards = element("div", this.root, { class: "replay-cards" });
      this.places = Array.from({ length: 4 }, () => element("div", this.cards, { class: "replay-card" }));
      this.places[0].addEventListener("pointerdown", (event) => this.begin(event));
      watchWidth(this.cards, () => this.layout());
    }

    layout() {
      for (const panel of this.panels) panel.layout();
    }

    tell(what) {
      this.text.textContent = what;
    }

    // ---- What the reader does ----

    choose(name, picture) {
      for (const key in this.buttons) this.buttons[key].setAttribute("aria-pressed", key === name);
      this.drawing = name === "drawing";
      this.places[0].classList.toggle("picture-draw", this.drawing);
      this.change({ picture });
      this.tell(this.drawing ? "Draw in the first panel, then train." : ASK);
    }

    async takePhoto() {
      const [file] = this.file.files;
      this.file.value = "";
      if (!file) return;
      try {
        this.choose("photo", await fromPhoto(file));
      } catch {
        this.tell(NO_PICTURE);
      }
    }

    /** Another scale or picture ends a run; results stay as long as the picture stays. */
    change({ scale = this.scale, picture = this.picture }) {
      this.run?.end();
      this.run = null;
      if (picture !== this.picture) this.results = new Map();
      const data = { picture, scale, features: FEATURES };
      Object.assign(this, { scale, picture, target: ringsOf(picture) });
      this.declared = { data, network: NETWORK, training: TRAINING, watch: { series: [], slices: SLICES } };
      this.control.write();
      this.draw();
      this.rest();
      this.tell("Press Train.");
    }

    async train() {
      if (this.control.wrong) return this.control.node.focus();
      if (!this.run || this.run.done) this.run = new Session(this.declared, () => this.parts());
      const { run } = this;
      showBeside(this.go, this.text);
      this.player.pause();
      this.bar.hidden = true;
      sign(this.go, "stop", "Stop");
      this.tell("Training on every second pixel \u2026");
      try {
        if ((await run.train()) && run === this.run) this.ended();
      } catch (error) {
        this.rest();
        this.tell(say("cannot", { reason: error.message }));
      }
    }

    stop() {
      this.run.stop();
      sign(this.go, "play", "Train");
      this.tell(`Stopped at step ${number(this.run.step)}; Train goes on from there.`);
    }

    ended() {
      const { run, scale, results } = this;
      this.rest();
      if (!run.done) return;
      if (run.done === "lost") return this.tell(say("lost"));
      const { f, given } = numbers(run.declared.data, NETWORK.seed);
      const { h } = run.view;
      const result = { given: psnr(h, f, (i) => given[i]), heldOut: psnr(h, f, (i) => !given[i]) };
      results.set(scale, result);
      this.draw();
      this.tell(verdict(scale, result, results));
    }

    rest() {
      sign(this.go, "play", "Train");
      const frames = this.run?.frames.length ?? 0;
      this.bar.hidden = frames < 3;
      if (frames >= 3) this.player.rest(frames);
    }

    showFrame(frame) {
      const { step } = this.run.frames[frame];
      for (const panel of this.panels.slice(1, 3)) panel.showStep(step);
      this.player.slider.setAttribute("aria-valuetext", `step ${number(step)}`);
    }

    // ---- A picture that is drawn with finger or mouse ----

    begin(event) {
      const { canvas } = this.panels[0];
      if (!this.drawing || event.button || event.target !== canvas) return;
      event.preventDefault();
      const paint = ({ clientX, clientY }) => {
        const box = canvas.getBoundingClientRect();
        const [x, y] = [clientX - box.left, clientY - box.top].map((v) => (v / box.width) * SIDE);
        const near = (row, column) => Math.hypot(column + 0.5 - x, row + 0.5 - y) < BRUSH;
        this.change({
          picture: pixels((row, column) => (near(row, column) ? 0 : this.picture[row * SIDE + column])),
        });
      };
      const drop = () => {
        removeEventListener("pointermove", paint);
        for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, drop);
      };
      paint(event);
      addEventListener("pointermove", paint);
      for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, drop);
    }

    // ---- Drawing ----

    draw() {
      return [...this.parts()];
    }

    *parts() {
      const frames = this.run?.frames ?? [];
      const steps = frames.length ? frames.map(({ step }) => step) : [0];
      const outputs = frames.length ? frames.map(shades) : [bytes(pixels(() => 0.5))];
      this.put(0, PicturePanel, picturePanel("picture", [bytes(this.picture)]), [0]);
      this.put(1, PicturePanel, picturePanel("output", outputs), steps);
      yield;
      this.put(2, CurvesPanel, ringsPanel(this.target, frames), steps);
      yield;
      this.put(3, CurvesPanel, scalesPanel(this.results), [0]);
    }

    put(i, Kind, spec, steps) {
      if (this.panels[i]) return this.panels[i].set(spec, steps);
      this.panels[i] = new Kind(this.places[i], spec, steps);
      this.panels[i].layout();
    }
  }

  whenNear(place, () => (window.fpPicture = new PictureLab()));
})();
