// Draws the replay figures of a page from the data that the run left in it: see fpbook.replay.replay. A classic script without
// dependencies, so that it also runs from file:// and inside the output of a notebook. Labs draw with its panels: `fpReplay`.
(() => {
  "use strict";
  const MARGIN = { left: 46, right: 10, top: 6, bottom: 20 };
  const INSETS = ["top", "right", "bottom", "left"].map((side) => `${MARGIN[side] - 1}px`);
  const INSIDE = `inset(${INSETS.join(" ")}) view-box`; // what of a line is seen
  const SVG = "http://www.w3.org/2000/svg";
  const DRAWN = new Set(["svg", "path", "line", "text", "circle", "g"]);
  const LINES = ["-", "--", ":", "="];
  const GHOSTS = { "-": "--", "=": "--", "--": ":", ":": ":", "|": "o", o: "o" }; // of a run that lies under another
  const DASHES = { "--": "6 3", ":": "2 2" };
  const FAR = 1e4; // pixels
  const PLAYED = 6000; // milliseconds in which a run is played
  const LESS_MOTION = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // ---- Elements and numbers ----

  function element(name, parent, attributes) {
    const node = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(node);
    return node;
  }

  /** Pictures that a live figure takes the place of; they stay for print. */
  function setAside(...stills) {
    for (const still of stills) {
      still.classList.add("replay-still");
      still.hidden = true;
    }
  }

  /** Gives a button its text behind a sign, "play", "pause" or "stop", which needs no font. */
  function sign(button, name, text) {
    button.dataset.sign = name;
    button.textContent = text;
  }

  /** The text of a label that holds markup. */
  function plain(html) {
    const node = element("span");
    node.innerHTML = html;
    return node.textContent;
  }

  // Numbers come as base64 of 16-bit (curves) or 8-bit (pictures) integers between lo and hi; log: of the decimal logarithm;
  // gaps: where there is none. Labs hand over plain numbers.
  function unpack(packed) {
    if (!packed.data) return packed;
    const bytes = Uint8Array.from(atob(packed.data), (c) => c.charCodeAt(0));
    if (packed.bits === 8) return bytes;
    const view = new DataView(bytes.buffer);
    const gaps = new Set(packed.gaps);
    return Float64Array.from({ length: bytes.length / 2 }, (_, i) => {
      if (gaps.has(i)) return Number.NaN;
      const value = packed.lo + ((packed.hi - packed.lo) * view.getUint16(2 * i, true)) / 65535;
      return packed.log ? 10 ** value : value;
    });
  }

  /** Three digits, two of a small number. */
  function rounded(value) {
    if (!value) return Number.isNaN(value) ? "" : "0";
    const size = Math.abs(value);
    if (size >= 1e5 || size < 1e-6) return minus(value.toExponential(1).replace("e+", "e"));
    const short = Number(value.toPrecision(size < 1e-3 ? 2 : 3));
    return minus(size < 1e-3 ? short.toFixed(7).replace(/0+$/, "") : String(short));
  }

  const minus = (text) => text.replaceAll("-", "\u2212");

  /** A number as it is read: whole ones whole, others to three digits. */
  function number(value) {
    const whole = Number.isInteger(value) && Math.abs(value) < 1e9;
    return whole ? minus(String(value).replace(/\B(?=(\d{3})+$)/g, ",")) : rounded(value); // Intl is slow
  }

  function nearest(values, value, of = (v) => v) {
    let best = 0;
    values.forEach((v, j) => {
      if (Math.abs(of(v) - value) < Math.abs(of(values[best]) - value)) best = j;
    });
    return best;
  }

  /** Indices of the first value below the threshold, and of that from which all are below it; -1: none. */
  function crossings(values, threshold) {
    const first = values.findIndex((v) => v < threshold);
    let stays = values.length;
    while (stays && values[stays - 1] < threshold) stays--;
    return { first, stays: stays < values.length ? stays : -1 };
  }

  // ---- Axes ----

  /** A function from values to pixels, with its ticks: [value] or, for a power of ten, [value, exponent]. */
  function scale(range, log, from, to) {
    const of = log ? Math.log10 : (v) => v;
    const [lo, hi] = range.map(of);
    const between = (v, low, high) => Math.min(Math.max(v, low), high);
    const place = (v) => from + ((to - from) * (of(v) - lo)) / (hi - lo || 1);
    const at = (v) => place(between(v, ...range));
    at.beyond = (v) => between(place(v), -FAR, FAR); // a line leaves its panel, which cuts it off
    at.ticks = log ? powersOfTen(lo, hi) : [];
    if (log && at.ticks.length < 2) at.ticks = oneTwoFive(range);
    if (at.ticks.length < 2) at.ticks = evenTicks(range, Math.abs(to - from) > 350 ? 7 : 4);
    return at;
  }

  function powersOfTen(lo, hi) {
    const every = Math.ceil((hi - lo) / 6) || 1;
    const ticks = [];
    for (let e = Math.ceil(lo - 1e-9); e <= hi + 1e-9; e += every) ticks.push([10 ** e, e]);
    return ticks;
  }

  /** On a short logarithmic axis: 1, 2 and 5 times powers of ten. */
  function oneTwoFive([a, b]) {
    const first = Math.floor(Math.log10(a));
    const powers = Array.from({ length: 4 }, (_, i) => 10 ** (first + i));
    const values = powers.flatMap((power) => [power, 2 * power, 5 * power]);
    return values.filter((value) => value >= a && value <= b).map((value) => [value]);
  }

  function evenTicks([a, b], most) {
    const rough = (b - a) / most || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const every = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
    const ticks = [];
    for (let j = Math.ceil(a / every - 1e-9); j * every <= b + every * 1e-9; j++) ticks.push([j * every]);
    return ticks;
  }

  function tickText(svg, x, y, anchor, [value, exponent]) {
    const raised = (c) =>
      "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".indexOf(c)];
    const text = element("text", svg, { x, y, "text-anchor": anchor });
    if (exponent === undefined) text.textContent = rounded(Number(value.toPrecision(6)));
    else text.textContent = `10${[...String(exponent)].map(raised).join("")}`;
  }

  // ---- Curves ----

  function pathOf(xs, ys) {
    // where there is no number the line has a gap
    let d = "";
    let to = "M";
    for (let j = 0; j < xs.length; j++) {
      const gap = Number.isNaN(ys[j]);
      if (!gap) d += `${to}${xs[j].toFixed(1)} ${ys[j].toFixed(1)}`;
      to = gap ? "M" : "L";
    }
    return d;
  }

  function marks(xs, ys, style, base) {
    let d = "";
    for (let j = 0; j < xs.length; j++) {
      if (Number.isNaN(ys[j])) continue;
      const [x, y] = [xs[j].toFixed(1), ys[j].toFixed(1)];
      if (style === "|") d += `M${x} ${base}L${x} ${y}`;
      d += `M${x} ${y}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
    }
    return d;
  }

  /** Where values lie in their panel; marks stay inside it. */
  const heights = ({ style }, values, sy) => Array.from(values, LINES.includes(style) ? sy.beyond : sy);

  function trace(node, curve, xs, ys, base) {
    const d = LINES.includes(curve.style) ? pathOf(xs, ys) : marks(xs, ys, curve.style, base);
    node.setAttribute("d", d);
    return d;
  }

  function paint(node, curve) {
    node.style.stroke = curve.color;
    if (!LINES.includes(curve.style) && !curve.hollow) node.style.fill = curve.color;
    if (curve.style in DASHES) node.style.strokeDasharray = DASHES[curve.style];
    if (curve.style === "=") node.classList.add("broad");
  }

  /** The name of a panel and of its curves, those with a name; returns the places of their values. */
  function header(card, spec) {
    const head = element("div", card, { class: "replay-head" });
    element("span", head).innerHTML = spec.ylabel;
    return (spec.curves || []).map((curve) => {
      const key = element("span", curve.name ? head : null, { class: "replay-key" });
      const icon = element("svg", key, { viewBox: "0 0 24 12", "aria-hidden": "true" });
      const swatch = element("path", icon, { class: "curve" });
      paint(swatch, curve);
      trace(swatch, curve, LINES.includes(curve.style) ? [0, 24] : [12], [6, 6], 12);
      element("span", key).innerHTML = curve.name;
      return element("b", key, { class: "value" });
    });
  }

  /** The values of a curve in one frame: of a list of frames, of one long array, or always the same. */
  function valuesAt(curve, frame, n) {
    if (curve.frames) return curve.frames[Math.min(frame, curve.frames.length - 1)];
    return curve.moving ? curve.y.subarray(frame * n, (frame + 1) * n) : curve.y;
  }

  const unpacked = ({ curves }) =>
    curves.map((curve) => ({ ...curve, y: curve.frames ? null : unpack(curve.y) }));

  /** The range of an axis in which all panels have their place. */
  function joint(panels, axis) {
    const all = panels.map((panel) => panel[axis]).filter(Boolean);
    return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  }

  /**
   * Curves over x, or, without x, over the steps, where the pointer moves the step (`seek`). Others, each with a panel and its
   * steps, are laid under it, dashed.
   */
  class CurvesPanel {
    constructor(card, spec, steps, { seek = null, others = [] } = {}) {
      Object.assign(this, { card, seek, frame: 0, shape: null, parts: null });
      this.set(spec, steps, others);
    }

    /** Other numbers, the last frame first; while axes, names and styles stay, only the lines move. */
    set(spec, steps, others = []) {
      this.along = !spec.x;
      this.frame = Number.POSITIVE_INFINITY; // the last one
      Object.assign(this, { spec, steps, x: this.along ? steps : unpack(spec.x), curves: unpacked(spec) });
      this.under = others.flatMap((other) => this.underlying(other));
      const panels = [spec, ...others.map(({ panel }) => panel)];
      this.limits = [joint(panels, "xlim"), joint(panels, "ylim")];
      this.crossed = this.curves.map(
        ({ y }) => this.along && spec.threshold && crossings([...y], spec.threshold),
      );
      const looks = ({ name, style, color }) => [name, style, color];
      const curves = [...this.curves, ...this.under.map(({ curve }) => curve)].map(looks);
      const shape = JSON.stringify([spec.ylabel, spec.xlabel, spec.log, spec.threshold, this.limits, curves]);
      if (shape === this.shape) return this.draw();
      const again = this.shape !== null;
      this.shape = shape;
      this.make();
      if (again) this.layout();
    }

    underlying({ panel, steps }) {
      const x = this.along ? steps : unpack(panel.x);
      const shown = unpacked(panel).filter((curve) => this.along || curve.moving || curve.frames);
      return shown.map((curve) => ({ curve: { ...curve, style: GHOSTS[curve.style] }, x, steps }));
    }

    make() {
      const { card, spec } = this;
      this.parts = null;
      card.replaceChildren();
      this.values = header(card, spec);
      this.svg = element("svg", card, { "aria-hidden": "true" });
      this.foot = element("div", card, { class: "replay-x" });
      this.foot.innerHTML = spec.xlabel;
      card.classList.toggle("wide", this.along);
      card.classList.toggle("seek", this.along && Boolean(this.seek));
      this.svg.addEventListener("pointermove", (event) => this.point(event));
      this.svg.addEventListener("pointerdown", (event) => {
        if (this.along && this.parts && this.seek) this.seek(this.pointed(event));
      });
      this.svg.addEventListener("pointerleave", () => this.forget());
    }

    /** Axes and empty lines in the size that the panel has. */
    layout() {
      const { svg, spec } = this;
      const [width, height] = [svg.clientWidth, svg.clientHeight];
      if (!width) return;
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const [right, base] = [width - MARGIN.right, height - MARGIN.bottom];
      const sx = scale(this.limits[0], spec.log.includes("x"), MARGIN.left, right);
      const sy = scale(this.limits[1], spec.log.includes("y"), base, MARGIN.top);
      this.axes(sx, sy, right, base);
      const line = (kind, curve) => {
        const node = element("path", svg, { class: kind });
        if (LINES.includes(curve?.style)) node.style.clipPath = INSIDE;
        if (curve) paint(node, curve);
        return node;
      };
      const ghosts = this.under.map(({ curve }) => line("curve ghost", curve));
      const lines = this.curves.map((curve) => ({
        now: line("curve", curve),
        later: this.along && line("curve later", curve),
        stays: this.along && line("flag"),
        first: this.along && line("flag first"),
      }));
      const upright = { y1: MARGIN.top, y2: base };
      const now = this.along && element("line", svg, { class: "now", ...upright });
      const read = element("line", svg, { class: "read", ...upright, visibility: "hidden" });
      this.parts = { sx, sy, base, ghosts, lines, now, read };
      this.draw();
    }

    axes(sx, sy, right, base) {
      const { svg, spec } = this;
      const grid = (kind, x1, x2, y1, y2) => element("line", svg, { class: kind, x1, x2, y1, y2 });
      for (const tick of sx.ticks) {
        grid("grid", sx(tick[0]), sx(tick[0]), MARGIN.top, base);
        tickText(svg, sx(tick[0]), base + 14, "middle", tick);
      }
      for (const tick of sy.ticks) {
        grid("grid", MARGIN.left, right, sy(tick[0]), sy(tick[0]));
        tickText(svg, MARGIN.left - 5, sy(tick[0]) + 4, "end", tick);
      }
      if (spec.threshold) grid("threshold", MARGIN.left, right, sy(spec.threshold), sy(spec.threshold));
      element("path", svg, { class: "axis", d: `M${MARGIN.left} ${MARGIN.top}V${base}H${right}` });
    }

    /** All lines; then those of the frame that is shown. */
    draw() {
      if (!this.parts) return;
      const { sx, sy, base, ghosts, lines } = this.parts;
      this.parts.xs = Array.from(this.x, sx);
      this.under.forEach((one, i) => {
        one.xs = Array.from(one.x, sx);
        if (this.along) trace(ghosts[i], one.curve, one.xs, heights(one.curve, one.curve.y, sy), base);
      });
      this.curves.forEach((curve, c) => {
        if (!this.along) return;
        lines[c].whole = trace(lines[c].later, curve, this.parts.xs, heights(curve, curve.y, sy), base);
        this.flag(lines[c], curve, this.crossed[c]);
      });
      this.show(Math.min(this.frame, this.steps.length - 1));
    }

    /** A full flag from where a curve stays below the threshold, an empty one where it was below for the first time. */
    flag({ first, stays }, { color }, crossed) {
      if (!crossed) return;
      const { xs, sy } = this.parts;
      const place = (i) =>
        i < 0 ? "" : `M${xs[i].toFixed(1)} ${sy(this.spec.threshold).toFixed(1)}l-5 -9h10z`;
      stays.setAttribute("d", place(crossed.stays));
      first.setAttribute("d", place(crossed.first < crossed.stays || crossed.stays < 0 ? crossed.first : -1));
      stays.style.fill = color;
      first.style.stroke = color;
    }

    show(frame) {
      this.frame = frame;
      if (!this.parts) return;
      const { sy, sx, base, ghosts, lines, now } = this.parts;
      this.curves.forEach((curve, c) => {
        this.showCurve(lines[c], curve, frame);
        for (const [kind, at] of Object.entries(this.crossed[c] || {}))
          lines[c][kind].style.visibility = at >= 0 && at <= frame ? "visible" : "hidden";
      });
      if (this.along) {
        for (const side of ["x1", "x2"]) now.setAttribute(side, sx(this.steps[frame]));
        this.values.forEach((node, c) => (node.textContent = rounded(this.curves[c].y[frame])));
        return;
      }
      this.under.forEach(({ curve, xs: its, steps }, i) => {
        const values = valuesAt(curve, nearest(steps, this.steps[frame]), its.length);
        trace(ghosts[i], curve, its, heights(curve, values, sy), base);
      });
    }

    /** A curve over the steps is drawn as far as the frame. */
    showCurve({ now, whole }, curve, frame) {
      const { sy, base, xs } = this.parts;
      if (!this.along) {
        const values = valuesAt(curve, frame, this.x.length);
        return trace(now, curve, xs, heights(curve, values, sy), base);
      }
      if (frame === this.steps.length - 1) return now.setAttribute("d", whole);
      trace(now, curve, xs.slice(0, frame + 1), heights(curve, curve.y.slice(0, frame + 1), sy), base);
    }

    /** Shows the frame that is nearest to a step. */
    showStep(step) {
      this.show(nearest(this.steps, step));
    }

    pointed(event) {
      return nearest(this.x, event.clientX - this.svg.getBoundingClientRect().left, this.parts.sx);
    }

    point(event) {
      if (!this.parts) return;
      const j = this.pointed(event);
      if (this.along) {
        if (event.buttons && this.seek) this.seek(j);
        return;
      }
      const { read, sx } = this.parts;
      for (const side of ["x1", "x2"]) read.setAttribute(side, sx(this.x[j]));
      read.setAttribute("visibility", "visible");
      const value = (curve) => valuesAt(curve, this.frame, this.x.length)[j];
      this.values.forEach((node, c) => (node.textContent = rounded(value(this.curves[c]))));
      this.foot.innerHTML = `${this.spec.xlabel} = ${rounded(this.x[j])}`;
    }

    forget() {
      if (this.along || !this.parts) return;
      this.parts.read.setAttribute("visibility", "hidden");
      for (const node of this.values) node.textContent = "";
      this.foot.innerHTML = this.spec.xlabel;
    }

    /** The values of all curves in words, and what of the threshold has happened so far. */
    says(frame) {
      if (!this.along) return "";
      const { spec, steps } = this;
      const one = (curve, c) => {
        const { first, stays } = this.crossed[c] || { first: -1, stays: -1 };
        const come = (at) => at >= 0 && at <= frame;
        const told = [
          come(stays) ? `below ${spec.threshold} from ${number(steps[stays])}` : "",
          come(first) && first !== stays ? `first below ${spec.threshold} at ${number(steps[first])}` : "",
        ].filter(Boolean);
        return `${plain(curve.name)}: ${rounded(curve.y[frame])}${told.length ? ` (${told.join(", ")})` : ""}`;
      };
      return `${plain(spec.ylabel)} \u2014 ${this.curves.map(one).join(", ")}`;
    }

    scales() {
      return this.parts && [this.parts.sx, this.parts.sy];
    }
  }

  /** A picture for each step, or one that stays. */
  class PicturePanel {
    constructor(card, spec, steps = [0]) {
      Object.assign(this, { card, frame: 0 });
      card.classList.add("picture");
      this.head = element("div", card);
      const [rows, columns] = spec.shape;
      this.canvas = element("canvas", card, { width: columns, height: rows, "aria-hidden": "true" });
      this.set(spec, steps);
    }

    set(spec, steps = [0]) {
      const pixels = Array.isArray(spec.image) ? spec.image : unpack(spec.image);
      Object.assign(this, { spec, steps, pixels, palette: unpack(spec.palette) });
      const looks = JSON.stringify([spec.ylabel, spec.curves]);
      if (looks !== this.looks) {
        this.looks = looks;
        this.head.replaceChildren();
        header(this.head, spec);
      }
      this.show(steps.length - 1);
    }

    layout() {}

    show(frame) {
      this.frame = frame;
      const [rows, columns] = this.spec.shape;
      const size = rows * columns;
      const own = Array.isArray(this.pixels) ? this.pixels[Math.min(frame, this.pixels.length - 1)] : null;
      const start = this.spec.moving ? frame * size : 0;
      const shown = own ?? this.pixels.subarray(start, start + size);
      const context = this.canvas.getContext("2d");
      const picture = context.createImageData(columns, rows);
      for (let j = 0; j < size; j++) {
        for (let c = 0; c < 3; c++) picture.data[4 * j + c] = this.palette[3 * shown[j] + c];
        picture.data[4 * j + 3] = 255;
      }
      context.putImageData(picture, 0, 0);
    }

    showStep(step) {
      this.show(nearest(this.steps, step));
    }

    says() {
      return "";
    }
  }

  /** Draws again when the width of the cards changes. */
  function watchWidth(cards, draw) {
    let width = cards.clientWidth;
    new ResizeObserver(() => {
      if (cards.clientWidth === width) return;
      width = cards.clientWidth;
      draw();
    }).observe(cards);
  }

  // ---- Playing ----

  /** A button that plays, and a slider, over frames that `show(frame, quietly)` shows. */
  class Player {
    constructor(controls, label, show) {
      Object.assign(this, { show, frame: 0, last: 0, timer: null });
      this.button = element("button", controls, { type: "button", class: "replay-play" });
      this.slider = element("input", controls, { type: "range", min: 0, "aria-label": label });
      this.button.addEventListener("click", () => {
        if (this.timer === null) return this.play();
        this.pause();
        this.go(this.frame);
      });
      this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
      this.pause();
    }

    /** So many frames from now on. */
    set(count) {
      this.last = count - 1;
      this.slider.max = this.last;
    }

    /** So many frames, the last of which is shown already. */
    rest(count) {
      this.pause();
      this.set(count);
      this.frame = this.last;
      this.slider.value = this.last;
    }

    go(frame, quietly) {
      this.frame = frame;
      this.slider.value = frame;
      this.show(frame, quietly);
    }

    seek(frame) {
      this.pause();
      this.go(frame);
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      sign(this.button, "play", "Play");
    }

    play() {
      if (this.frame === this.last) this.go(0, true);
      sign(this.button, "pause", "Pause");
      const next = () => {
        if (this.frame + 1 >= this.last) this.pause();
        this.go(Math.min(this.frame + 1, this.last), this.timer !== null);
      };
      this.timer = setInterval(next, Math.max(50, PLAYED / (this.last + 1)));
    }
  }

  // ---- A replay of recorded runs ----

  class Replay {
    constructor(script, still) {
      this.data = JSON.parse(script.textContent);
      const { runs, over, at } = this.data;
      this.root = element("div", null, { class: "replay", role: "group", "aria-label": "Replay" });
      this.controls = element("div", this.root, { class: "replay-controls" });
      this.cards = element("div", this.root, { class: "replay-cards" });
      this.text = element("p", this.root, { class: "replay-text", "aria-live": "polite" });
      if (runs.length > 1) this.addChoices();
      this.player = new Player(this.controls, plain(over), (frame, quietly) => this.show(frame, quietly));
      still.before(this.root);
      setAside(still);
      this.choose(0, LESS_MOTION ? at : runs[0].step[0]);
      watchWidth(this.cards, () => this.panels.forEach((panel) => panel.layout()));
      if (!LESS_MOTION) this.playOnceSeen();
    }

    addChoices() {
      const { runs } = this.data;
      this.choice = element("select", this.controls, { "aria-label": "Run" });
      this.under = element("select", this.controls, { "aria-label": "Laid under it, dashed" });
      element("option", this.under).textContent = "no other run";
      for (const { name } of runs) {
        element("option", this.choice).textContent = plain(name);
        element("option", this.under).textContent = `over ${plain(name)}`;
      }
      const again = () => this.choose(this.choice.selectedIndex, this.run.step[this.player.frame]);
      for (const one of [this.choice, this.under]) one.addEventListener("change", again);
    }

    choose(index, step) {
      this.player.pause();
      this.run = this.data.runs[index];
      this.player.set(this.run.step.length);
      this.cards.replaceChildren();
      const other = this.under?.selectedIndex > 0 && this.data.runs[this.under.selectedIndex - 1];
      this.panels = this.run.panels.map((spec, p) => {
        const card = element("div", this.cards, { class: "replay-card" });
        if (spec.image) return new PicturePanel(card, spec, this.run.step);
        const below = other && other !== this.run && other.panels[p]?.curves;
        const others = below ? [{ panel: other.panels[p], steps: other.step }] : [];
        return new CurvesPanel(card, spec, this.run.step, { seek: (i) => this.player.seek(i), others });
      });
      for (const panel of this.panels) panel.layout();
      this.player.go(nearest(this.run.step, step));
    }

    show(frame, quietly) {
      const { run, data, text } = this;
      for (const panel of this.panels) panel.show(frame);
      const where = `${plain(data.over)} ${number(run.step[frame])}`;
      this.player.slider.setAttribute("aria-valuetext", where);
      text.setAttribute("aria-live", quietly ? "off" : "polite");
      const name = data.runs.length > 1 ? `${plain(run.name)}, ` : "";
      const said = this.panels.map((panel) => panel.says(frame)).filter(Boolean);
      text.textContent = `${[`${name}${where} of ${number(run.step.at(-1))}`, ...said].join(". ")}.`;
    }

    /** It plays once by itself, when it is first seen; whoever takes it has it. */
    playOnceSeen() {
      let own = false;
      const seen = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          seen.disconnect();
          own = this.player.timer === null && this.player.frame === 0;
          if (own) this.player.play();
        },
        { threshold: 0.6 },
      );
      const taken = (event) => {
        if (own && event.target !== this.player.button) this.player.pause();
        seen.disconnect();
        own = false;
      };
      for (const kind of ["focusin", "pointerdown"]) this.root.addEventListener(kind, taken);
      seen.observe(this.root.clientHeight > 0.8 * innerHeight ? this.controls : this.root);
    }
  }

  /** Calls `open` when a reader comes near to a node. */
  function whenNear(node, open) {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        open();
      },
      { rootMargin: "800px" },
    );
    near.observe(node);
  }

  function scan() {
    for (const script of document.querySelectorAll("script.replay-data:not([data-seen])")) {
      const still = script.previousElementSibling;
      if (!still) continue;
      script.setAttribute("data-seen", "");
      whenNear(still, () => new Replay(script, still));
    }
  }

  const tools = { element, plain, number, rounded, nearest, crossings, setAside, sign, watchWidth, whenNear };
  window.fpReplay = { ...tools, CurvesPanel, PicturePanel, Player };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scan);
  else scan();
  setTimeout(scan, 300); // a notebook may run the script before it shows the output
})();
