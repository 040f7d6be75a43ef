// The frequency playground: a target that the reader draws, a network that trains on it here (trainer.js), its panels (replay.js).
// What can be chosen, the lessons and their numbers stand in lessons.js.
(() => {
  "use strict";
  const root = document.querySelector(".playground"),
    trainer = window.fpTrainer;
  if (!root || !trainer || !window.fpLessons) return;
  const { element, panel, number } = window.fpReplay;
  const {
    FINE,
    HEIGHTS,
    NODES,
    THRESHOLD,
    CONTROLS,
    ALL,
    KEPT,
    LESSONS,
    READ,
    check,
    column,
    declared,
    end,
    few,
    fitted,
    followed,
    goal,
    height,
    steps,
    verdict,
  } = window.fpLessons;

  const PI = Math.PI,
    BARS = 20,
    TOP = 3.2,
    HERE = "#try?",
    KS = Float64Array.from({ length: BARS + 1 }, (_, k) => k);
  const COLORS = [
    "#56b4e9",
    "#0072b2",
    "#cc79a7",
    "#d55e00",
    "#e69f00",
    "#009e73",
    "#7f0000",
    "#332288",
    "#999933",
    "#44aa99",
    "#882255",
    "#6f4e37",
    "#000000",
  ];
  const GOAL = "#777777",
    OUTPUT = "#b0558a",
    REST = "#7a8b99";
  const color = (k) => COLORS[k % COLORS.length],
    name = (k) => `<i>k</i> = ${k}`;
  const clamp = (v, top = TOP) => Math.max(-top, Math.min(top, v)),
    round = (v, by = 100) => Math.round(by * v) / by;

  // ---- The page: lessons, buttons, panels, forecast, controls ----

  for (const still of root.children) {
    still.classList.add("play-still");
    still.hidden = true;
  }
  const live = element("div", root, { class: "replay lab play", role: "group", "aria-label": "Playground" });
  function button(parent, text, act, attributes = {}) {
    const node = element("button", parent, { type: "button", ...attributes });
    node.textContent = text;
    node.addEventListener("click", act);
    return node;
  }
  const list = element("div", live, {
      class: "replay-controls play-lessons",
      role: "group",
      "aria-label": "Lessons",
    }),
    chosen = {};
  for (const key in LESSONS) chosen[key] = button(list, LESSONS[key].title, () => choose(key));
  const look = element("p", live, { class: "play-look" });
  const bar = element("div", live, { class: "replay-controls play-bar" });
  const go = button(bar, "\u25b6\ufe0e Train", () => (running ? pause() : train()), { class: "lab-train" });
  button(bar, "Step", () => {
    pause();
    train(1);
  });
  button(bar, "Reset", reset);
  const text = element("p", live, { class: "replay-text", "aria-live": "polite" });
  const cards = element("div", live, { class: "replay-cards" }),
    card = () => element("div", cards, { class: "replay-card" });
  const curves = card(),
    spectrum = card(),
    errors = card(),
    squares = card();
  curves.classList.add("play-draw");
  const legend = element("p", live, { class: "lab-past" });
  const table = element("table", element("div", live, { class: "play-forecast" }));
  const form = element("div", live, { class: "play-choose" });

  const inputs = {};
  const heights = group("Target: height of each sine"),
    sliders = element("div", heights, { class: "play-heights" });
  for (let k = 1; k <= HEIGHTS; k++) {
    const label = element("label", sliders),
      node = element("input", label, {
        type: "range",
        min: 0,
        max: 1.5,
        step: 0.05,
        orient: "vertical",
        "aria-label": `height of frequency ${k}`,
      });
    element("span", label, { "aria-hidden": "true" }).textContent = k;
    node.addEventListener("input", () => {
      const sines = { ...now.sines, [k]: Number(node.value) };
      if (!sines[k]) delete sines[k];
      change({ sines });
    });
    inputs[`height ${k}`] = {
      write: () => {
        node.value = now.sines[k] ?? 0;
      },
    };
  }
  const draws = element("p", heights, { class: "play-draws" });
  draws.append("Or draw in the first panel. ");
  button(draws, "Clear the target", () => change({ sines: {}, drawn: null }));
  for (const title in CONTROLS) {
    const box = group(title);
    for (const key in CONTROLS[title]) input(box, key, CONTROLS[title][key]);
  }

  function group(title) {
    const box = element("fieldset", form);
    element("legend", box).textContent = title;
    return box;
  }

  function input(box, key, { label: title, options, low, high, step }) {
    const label = element("label", box),
      node = element(
        options ? "select" : "input",
        label,
        options
          ? {}
          : low === undefined
            ? { type: "checkbox" }
            : { type: "number", min: low, max: high, step, inputmode: "decimal" },
      );
    label.prepend(`${title} `);
    for (const option in options) element("option", node).textContent = option;
    const read = () =>
      options
        ? Object.values(options)[node.selectedIndex]
        : low === undefined
          ? node.checked
          : node.value === ""
            ? NaN
            : Number(node.value);
    const take = () => {
      try {
        const value = check(key, read());
        node.removeAttribute("aria-invalid");
        change({ [key]: value });
      } catch (error) {
        pause();
        node.setAttribute("aria-invalid", "true");
        say(`Please choose again: ${error.message}.`);
      }
    };
    node.addEventListener("change", take);
    inputs[key] = {
      node,
      take,
      write: () => {
        if (options) node.selectedIndex = Object.values(options).indexOf(now[key]);
        else if (low === undefined) node.checked = now[key];
        else node.value = now[key];
        node.removeAttribute("aria-invalid");
        if (key === "a") label.hidden = now.activation !== "ricker";
      },
    };
  }

  // ---- Runs ----

  let now,
    lesson,
    run,
    ghost = null,
    session = null,
    running = false,
    plan = null,
    drawn = 0,
    late = 0;

  const frame = () => new Promise(requestAnimationFrame);
  const say = (what) => {
    text.textContent = what;
  };

  function clear(keep = true) {
    running = false;
    session?.end();
    if (run && run.rows.length > 1 && keep) ghost = run;
    [session, run, plan] = [null, null, null];
  }

  // New values end a run; what it reached stays, dashed.
  function change(values, from = null) {
    clear();
    const kept = from !== null || Object.keys(values).every((key) => key === "seed");
    lesson = from ?? (kept ? lesson : null);
    now = { ...now, ...values };
    write();
    address();
    say("Press Train.");
  }

  function write() {
    for (const key in inputs) inputs[key].write();
    for (const key in chosen) chosen[key].setAttribute("aria-pressed", key === lesson);
    look.textContent = lesson
      ? LESSONS[lesson].look
      : "Your own experiment: which frequency will come first?";
    go.textContent = "\u25b6\ufe0e Train";
    live.dataset.state = "ready";
    draw();
  }

  function choose(key) {
    clear(false);
    ghost = null;
    now = { ...KEPT };
    change(LESSONS[key].values, key);
    say("Guess, then press Train.");
  }

  function reset() {
    clear(false);
    ghost = null;
    write();
    say("Guess, then press Train.");
  }

  function pause() {
    if (!running) return;
    running = false;
    go.textContent = "\u25b6\ufe0e Train";
    live.dataset.state = "stopped";
    say(stopped());
    draw();
  }

  function stopped() {
    return `Stopped at step ${number(run.step ?? 0)}; Train goes on from there.`;
  }

  // With a lesson its sentence is said at the end.
  function begin(settings, its) {
    session?.end();
    session = trainer.start(declared(settings));
    run = { now: settings, follow: followed(settings), rows: [], times: [], lesson: its };
    say(plan.length ? "Training first what this is compared with \u2026" : "Training \u2026");
  }

  const wrong = () => Object.values(inputs).find(({ node }) => node?.hasAttribute("aria-invalid"));

  async function train(most) {
    if (wrong()) {
      // once more with the reason
      wrong().take();
      return wrong().node.focus();
    }
    if (!run || run.done) {
      const { before } = LESSONS[lesson] ?? {}; // a run begun by Step has none that goes before, and so shows no such lesson
      clear();
      plan = [...(before && !most ? [{ ...now, ...before }] : []), now];
      begin(plan.shift(), before ? null : lesson);
    } else if (!most) say("Training \u2026");
    running = true;
    if (!most) go.textContent = "\u23f8\ufe0e Stop";
    live.dataset.state = "training";
    const mine = (train.last = {}); // a second call takes over from the first
    await frame();
    while (running && train.last === mine) {
      if (!run.forecast) {
        const asked = session,
          { forecast } = await asked.ask({ forecast: true });
        if (asked !== session) return;
        run.forecast = forecast.slice(0, run.follow.length);
        await frame(); // no task does two things, so that none is long
        continue;
      }
      const asked = session,
        report = await asked.ask(most ? { most } : {});
      if (asked !== session) return;
      run.rows.push(...report.fresh);
      Object.assign(run, { h: report.h, at: report.at, done: report.done, step: report.step });
      if (report.done || most) running = false;
      if (report.done && report.done !== "lost" && plan.length) next();
      await frame(); // a hidden page draws nothing, and so waits
      if (train.last !== mine || !run) return;
      if (running && performance.now() - drawn > 80) {
        draw();
        await frame();
      }
    }
    if (train.last !== mine || !run) return;
    go.textContent = "\u25b6\ufe0e Train";
    if (run.done) finish();
    else {
      live.dataset.state = "stopped";
      draw();
      if (!wrong()) say(most ? `Step ${number(run.step ?? 0)}.` : stopped()); // the steps that were under way when Stop was pressed count
    }
  }

  function next() {
    // the run to compare with is over, the lesson's own begins
    fitted(run);
    ghost = run;
    begin(plan.shift(), lesson);
    running = true;
  }

  function finish() {
    fitted(run);
    draw();
    live.dataset.state = run.done;
    if (run.done === "lost")
      return say("The loss is no longer finite: the learning rate is too large for this network.");
    const how =
      run.done === "fitted"
        ? `Fitted after ${number(run.step)} steps.`
        : `Trained for ${number(run.step)} steps.`;
    if (!run.lesson)
      return say(
        `${how} ${run.follow.length ? `Frequencies fitted: ${steps(run)}. ` : ""}Error at the points ${few(end(run, "training"))}, on the whole interval ${few(end(run, "between"))}.`,
      );
    const [what, shown] = LESSONS[run.lesson].said(run, ghost);
    live.dataset.shown = shown;
    say(`${how} ${what}${shown ? "" : " This run does not show the lesson."}`);
  }

  // ---- Drawing ----

  function draw() {
    drawn = performance.now();
    const shown = run ?? { now, rows: [], follow: followed(now), times: [] },
      before = ghost,
      waiting = [];
    const f = goal(shown.now),
      data = trainer.numbers(declared(shown.now).data, shown.now.seed);
    const curve = (name, style, color, y, moving = false) => ({
      name,
      style,
      color,
      y: Float64Array.from(y),
      moving,
    });
    const show = (card, spec, at = [0], others = []) => {
      card.replaceChildren();
      const one = panel(card, { log: "", ...spec }, at, null, others);
      card.panel = one;
      waiting.push(() => {
        one.layout();
        one.show(at.length - 1);
      });
    };

    // Target and output are drawn at all points; between the fine ones the target keeps its value.
    const xs = Float64Array.from([...FINE, ...data.x]),
      order = [...xs.keys()].sort((a, b) => xs[a] - xs[b]);
    const both = (fine, at) => order.map((i) => (i < FINE.length ? fine[i] : at[i - FINE.length]));
    const label = order.map((i) => (i < FINE.length ? NaN : clamp(data.y[i - FINE.length]))),
      nan = data.x.map(() => NaN);
    const filled = (values) => {
      let last = values.find((v) => !Number.isNaN(v));
      return values.map((v) => (last = Number.isNaN(v) ? last : clamp(v)));
    };
    const lines = [curve("target", "=", GOAL, filled(both(f, nan))), curve("labels", "o", "#000000", label)];
    if (shown.h)
      lines.push(
        curve(
          "output",
          "-",
          OUTPUT,
          both(shown.h, shown.at).map((v) => clamp(v)),
        ),
      );
    const x = Float64Array.from(order, (i) => xs[i]);
    show(
      curves,
      { ylabel: "", xlabel: "<i>x</i>", x, xlim: [-PI, PI], ylim: [-TOP, TOP], curves: lines },
      [0],
      before?.h
        ? [
            {
              panel: {
                x: FINE,
                curves: [
                  curve(
                    "",
                    "-",
                    OUTPUT,
                    before.h.map((v) => clamp(v)),
                    true,
                  ),
                ],
              },
              steps: [0],
            },
          ]
        : [],
    );

    const sizes = [...KS].map((k) => height(f, k)),
      out = shown.h ? [...KS].map((k) => height(shown.h, k)) : [...KS].map(() => 0),
      top = Math.max(1.3, 1.1 * Math.max(...sizes));
    const bars = [
      curve("target", "o", "#000000", sizes),
      curve(
        "output",
        "|",
        REST,
        out.map((v, k) => (shown.follow.includes(k) ? NaN : Math.min(v, top))),
      ),
    ];
    shown.follow.forEach((k) =>
      bars.push(
        curve(
          "",
          "|",
          color(k),
          out.map((v, j) => (j === k ? Math.min(v, top) : NaN)),
        ),
      ),
    );
    show(spectrum, {
      ylabel: "spectrum: ",
      xlabel: "frequency <i>k</i>",
      x: KS,
      xlim: [-0.5, BARS + 0.5],
      ylim: [0, top],
      curves: bars,
    });

    const far = Math.max(100, ...[shown, before].map((one) => one?.rows.at(-1)?.[0] ?? 0));
    const over = (card, ylabel, ylim, make, threshold) => {
      const rows = shown.rows.length ? shown.rows : [[1, ...Array(shown.follow.length + 2).fill(Infinity)]]; // nothing yet
      show(
        card,
        {
          ylabel,
          xlabel: "step",
          log: "xy",
          xlim: [1, far],
          ylim,
          threshold,
          curves: make({ ...shown, rows }),
        },
        rows.map((row) => row[0]),
        before ? [{ panel: { curves: make(before) }, steps: before.rows.map((row) => row[0]) }] : [],
      );
      if (!shown.rows.length)
        waiting.push(() =>
          card.querySelectorAll(".value").forEach((value) => {
            value.textContent = "";
          }),
        );
    };
    over(
      errors,
      "relative error \u0394<sub>F</sub>: ",
      [5e-3, 3],
      (one) => one.follow.map((k) => curve(name(k), "-", color(k), column(one, k), true)),
      THRESHOLD,
    );
    over(squares, "squared error: ", [1e-4, 5], (one) => [
      curve("at the points", "-", GOAL, column(one, "training"), true),
      curve("on the whole interval", "-", OUTPUT, column(one, "between"), true),
    ]);
    waiting.forEach((place) => place());
    legend.textContent = before ? `Dashed: the run before, ${difference(before.now)}.` : "";
    forecasts(shown);
  }

  function difference(old) {
    const words = Object.keys(ALL)
      .filter((key) => old[key] !== now[key])
      .map((key) => {
        const { label, options } = ALL[key],
          value = old[key];
        return `${label} ${options ? Object.keys(options).find((one) => options[one] === value) : typeof value === "boolean" ? (value ? "on" : "off") : number(value)}`;
      });
    if (JSON.stringify([old.sines, old.drawn]) !== JSON.stringify([now.sines, now.drawn]))
      words.unshift("another target");
    return words.join(", ") || "with the same settings";
  }

  function forecasts(one) {
    if (one.rows.length) fitted(one);
    const top = Math.max(...(one.forecast ?? [])),
      place = (values, i, sign) => `${1 + values.filter((v) => sign * v > sign * values[i]).length}.`;
    const row = (cells, tag) => {
      const line = element("tr", table);
      cells.forEach((cell, i) => {
        element(
          i ? tag : "th",
          line,
          tag === "th" ? { scope: "col" } : i ? {} : { scope: "row" },
        ).textContent = cell;
      });
    };
    table.replaceChildren();
    element("caption", table).textContent =
      `What the tangent kernel forecasts before the first step, and what happened${verdict(one)}`;
    row(["frequency k", "rate, of the largest", "forecast", "fitted", "came"], "th");
    one.follow.forEach((k, i) =>
      row(
        [
          k,
          ...(one.forecast ? [few(one.forecast[i] / top), place(one.forecast, i, 1)] : ["\u2013", "\u2013"]),
          ...(Number.isFinite(one.times[i])
            ? [`step ${number(one.times[i])}`, place(one.times, i, -1)]
            : ["\u2013", "\u2013"]),
        ],
        "td",
      ),
    );
  }

  // ---- The target drawn with finger or mouse: what stood there is taken over first ----

  curves.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest("svg"),
      scales = curves.panel.scales();
    if (event.button || !svg || svg.parentNode !== curves || !scales[0]) return;
    event.preventDefault();
    const [sx, sy] = scales,
      box = svg.getBoundingClientRect(),
      f = goal(now);
    const values =
      now.drawn && !Object.keys(now.sines).length
        ? [...now.drawn]
        : Array.from({ length: NODES }, (_, i) =>
            round(clamp(f[Math.min(FINE.length - 1, Math.round((i * FINE.length) / (NODES - 1)))])),
          );
    const place = ({ clientX, clientY }) => [
      ((clientX - box.left - sx(-PI)) / (sx(PI) - sx(-PI))) * (NODES - 1),
      TOP - (2 * TOP * (clientY - box.top - sy(TOP))) / (sy(-TOP) - sy(TOP)),
    ];
    let last = null;
    const drag = (moved) => {
      if (!last && Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) < 4) return; // a press alone draws nothing
      const [i, v] = place(moved),
        [j, w] = last ?? place(event),
        parts = Math.max(1, Math.ceil(Math.abs(i - j)));
      for (let s = 0; s <= parts; s++) {
        const at = Math.round(j + ((i - j) * s) / parts);
        if (at >= 0 && at < NODES) values[at] = round(clamp(w + ((v - w) * s) / parts, 3));
      }
      last = [i, v];
      change({ sines: {}, drawn: [...values] });
    };
    const drop = () =>
      ["pointermove", "pointerup", "pointercancel"].forEach((kind) =>
        removeEventListener(kind, kind === "pointermove" ? drag : drop),
      );
    addEventListener("pointermove", drag);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  });

  // ---- The address: a lesson, or what differs from the first one ----

  function address() {
    const base = { ...KEPT, ...(lesson ? LESSONS[lesson].values : {}) },
      state = new URLSearchParams(lesson ? { lesson } : {});
    for (const key in ALL)
      if (now[key] !== base[key])
        state.set(
          key,
          Number(now[key]) === now[key] || typeof now[key] === "string" ? now[key] : Number(now[key]),
        );
    if (!lesson) {
      if (now.drawn) state.set("drawn", now.drawn.map((v) => Math.round(100 * v)).join(","));
      state.set(
        "sines",
        Object.entries(now.sines)
          .map(([k, size]) => `${k}:${size}`)
          .join(","),
      );
    }
    clearTimeout(late);
    late = setTimeout(() => history.replaceState(null, "", HERE + state), 200); // browsers allow few changes a second
  }

  function readAddress() {
    if (!location.hash.startsWith(HERE)) return;
    try {
      const state = new URLSearchParams(location.hash.slice(HERE.length)),
        key = state.get("lesson"),
        values = {};
      if (key !== null && !Object.hasOwn(LESSONS, key)) throw new Error("it names no lesson of this page");
      for (const [part, value] of state) {
        if (part === "lesson") continue;
        if (Object.hasOwn(READ, part)) values[part] = READ[part](value);
        else if (!Object.hasOwn(ALL, part)) throw new Error("it names a setting that is not here");
        else
          values[part] = check(
            part,
            ALL[part].options
              ? value
              : ALL[part].low !== undefined
                ? value.trim() === ""
                  ? NaN
                  : Number(value)
                : { 0: false, 1: true }[value],
          );
      }
      choose(key ?? "kept");
      if (Object.keys(values).length || key === null)
        change(values, key !== null && Object.keys(values).every((one) => one === "seed") ? key : null);
      say("These are the settings of the address. Press Train.");
    } catch (error) {
      choose("kept");
      clearTimeout(late);
      history.replaceState(null, "", location.pathname + location.search);
      say(`The address of this page cannot be used: ${error.message}. Shown is the first lesson.`);
    }
  }

  now = { ...KEPT };
  lesson = "kept";
  write();
  say("Guess, then press Train.");
  readAddress();
  addEventListener("hashchange", readAddress);
  let wide = cards.clientWidth;
  new ResizeObserver(() => {
    if (cards.clientWidth === wide) return;
    wide = cards.clientWidth;
    draw();
  }).observe(cards);
})();
