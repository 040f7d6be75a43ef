// The labs of a page: controls, panels and words around a training in trainer.js; what one is stands in fpbook.lab.lab.
(() => {
  "use strict";
  const { element, panel, picture, number, settled } = window.fpReplay,
    trainer = window.fpTrainer,
    { check, same } = trainer;
  const CORNERS = [
    ["unseen, wrong", "#d55e00"],
    ["unseen, right", "#9ecae1"],
    ["seen, wrong", "#7f0000"],
    ["seen, right", "#0072b2"],
  ];
  const CALM = matchMedia("(prefers-reduced-motion: reduce)").matches; // then the panels are drawn twice a second
  const copy = (value) => JSON.parse(JSON.stringify(value));

  function get(declared, path) {
    const [part, name] = path.split(".");
    if (name) return declared[part][name];
    return Object.values(declared.choose[path].options).find((option) =>
      Object.entries(option).every(([k, v]) => same(declared[part][k], v)),
    );
  }

  function set(declared, path, value) {
    const [part, name] = path.split(".");
    if (name) declared[part][name] = value;
    else Object.assign(declared[part], value);
  }

  // Runs as the words need them: rows of step and watched quantities. The measures are those of fpbook.lab.experiment.
  function measure(text, declared, run, recorded) {
    if (text.startsWith("recorded ")) return measure(text.slice(9), declared, recorded, recorded);
    const { rows, done } = run,
      last = rows.length - 1;
    if (text === "steps") return done === "fitted" ? rows[last][0] : Infinity;
    const at = text.indexOf(":"),
      column = trainer.names(run.declared ?? declared).indexOf(text.slice(at + 1)) + 1;
    const watched = text.startsWith("end:") && run.h && trainer.WATCHED[text.slice(at + 1)]; // a measure taken once, at the end
    if (!column)
      return watched
        ? watched(run.h, run.at, trainer.numbers(run.declared.data, run.declared.network.seed))
        : NaN;
    const values = rows.map((row) => row[column]),
      best = values.indexOf(Math.min(...values)),
      t = settled(values, declared.watch.threshold);
    return { t: t < 0 ? Infinity : rows[t][0], end: values[last], low: values[best], best: rows[best][0] }[
      text.slice(0, at)
    ];
  }

  function words(declared, run, recorded) {
    const steps = number(run.rows[run.rows.length - 1][0]),
      { stop } = declared.training;
    if (run.done === "lost")
      return "The loss is no longer finite: the learning rate is too large for this network.";
    const how =
      run.done === "fitted"
        ? `Fitted after ${steps} steps. `
        : run.done !== "long"
          ? `Stopped at step ${steps}. `
          : stop
            ? `Not fitted in ${steps} steps. `
            : `Trained for ${steps} steps. `;
    const each = trainer
      .names(declared)
      .filter((name) => name.startsWith("k = "))
      .map((name) => `${name} at step {t:${name}}`)
      .join(", ");
    return (
      how +
      declared.says
        .replace("{each}", each)
        .replace(/\{(%?)(.*?)\}/g, (_, share, text) => {
          const value = measure(text, declared, run, recorded);
          return share ? `${Math.round(100 * value)} %` : Number.isFinite(value) ? number(value) : "never";
        })
        .replaceAll("at step never", "never")
    );
  }

  function reply({ by, edges, answers }, guess, declared, run, recorded) {
    const [a, b] = by.map((text) => measure(text, declared, run, recorded));
    const ratio = b === undefined ? a : b === Infinity && a < Infinity ? 0 : a / b;
    if (Number.isNaN(ratio)) return " This run does not decide the question.";
    const right = answers[edges.filter((edge) => ratio >= edge).length];
    return right === answers[guess]
      ? ` You said \u201c${right}\u201d: right.`
      : ` You said \u201c${answers[guess]}\u201d; it was \u201c${right}\u201d.`;
  }

  function build(script, still, index) {
    const base = JSON.parse(script.textContent),
      { watch, choose, question } = base,
      here = `#lab${index}?`;
    const recorded = { ...base.recorded, declared: copy(base), label: "the recorded run" };
    for (const path in recorded.values) set(recorded.declared, path, recorded.values[path]);
    const root = element("div", null, { class: "replay lab", role: "group", "aria-label": "Lab" });
    let declared = copy(base),
      run = recorded,
      past = [],
      session = null,
      running = false,
      guess = -1,
      data;

    // Question, buttons, controls.
    if (question) {
      const box = element("fieldset", root, { class: "lab-ask" });
      element("legend", box).textContent = question.ask;
      question.answers.forEach((answer, i) => {
        const label = element("label", box),
          radio = element("input", label, { type: "radio", name: `lab${index}` });
        label.append(` ${answer}`);
        radio.addEventListener("change", () => {
          guess = i;
        });
      });
    }
    const bar = element("div", root, { class: "replay-controls" });
    const button = (text, act, kind = "") => {
      const node = element("button", bar, { type: "button", class: kind });
      node.textContent = text;
      node.addEventListener("click", act);
      return node;
    };
    const go = button("\u25b6\ufe0e Train", () => (running ? pause() : train()), "lab-train");
    button("Step", () => {
      pause();
      train(1);
    });
    button("Reset", reset);
    const controls = element("div", root, { class: "lab-choose" });
    const inputs = Object.entries(choose).map(([path, control]) => input(path, control));
    const cards = element("div", root, { class: "replay-cards" }),
      text = element("p", root, { class: "replay-text", "aria-live": "polite" });
    const legend = element("p", root, { class: "lab-past" });

    function input(path, control) {
      const { label: name, low, high, step, options, frequencies } = control,
        label = element("label", controls);
      element("span", label).textContent = name;
      const kind = options ? "select" : "input",
        type = frequencies ? "text" : low === undefined ? "checkbox" : "number";
      const node = element(
        kind,
        label,
        options
          ? {}
          : { type, ...(type === "number" ? { min: low, max: high, step, inputmode: "decimal" } : {}) },
      ); // a label names its first field
      const slider =
        type === "number" &&
        !options &&
        high < 1e6 &&
        element("input", label, {
          type: "range",
          min: low,
          max: high,
          step,
          "aria-hidden": "true",
          tabindex: -1,
        });
      for (const option in options) element("option", node).textContent = option;
      const read = () => {
        if (options) return Object.values(options)[node.selectedIndex];
        if (frequencies)
          return Object.fromEntries(
            node.value
              .split(",")
              .map((k) => k.trim())
              .filter(Boolean)
              .map((k) => [k, 1]),
          );
        return low === undefined ? node.checked : node.value === "" ? NaN : Number(node.value);
      };
      const write = () => {
        const value = get(declared, path);
        if (options) node.selectedIndex = Object.values(options).findIndex((option) => same(option, value));
        else if (frequencies) node.value = Object.keys(value).join(", ");
        else if (low === undefined) node.checked = value;
        else node.value = value;
        if (slider) slider.value = value;
        node.removeAttribute("aria-invalid");
      };
      const take = () => {
        try {
          change({ [path]: check(control, read()) });
        } catch (error) {
          pause();
          node.setAttribute("aria-invalid", "true");
          say(`Please choose again: ${error.message}.`);
        }
      };
      node.addEventListener("change", take);
      if (slider)
        slider.addEventListener("input", () => {
          node.value = slider.value;
          take();
        });
      return { node, write, take };
    }

    // New values end a run; what it reached stays, dashed.
    function change(values, from = declared) {
      pause();
      keep();
      declared = from;
      for (const path in values) set(declared, path, values[path]);
      run = null;
      session?.end();
      session = null;
      inputs.forEach(({ write }) => write());
      const changed = Object.keys(choose).filter((path) => !same(get(declared, path), get(base, path)));
      const state = new URLSearchParams(changed.map((path) => [path, JSON.stringify(get(declared, path))]));
      history.replaceState(null, "", changed.length ? here + state : location.pathname + location.search);
      draw();
      say("Press Train.");
    }

    function keep() {
      if (!run || run === recorded || run.rows.length < 2) return;
      past = [...past, run].slice(-3);
    }

    function reset() {
      past = [];
      change({}, copy(base));
      run = recorded;
      draw();
      say(`The recorded run: ${words(recorded.declared, recorded, recorded)}`);
    }

    function pause() {
      go.textContent = "\u25b6\ufe0e Train";
      if (running) say(run.rows.length ? words(declared, run, recorded) : "Stopped at step 0.");
      running = false;
    }

    async function train(most) {
      const wrong = inputs.find(({ node }) => node.hasAttribute("aria-invalid"));
      if (wrong) {
        // once more with the reason
        wrong.take();
        return wrong.node.focus();
      }
      if (question && guess < 0) {
        root.querySelector("input[type=radio]").focus();
        return say("First guess what will happen: choose an answer.");
      }
      if (!session || run.done) {
        keep();
        session?.end();
        session = trainer.start(declared);
        run = { rows: [], declared: copy(declared), label: different(declared) };
      }
      const mine = session;
      let drawn = 0;
      running = true;
      go.textContent = "\u23f8\ufe0e Stop";
      if (!most) say("Training \u2026");
      while (running && mine === session) {
        const report = await mine.ask(most ? { most } : {});
        if (mine !== session) return;
        await new Promise(requestAnimationFrame); // a task of its own; and a hidden page draws nothing, and so waits
        if (mine !== session) return;
        run.rows.push(...report.fresh);
        Object.assign(run, {
          h: report.h,
          at: report.at,
          bars: report.bars,
          done: report.done,
          step: report.step,
        });
        if (report.done || (most && report.step)) running = false;
        if (running && CALM && performance.now() < drawn + 500) continue;
        drawn = performance.now();
        draw();
      }
      go.textContent = "\u25b6\ufe0e Train";
      if (run.done) say(words(declared, run, recorded) + (question ? answered() : ""));
      else if (most) say(`Step ${run.step}.`);
    }

    function answered() {
      // a guess holds for what was asked, with any seed
      const asked = Object.keys(choose).every(
        (path) => path === "network.seed" || same(get(declared, path), get(base, path)),
      );
      return asked
        ? reply(question, guess, declared, run, recorded)
        : " Your guess was for the settings that Reset brings back.";
    }

    function different(now) {
      const parts = Object.entries(choose)
        .filter(([path]) => !same(get(now, path), get(base, path)))
        .map(([path, { label, options, frequencies }]) => {
          const value = get(now, path);
          return `${label} ${options ? Object.keys(options).find((name) => same(options[name], value)) : frequencies ? Object.keys(value).join(", ") : value === true ? "on" : value === false ? "off" : number(value)}`;
        });
      return parts.join(", ") || "as declared";
    }

    function say(what) {
      text.textContent = what;
    }

    // The panels, drawn anew for each report.
    function draw() {
      const shown = run === recorded ? recorded.declared : declared;
      data = trainer.numbers(shown.data, shown.network.seed);
      const before = [...(run === recorded ? [] : [recorded]), ...past].filter(
        (one) => same(one.declared.data, shown.data) || shown.data.cube || watch.compare,
      );
      legend.textContent = before.length ? `Dashed: ${before.map((one) => one.label).join("; ")}.` : "";
      const waiting = []; // drawn when all have their places
      cards.replaceChildren();
      const show = (spec, steps, others = []) => {
        const one = panel(
          element("div", cards, { class: "replay-card" }),
          { log: "", xlabel: "", ...spec },
          steps,
          null,
          others,
        );
        waiting.push(() => {
          one.layout();
          one.show(steps.length - 1);
        });
      };
      const curve = (name, style, color, y, moving = false) => ({
        name,
        style,
        color,
        y: Float64Array.from(y),
        moving,
      });
      const bars = run?.bars ?? [],
        ks = Float64Array.from(
          { length: shown.data.cube ? shown.data.cube + 1 : watch.bars + 1 },
          (_, k) => k,
        );
      if (shown.data.cube) {
        corners();
        show(
          {
            ylabel: "energy of the output by degree",
            xlabel: "degree",
            x: ks,
            xlim: [-0.5, ks.length - 0.5],
            ylim: [0, 1.1],
            curves: [curve("output", "|", watch.colors.output, bars.length ? bars : ks.map(() => 0))],
          },
          [0],
        );
      } else {
        output(show, curve, before, shown.data);
        spectrum(show, curve, ks, bars, shown);
      }
      const rows = run?.rows.length ? run.rows : [[0, ...trainer.names(shown).map(() => NaN)]],
        names = trainer.names(shown);
      const lines = (r, its) =>
        its.map((name, i) =>
          curve(
            watch.names[name] ?? name,
            "-",
            color(name),
            r.map((row) => row[i + 1]),
            true,
          ),
        );
      const far = Math.max(
        100,
        ...[run ?? recorded, ...before].map((one) =>
          one.rows.length ? one.rows[one.rows.length - 1][0] : 0,
        ),
      );
      const steps = rows.map((row) => row[0]);
      show(
        {
          ylabel: watch.ylabel ?? "error",
          xlabel: "step",
          log: watch.log,
          xlim: [1, far],
          ylim: watch.ylim,
          threshold: watch.threshold,
          curves: lines(rows, names),
        },
        steps,
        before.map((one) => ({
          panel: { curves: lines(one.rows, trainer.names(one.declared)) },
          steps: one.rows.map((row) => row[0]),
        })),
      );
      waiting.forEach((draw) => draw());
    }

    function color(name) {
      const all = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
      return watch.colors[name] ?? all[trainer.names(declared).indexOf(name) % 7];
    }

    // Target, labels and output over the fine points and the training points, in order.
    function output(show, curve, before, { low, high }) {
      const { x, y, fine, f } = data,
        n = fine.length,
        points = [...fine, ...x],
        top = 1.4 * Math.max(1, ...f.map(Math.abs));
      const order = points.map((_, i) => i).sort((a, b) => points[a] - points[b]),
        xs = Float64Array.from(order, (i) => points[i]);
      const line = (a, b, ...rest) =>
        curve(
          "output",
          "-",
          watch.colors.output,
          order.map((i) => Math.max(-top, Math.min(top, i < n ? a[i] : b[i - n]))),
          ...rest,
        );
      let last;
      const curves = [
        curve(
          "target",
          "=",
          "#777777",
          order.map((i) => (i < n ? (last = f[i]) : last)),
        ),
        curve(
          "labels",
          "o",
          "#000000",
          order.map((i) => (i < n ? NaN : y[i - n])),
        ),
      ];
      if (run?.h) curves.push(line(run.h, run.at));
      const others = before
        .filter((one) => same(one.declared.data, (run ?? { declared }).declared.data))
        .slice(-1);
      show(
        { ylabel: "", xlabel: "<i>x</i>", x: xs, xlim: [low, high], ylim: [-top, top], curves },
        [0],
        others.map((one) => ({ panel: { x: xs, curves: [line(one.h, one.at, true)] }, steps: [0] })),
      );
    }

    function spectrum(show, curve, ks, bars, shown) {
      const sizes = ks.map((k) => 2 * Math.hypot(...trainer.nudft(data.x, data.y, k))),
        top = Math.max(1.3, 1.1 * Math.max(...sizes));
      const of = trainer.names(shown).map((name) => (name.startsWith("k = ") ? Number(name.slice(4)) : NaN));
      const at = (wanted) => ks.map((k) => (wanted(k) ? Math.min(bars[k] ?? 0, top) : NaN));
      const rest = of.some((k) => k >= 0) ? "#7a8b99" : watch.colors.output; // grey beside frequencies of a colour, else as the output
      const curves = [
        curve("labels", "o", "#000000", sizes),
        curve(
          "output",
          "|",
          rest,
          at((k) => !of.includes(k)),
        ),
        ...of
          .filter((k) => k < ks.length)
          .map((k) =>
            curve(
              "",
              "|",
              color(`k = ${k}`),
              at((j) => j === k),
            ),
          ),
      ];
      show(
        {
          ylabel: "spectrum",
          xlabel: "frequency <i>k</i>",
          x: ks,
          xlim: [-0.5, ks.length - 0.5],
          ylim: [0, top],
          curves,
        },
        [0],
      );
    }

    // All corners of the cube: seen or not, right or wrong.
    function corners() {
      const card = element("div", cards, { class: "replay-card" }),
        size = data.f.length,
        columns = 2 ** Math.ceil(Math.log2(size) / 2);
      const seen = new Set(data.order.slice(0, data.y.length));
      const image = Uint8Array.from(data.f, (f, c) => 2 * seen.has(c) + (run?.h ? run.h[c] * f > 0 : 0));
      const palette = Uint8Array.from(
        CORNERS.flatMap(([, hex]) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))),
      );
      picture(card, {
        ylabel: "",
        image,
        palette,
        shape: [size / columns, columns],
        curves: CORNERS.map(([name, color]) => ({ name, color, style: "o" })),
      }).show(0);
    }

    still.before(root);
    still.classList.add("replay-still");
    still.hidden = true;
    inputs.forEach(({ write }) => write());
    draw();
    say(`The recorded run: ${words(recorded.declared, recorded, recorded)}`);
    let width = cards.clientWidth;
    new ResizeObserver(() => {
      if (cards.clientWidth === width) return;
      width = cards.clientWidth;
      draw();
    }).observe(cards);

    // A link that keeps the settings; what the controls would refuse is refused here too.
    return function read(state) {
      try {
        const values = [...new URLSearchParams(state)].map(([path, value]) => [
          path,
          check(Object.hasOwn(choose, path) && choose[path], parsed(value)),
        ]);
        change(Object.fromEntries(values), copy(base));
        root.scrollIntoView();
      } catch (error) {
        say(`The address of this page holds values that do not fit: ${error.message}.`);
      }
    };
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
      const still = script.previousElementSibling,
        here = `#lab${index}?`;
      let read = null;
      const open = () => (read ??= build(script, still, index));
      const near = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          near.disconnect();
          open();
        },
        { rootMargin: "800px" },
      );
      near.observe(still);
      return () => {
        if (location.hash.startsWith(here)) open()(location.hash.slice(here.length));
      };
    });
    const asked = () => labs.forEach((lab) => lab());
    addEventListener("hashchange", asked);
    asked();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scan);
  else scan();
})();
