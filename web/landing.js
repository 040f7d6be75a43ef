// The lab of the first page: one network, two widths of its activation, trained where it is read.
(() => {
  "use strict";

  const root = document.querySelector(".landing-lab");
  if (!root) return;
  const { numbers, peaks: peaksOf } = window.fpExperiment;
  const { crossings, number } = window.fpReplay;
  const { Session } = window.fpSession;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  const WIDE = "0.3";
  const NARROW = "0.1";
  const POINTS = 41;
  const HIGHEST = 20;
  const TALLEST = 1.2;
  const THRESHOLD = 0.1;
  const LARGEST = 999999;
  const FIRST = { 1: 1, 3: 1, 5: 1 }; // the target: the amplitude of each sine
  let sizes = FIRST;
  let peaks;
  let x;
  let y;
  let fine;
  let f;
  const declared = (a, seed) => ({
    data: { points: POINTS, low: -Math.PI, high: Math.PI, shift: 0.5, sines: sizes, fine: 201 },
    network: {
      hidden: [64, 64, 64],
      activation: "ricker",
      a: Number(a),
      start: "normal",
      std: 1 / 8,
      antisymmetric: true,
      seed,
    },
    training: { name: "adam", lr: 1e-3, steps: 3000, stop: 1e-3 },
    watch: { series: ["frequencies"], bars: HIGHEST },
  });

  // ---- The controls and the panels ----

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  const symbol = (name) => make("i", {}, name);
  const key = (kind, ...words) =>
    make(
      "span",
      { class: "landing-key" },
      make("span", { class: `landing-swatch ${kind}`, "aria-hidden": "true" }),
      ...words,
    );
  const radio = (value, word) =>
    make(
      "label",
      {},
      make("input", { type: "radio", name: "landing-a", value }),
      make("span", {}, `${word}, `, symbol("a"), ` = ${value}`),
    );

  const train = make("button", { type: "submit", class: "landing-train" }, "Train");
  const reset = make("button", { type: "button" }, "Reset");
  const width = make(
    "fieldset",
    {},
    make("legend", {}, "Activation"),
    radio(WIDE, "wide"),
    radio(NARROW, "narrow"),
  );
  const seed = make("input", {
    type: "number",
    min: 0,
    max: LARGEST,
    step: 1,
    value: 0,
    required: "",
    inputmode: "numeric",
  });
  const between = make("input", { type: "checkbox" });
  const controls = make(
    "form",
    { class: "landing-controls", novalidate: "", "aria-label": "The experiment" },
    train,
    reset,
    width,
    make("label", {}, "Seed", seed),
    make("label", {}, between, "show between the points"),
  );
  const sliders = make("div", { class: "landing-sliders" });
  const more = make("input", {
    type: "number",
    min: 1,
    max: HIGHEST,
    step: 1,
    value: 8,
    inputmode: "numeric",
  });
  const add = make("button", { type: "button" }, "Add a sine");
  const target = make(
    "details",
    { class: "landing-target" },
    make("summary", {}, "Change the target"),
    make(
      "div",
      { class: "landing-controls" },
      sliders,
      make("label", {}, "frequency ", symbol("k"), more),
      add,
    ),
  );
  const say = make("p", { class: "landing-say", role: "status" });
  const panels = make("div", { class: "landing-panels" });

  const NS = "http://www.w3.org/2000/svg";
  function panel(label, name, ...head) {
    const svg = document.createElementNS(NS, "svg");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    panels.append(
      make("div", { class: `landing-panel ${name}` }, make("p", { class: "landing-head" }, ...head), svg),
    );
    return svg;
  }
  const curves = panel(
    "Target, training points and output of the network against x",
    "",
    key("target", "target"),
    key("points", "41 points"),
    key("network", "network"),
  );
  const spectrum = panel(
    "Height of each frequency k: rings for the target, bars for the network",
    "",
    key("ring", "target: drag it"),
    key("bar", "network, by frequency ", symbol("k")),
  );
  const before = make("span", { class: "landing-key" });
  const keys = make("span", { class: "landing-head" });
  const errors = panel(
    "Relative error at each frequency of the target against the training step, both axes logarithmic",
    "wide",
    "relative error at ",
    keys,
    before,
  );
  let times = [];

  const live = make("div", { class: "landing-live", "data-state": "ready" }, controls, say, panels, target);
  for (const still of root.children) {
    still.classList.add("landing-still");
    still.hidden = true;
  }
  root.prepend(live);

  // ---- The run: its session, and what is left of the run before ----

  let a = WIDE;
  let run = null;
  let ghost = null;
  let ended = null;

  const rowsNow = () => run?.rows ?? [];
  const view = () => run?.frames.at(-1);
  const meanSquare = (h, g) => h.reduce((sum, v, i) => sum + (v - g[i]) ** 2, 0) / h.length;

  /** The steps from which the error of a peak stays below the threshold, and where it is first below it; null: none. */
  function fitted(i) {
    const { first, stays } = crossings(
      rowsNow().map((row) => row[i + 1]),
      THRESHOLD,
    );
    const stepAt = (at) => (at < 0 ? null : run.rows[at][0]);
    return { step: stepAt(stays), first: stepAt(first) };
  }

  function clear() {
    if (rowsNow().length > 1) ghost = { a, rows: run.rows, peaks, error: ended?.between }; // what was stopped stays too
    run?.end();
    [run, ended] = [null, null];
    show("ready");
    tell("Which frequency will the network find first? Guess, then press Train.");
  }

  function show(state) {
    live.dataset.state = state;
    train.textContent = state === "training" ? "Stop" : "Train";
    draw();
  }

  function tell(...words) {
    say.replaceChildren(...words);
  }

  async function go() {
    if (ended) clear();
    run ??= new Session(declared(a, Number(seed.value)), draw);
    const mine = run;
    tell("Training …");
    show("training");
    if ((await mine.train()) && mine === run && run.done) finish();
  }

  function stop() {
    run.stop();
    const last = rowsNow().at(-1);
    const done = peaks.filter((_k, i) => last && last[i + 1] < THRESHOLD);
    const list = done.length ? `k = ${done.join(", ")}` : "nothing";
    tell(`Stopped at step ${run.step}. Fitted so far: ${list}. Train goes on from here.`);
    show("stopped");
  }

  function finish() {
    ended = { t: peaks.map((_k, i) => fitted(i)), between: meanSquare(view().h, f) };
    summary();
    show(run.done);
  }

  /** Where a peak was below the threshold for the first time, if that was earlier. */
  function firstTime(i) {
    const { first, step } = ended.t[i];
    return first === step ? "" : ` (first below ${THRESHOLD} at step ${first})`;
  }

  function summary() {
    if (run.done === "lost") return tell("The training has diverged; try another seed.");
    if (run.done === "long") return tell(`Not fitted after ${run.step} steps.`);
    const { between: error } = ended;
    const t = ended.t.map(({ step }) => step);
    const few = (v) => number(Number(v.toPrecision(2)));
    const reached = t.every((step) => step !== null);
    const several = reached && t.length > 1;
    const ordered = several && t.every((step, i) => !i || step > t[i - 1]) && t[t.length - 1] > 2 * t[0];
    const together = several && Math.max(...t) < 2 * Math.min(...t);
    const words = [make("b", {}, ordered ? "One after the other: " : together ? "All together: " : "")];
    peaks.forEach((k, i) =>
      words.push(
        i ? ", " : "",
        make(
          "span",
          { class: "landing-key" },
          symbol("k"),
          ` = ${k} at step ${t[i] ?? "none"}${firstTime(i)}`,
        ),
      ),
    );
    words.push(`. Error on the points ${few(run.loss)}, `, make("b", {}, `between them ${few(error)}`), ".");
    if (ghost?.error !== undefined && ghost.a !== a)
      words.push(" The run before, with ", symbol("a"), ` = ${ghost.a}: ${few(ghost.error)} between them.`);
    if (!between.checked) words.push(" See it: show between the points.");
    tell(...words);
  }

  const kind = (k) =>
    k in FIRST ? `k${k}` : `other${peaks.filter((one) => !(one in FIRST)).indexOf(k) % 6}`;

  // ---- Drawing, in pixels ----

  const plot = document.createElementNS(NS, "g");
  const rings = document.createElementNS(NS, "g"); // a ring stays while it is dragged
  spectrum.append(plot, rings);

  function canvas(svg, height, into = svg) {
    const w = Math.max(200, svg.clientWidth || 340);
    svg.setAttribute("viewBox", `0 0 ${w} ${height}`);
    svg.setAttribute("height", height);
    into.replaceChildren();
    return w;
  }
  function mark(svg, tag, attributes, words) {
    const node = document.createElementNS(NS, tag);
    for (const name in attributes) node.setAttribute(name, attributes[name]);
    if (words !== undefined) node.textContent = words;
    svg.append(node);
  }
  const line = (xs, ys) => `M${Array.from(xs, (v, i) => `${v.toFixed(1)} ${ys[i].toFixed(1)}`).join("L")}`;

  function drawCurves() {
    const w = canvas(curves, 180);
    const px = (v) => 24 + ((v + Math.PI) / (2 * Math.PI)) * (w - 34);
    const top = Math.max(3, ...f.map(Math.abs));
    const py = (v) => 82 - (Math.max(-top, Math.min(top, v)) / top) * 75;
    for (const v of [-2, 0, 2]) {
      mark(curves, "path", { class: "grid", d: `M24 ${py(v)}H${w - 10}` });
      mark(curves, "text", { x: 20, y: py(v) + 4, "text-anchor": "end" }, String(v).replace("-", "−"));
    }
    for (const [v, word] of [
      [-Math.PI, "−π"],
      [0, "0"],
      [Math.PI, "π"],
    ])
      mark(curves, "text", { x: px(v), y: 174, "text-anchor": "middle" }, word);
    mark(curves, "path", { class: "line target", d: line(Array.from(fine, px), Array.from(f, py)) });
    const [at, h] = between.checked
      ? [fine, view()?.h ?? fine.map(() => 0)]
      : [x, view()?.at ?? x.map(() => 0)];
    mark(curves, "path", { class: "line network", d: line(Array.from(at, px), Array.from(h, py)) });
    x.forEach((v, i) => mark(curves, "circle", { class: "points", cx: px(v), cy: py(y[i]), r: 2.2 }));
  }

  const base = 156;
  const unit = 118; // pixels of amplitude 0 and 1 of the spectrum

  function drawSpectrum() {
    const w = canvas(spectrum, 180, plot);
    const step = (w - 34) / (HIGHEST + 1);
    const px = (k) => 24 + (k + 0.5) * step;
    const py = (v) => base - Math.min(TALLEST, v) * unit;
    for (const v of [0, 0.5, 1]) {
      mark(plot, "path", { class: v ? "grid" : "axis", d: `M24 ${py(v)}H${w - 10}` });
      mark(plot, "text", { x: 20, y: py(v) + 4, "text-anchor": "end" }, v);
    }
    for (let k = 0; k <= HIGHEST; k++) {
      const height = view()?.bars[k] ?? 0;
      const peak = peaks.includes(k);
      mark(plot, "rect", {
        class: `bar${peak ? ` ${kind(k)}` : ""}`,
        x: px(k) - step * 0.32,
        width: step * 0.64,
        y: py(height),
        height: base - py(height),
      });
      if (peak || (k && k % 10 === 0 && !peaks.includes(k - 1)))
        mark(plot, "text", { x: px(k), y: 174, "text-anchor": "middle" }, k);
    }
    while (rings.children.length > Object.keys(sizes).length) rings.lastChild.remove();
    Object.keys(sizes).forEach((k, i) => {
      if (!rings.children[i]) mark(rings, "circle", { class: "ring", r: 7 });
      rings.children[i].setAttribute("cx", px(Number(k)));
      rings.children[i].setAttribute("cy", py(sizes[k]));
    });
  }

  function drawErrors() {
    const w = canvas(errors, 190);
    const rows = rowsNow();
    const last = Math.max(300, ...rows.map((row) => row[0]), ...(ghost?.rows ?? []).map((row) => row[0]));
    const px = (t) => 34 + (Math.log10(t) / Math.log10(last)) * (w - 46);
    const py = (v) => 14 + Math.min(1, -Math.log10(Math.min(2, Math.max(v, 1e-9)) / 2) / 2.5) * 150;
    for (const v of [1, 0.1, 0.01]) {
      mark(errors, "path", { class: v === THRESHOLD ? "threshold" : "grid", d: `M34 ${py(v)}H${w - 12}` });
      mark(errors, "text", { x: 30, y: py(v) + 4, "text-anchor": "end" }, v);
    }
    for (let t = 1; t <= last; t *= 10)
      mark(errors, "text", { x: px(t), y: 184, "text-anchor": "middle" }, t === 1 ? "step 1" : t);
    const all = (from, name, its) =>
      its.forEach((k, i) => {
        const after = from.filter((row) => row[0] > 0);
        if (after.length > 1)
          mark(errors, "path", {
            class: `line ${name} ${kind(k)}`,
            d: line(
              after.map((row) => px(row[0])),
              after.map((row) => py(row[i + 1])),
            ),
          });
      });
    if (ghost) all(ghost.rows, "ghost", ghost.peaks);
    all(rows, "now", peaks);
    peaks.forEach((k, i) => {
      // a mark on the threshold; its step stands in the legend
      const t = ended?.t[i].step ?? null;
      times[i].textContent = t === null ? "" : `: step ${t}`;
      if (!t) return;
      mark(errors, "path", { class: `mark ${kind(k)}`, d: `M${px(t)} ${py(THRESHOLD)}V164` });
      mark(errors, "circle", { class: `mark ${kind(k)}`, cx: px(t), cy: py(THRESHOLD), r: 4 });
    });
    before.replaceChildren(
      ...(ghost
        ? [
            make("span", { class: "landing-swatch ghost", "aria-hidden": "true" }),
            "the run before, ",
            symbol("a"),
            ` = ${ghost.a}`,
          ]
        : []),
    );
  }

  function draw() {
    drawCurves();
    drawSpectrum();
    drawErrors();
  }

  // ---- What the reader does; width, seed and target stand in the address ----

  const valid = (text) => /^\d+$/.test(text) && Number(text) <= LARGEST;

  // The reason why there is no sine of this frequency; "" if there is one.
  function refused(k) {
    if (!Number.isInteger(k) || k < 1) return `A frequency is a whole number from 1 to ${HIGHEST}.`;
    const rest = k % POINTS;
    const alias = Math.min(rest, POINTS - rest);
    return k > HIGHEST
      ? `${POINTS} points cannot tell k = ${k} from ${alias}: the highest frequency is ${HIGHEST}.`
      : "";
  }

  function refuse() {
    const bad = !valid(seed.value);
    seed.toggleAttribute("aria-invalid", false);
    if (bad) {
      seed.setAttribute("aria-invalid", "true");
      tell(`A seed is a whole number from 0 to ${LARGEST.toLocaleString("en")}.`);
    } else if (!peaks.length) tell("The target is zero: raise one of its sines.");
    return bad || !peaks.length;
  }

  const written = (these) =>
    Object.keys(these)
      .filter((k) => these[k])
      .map((k) => `${k}:${these[k]}`)
      .join(",");

  function changed() {
    clear();
    if (!refuse())
      history.replaceState(
        null,
        "",
        `#a=${a}&seed=${Number(seed.value)}${written(sizes) === written(FIRST) ? "" : `&f=${written(sizes)}`}`,
      );
  }

  // Another target: its numbers, its sliders, its legend.
  function aim(these) {
    sizes = these;
    peaks = peaksOf({ sines: sizes });
    if (ghost && !same(ghost.peaks, peaks)) ghost = null; // no comparison any more
    ({ x, y, fine, f } = numbers(declared(a, 0).data, 0));
    times = peaks.map(() => make("span"));
    keys.replaceChildren(...peaks.map((k, i) => key(kind(k), symbol("k"), ` = ${k}`, times[i])));
    if (
      Object.keys(sizes).join() !== [...sliders.querySelectorAll("input")].map((slider) => slider.name).join()
    ) {
      sliders.replaceChildren(
        ...Object.keys(sizes).map((k) => {
          const slider = make("input", { type: "range", name: k, min: 0, max: TALLEST, step: 0.1 });
          slider.addEventListener("input", () => raise(k, Number(slider.value)));
          return make("label", {}, make("span", {}, "sine of ", symbol("k"), ` = ${k}`), slider);
        }),
      );
    }
    for (const slider of sliders.querySelectorAll("input")) slider.value = sizes[slider.name];
  }

  function raise(k, size) {
    clear();
    aim({ ...sizes, [k]: Math.round(10 * Math.max(0, Math.min(TALLEST, size))) / 10 });
    changed();
  }

  function readTarget(text) {
    const pairs = text.split(",").map((pair) => pair.split(":").map(Number));
    const why = pairs.map(([k]) => refused(k)).find(Boolean);
    if (why || pairs.some((pair) => pair.length !== 2 || !(pair[1] > 0 && pair[1] <= TALLEST)))
      throw new Error(why || `An amplitude is a number up to ${TALLEST}.`);
    return Object.fromEntries(pairs);
  }

  function readAddress() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (!["a", "seed", "f"].some((name) => state.has(name))) return;
    try {
      const asked = state.get("a") ?? a;
      const number = state.get("seed") ?? "0";
      const these = state.has("f") ? readTarget(state.get("f")) : FIRST;
      if (![WIDE, NARROW].includes(asked)) throw new Error(`The width is ${WIDE} or ${NARROW}.`);
      if (!valid(number))
        throw new Error(`A seed is a whole number from 0 to ${LARGEST.toLocaleString("en")}.`);
      if (asked === a && Number(number) === Number(seed.value) && written(these) === written(sizes)) return;
      seed.value = Number(number);
      clear();
      aim(these);
      choose(asked);
      draw();
    } catch (error) {
      tell("The address of this page holds values that do not fit. ", error.message);
    }
  }

  function choose(value) {
    a = value;
    width.querySelector(`[value="${a}"]`).checked = true;
  }

  // A ring follows mouse or finger, up and down.
  rings.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // the page stays where it is
  rings.addEventListener("pointerdown", (event) => {
    const k = Object.keys(sizes)[[...rings.children].indexOf(event.target)];
    if (!k || event.button) return;
    event.preventDefault();
    const box = spectrum.getBoundingClientRect();
    const drag = (moved) => raise(k, (base - (moved.clientY - box.top)) / unit);
    const drop = () => {
      for (const kind of ["pointermove", "pointerup", "pointercancel"])
        removeEventListener(kind, kind === "pointermove" ? drag : drop);
    };
    addEventListener("pointermove", drag);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  });
  add.addEventListener("click", () => {
    const k = more.value === "" ? NaN : Number(more.value);
    const why = refused(k);
    more.toggleAttribute("aria-invalid", false);
    if (!why) return raise(k, sizes[k] || 1);
    more.setAttribute("aria-invalid", "true");
    tell(why);
  });
  train.addEventListener("click", (event) => {
    if (event.detail > 1) event.preventDefault(); // a double click is one click
  });
  controls.addEventListener("submit", (event) => {
    event.preventDefault();
    if (run?.running) stop();
    else if (refuse()) seed.focus();
    else go();
  });
  reset.addEventListener("click", () => {
    clear();
    ghost = null;
    seed.value = 0;
    choose(WIDE);
    aim(FIRST);
    changed();
  });
  width.addEventListener("change", (event) => {
    clear();
    choose(event.target.value);
    changed();
  });
  seed.addEventListener("change", changed);
  between.addEventListener("change", () => {
    drawCurves();
    if (ended) summary();
  });
  window.addEventListener("hashchange", readAddress);
  let wide = 0;
  new ResizeObserver(() => {
    if (wide !== panels.clientWidth) {
      wide = panels.clientWidth;
      draw();
    }
  }).observe(panels);
  choose(a);
  aim(FIRST);
  clear();
  readAddress();
})();
