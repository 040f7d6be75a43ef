// What a reader takes along from the playground: the run as Python, its numbers as CSV, the panels as a picture.
(() => {
  "use strict";
  const { declared, followed, NODES, FINE, THRESHOLD } = window.fpLessons;
  const { frequencyOf, names } = window.fpExperiment;

  const QUOTES = '"""'; // around a text in Python

  // ---- The run in Python: calls of fpbook that begin at the same seed and take the same steps ----

  const list = (values) => {
    const lines = [[]];
    for (const value of values) {
      if (`${lines.at(-1).join(", ")}, ${value}`.length > 90) lines.push([]);
      lines.at(-1).push(value);
    }
    return lines.map((line) => `    ${line.join(", ")},`).join("\n");
  };

  /** Where the labels stand: on the grid, at random places, or as the reader has put them. */
  function pointsOf({ own, points, anywhere, noise }, noises) {
    if (own) {
      const columns = [0, 1].map((c) => list(own.map((point) => point[c])));
      return [`x = np.array([\n${columns[0]}\n])`, `y = np.array([\n${columns[1]}\n])`];
    }
    const lines = [`n = ${points}`];
    const changes = noises.length > 1;
    if (anywhere || noise || changes)
      lines.push("generator = torch.Generator().manual_seed(1_000_000 + seed)");
    if (anywhere)
      lines.push("x = np.sort(-np.pi + 2 * np.pi * torch.rand(n, generator=generator).double().numpy())");
    else lines.push("x = -np.pi + 2 * np.pi * (np.arange(n) + 0.5) / n");
    if (changes) return [...lines, ...changingLabels(noises)];
    const added = ` + ${noise} * torch.randn(n, generator=generator).double().numpy()`;
    return [...lines, `y = target(x)${noise ? added : ""}`];
  }

  /** Labels whose noise was changed on the way: [[step, noise], ...]. */
  function changingLabels(noises) {
    return [
      "e = torch.randn(n, generator=generator).double().numpy()",
      `noises = ${scheduleOf(noises)}`,
      "",
      "",
      "def labels_at(step):",
      "    return target(x) + [v for s, v in noises.items() if s <= step][-1] * e",
      "",
    ];
  }

  const scheduleOf = (values) =>
    `{${values.map(([step, value]) => `${step}: ${value}`).join(", ")}}  # from each of these steps on`;

  function targetOf({ sines, drawn }) {
    const waves = Object.entries(sines).map(
      ([k, size]) => `${size === 1 ? "" : `${size} * `}np.sin(${k} * x)`,
    );
    if (!drawn) return ["", "def target(x):", `    return ${waves.join(" + ") || "0 * x"}`, ""];
    return [
      `drawn = np.array([\n${list(drawn.map((v) => Math.round(100 * v)))}\n]) / 100`,
      "",
      "",
      "def target(x):",
      `    return ${[...waves, `np.interp(x, np.linspace(-np.pi, np.pi, ${NODES}), drawn)`].join(" + ")}`,
      "",
    ];
  }

  /** Fourier features, or x itself, as the column that goes in. */
  function inputOf({ features }) {
    if (!features) return ["", "def into(x):", "    return column(x, dtype=torch.float64)", ""];
    return [
      "",
      "def into(x):",
      `    phase = np.outer(x, np.arange(1, ${features + 1}))`,
      "    both = np.stack([np.sin(phase), np.cos(phase)], axis=-1)",
      "    return torch.as_tensor(both.reshape(len(x), -1))",
      "",
    ];
  }

  function networkOf({ activation, a, width, depth, start, factor, antisymmetric, features }) {
    const widths = [2 * features || 1, ...Array(depth).fill(width), 1];
    const made = activation === "ricker" ? `Ricker(${a})` : `"${activation}"`;
    const lines = ["torch.manual_seed(seed)", `net = MLP([${widths.join(", ")}], ${made})`];
    if (start === "normal") lines.push(`normal_init(net, std=${width}**-0.5)`);
    if (start === "xavier") lines.push("xavier_init(net)");
    if (factor !== 1) lines.push("for layer in net.layers:", `    layer.weight.data *= ${factor}`);
    if (antisymmetric) lines.push("net = Antisymmetric(net)");
    return [...lines, "net = net.double()"];
  }

  /** The optimizer, and its rates where they were changed on the way: [[step, rate], ...]; so with noises. */
  function trainingOf({ optimizer, steps, stop }, { lr: rates, noise: noises }) {
    const [[, lr]] = rates;
    const name = optimizer === "adam" ? "Adam" : "SGD";
    const momentum = optimizer === "momentum" ? ", momentum=0.9" : "";
    const scheduled = [
      `rates = ${scheduleOf(rates)}`,
      `schedule = partial(LambdaLR, lr_lambda=lambda t: [r for s, r in rates.items() if s <= t][-1] / ${lr})`,
    ];
    const changes = noises.length > 1;
    const batches = "    batches=((column(labels_at(t), dtype=torch.float64),) for t in count()),";
    return [
      changes ? "inputs = into(x)" : "inputs, labels = into(x), column(y, dtype=torch.float64)",
      `fine = -np.pi + 2 * np.pi * (np.arange(${FINE}) + 0.5) / ${FINE}`,
      "between = into(fine)",
      ...(rates.length > 1 ? scheduled : []),
      "history = train(",
      "    net,",
      `    lambda net${changes ? ", labels" : ""}: mean_squared_error(net, inputs, labels),`,
      ...(changes ? [batches] : []),
      `    steps=${steps},`,
      `    stop=${stop},`,
      `    optimizer=partial(torch.optim.${name}, lr=${lr}${momentum}),`,
      ...(rates.length > 1 ? ["    schedule=schedule,"] : []),
      `    record={"at": lambda net: net(inputs)[:, 0], "h": lambda net: net(between)[:, 0]},`,
      `    every=recorded_steps(${steps}),`,
      ")",
    ];
  }

  function resultOf(ks, noises) {
    const errors = ks.length
      ? [
          `k = [${ks.join(", ")}]`,
          'errors = relative_error(nudft(x, history["at"], k), nudft(x, y, k))',
          `for number, t in zip(k, first_step_below(history["step"], errors, ${THRESHOLD})):`,
          `    print(f"k = {number}:", f"below ${THRESHOLD} from step {t:.0f} on" if np.isfinite(t) else "not below ${THRESHOLD}")`,
        ]
      : [];
    return [
      ...(noises.length > 1 ? ['y = np.array([labels_at(step) for step in history["step"]])'] : []),
      'training = ((history["at"] - y) ** 2).mean(axis=1)',
      'whole = ((history["h"] - target(fine)) ** 2).mean(axis=1)',
      ...errors,
      `print(f"{history['step'][-1]} steps; error at the points {training[-1]:.2g}, on the interval {whole[-1]:.2g}")`,
    ];
  }

  function importsOf({ activation, start, antisymmetric }, ks, { lr: rates, noise: noises }) {
    const used = ["MLP"];
    if (antisymmetric) used.push("Antisymmetric");
    if (activation === "ricker") used.push("Ricker");
    if (start === "normal") used.push("normal_init");
    if (start === "xavier") used.push("xavier_init");
    return [
      "from functools import partial",
      ...(noises.length > 1 ? ["from itertools import count"] : []),
      "",
      "import numpy as np",
      "import torch",
      ...(rates.length > 1 ? ["from torch.optim.lr_scheduler import LambdaLR"] : []),
      "",
      "from fpbook.lab.experiment import recorded_steps",
      `from fpbook.networks import ${used.join(", ")}`,
      ...(ks.length ? ["from fpbook.spectra import first_step_below, nudft, relative_error"] : []),
      "from fpbook.training import column, mean_squared_error, train",
    ];
  }

  /** The settings as a script; `schedule` has what rate and noise were while it trained, [[step, value], ...] each. */
  function pythonOf(now, schedule = { lr: [[0, now.lr]], noise: [[0, now.noise]] }) {
    const ks = followed({ declared: declared(now) }).map(frequencyOf);
    const about = `${QUOTES}The run of the playground once more: same points, same initial weights, same steps.${QUOTES}`;
    const blocks = [
      [about],
      importsOf(now, ks, schedule),
      [`seed = ${now.seed}`],
      targetOf(now),
      pointsOf(now, schedule.noise),
      inputOf(now),
      networkOf(now),
      trainingOf(now, schedule),
      resultOf(ks, schedule.noise),
    ];
    return `${blocks
      .map((lines) => lines.join("\n"))
      .join("\n\n")
      .replace(/\n{4,}/g, "\n\n\n")}\n`;
  }

  // ---- Numbers and pictures ----

  /** What was recorded, a line for each step. */
  function csvOf(run) {
    const head = ["step", ...names(run.declared)].map((name) => name.replace("k = ", "relative error k="));
    return `${[head, ...run.rows].map((row) => row.join(",")).join("\n")}\n`;
  }

  /** Draws the shapes of one SVG, at its place, as the page shows them. */
  function paintSvg(pen, svg, [left, top]) {
    pen.save();
    pen.translate(left, top);
    for (const node of svg.querySelectorAll("path, line, text")) {
      const style = getComputedStyle(node);
      if (style.visibility === "hidden") continue;
      pen.globalAlpha = Number(style.opacity);
      pen.lineWidth = Number.parseFloat(style.strokeWidth);
      pen.setLineDash((style.strokeDasharray.match(/[\d.]+/g) ?? []).map(Number));
      const at = (name) => Number(node.getAttribute(name));
      if (node.localName === "text") {
        pen.font = `${style.fontSize} ${style.fontFamily}`;
        pen.textAlign = { middle: "center", end: "right" }[style.textAnchor] ?? "left";
        pen.fillStyle = style.fill;
        pen.fillText(node.textContent, at("x"), at("y"));
        continue;
      }
      const line = node.localName === "line" && `M${at("x1")} ${at("y1")}L${at("x2")} ${at("y2")}`;
      paintPath(pen, new Path2D(line || node.getAttribute("d") || ""), style);
    }
    pen.restore();
  }

  function paintPath(pen, path, { fill, stroke }) {
    if (fill !== "none") {
      pen.fillStyle = fill;
      pen.fill(path);
    }
    if (stroke !== "none") {
      pen.strokeStyle = stroke;
      pen.stroke(path);
    }
  }

  /** The words of a panel's head and foot, one after the other. */
  function paintWords(pen, node, /** @type {number[]} */ [left, top]) {
    const box = node.getBoundingClientRect();
    for (const part of node.querySelectorAll(":scope > span, :scope > span > span, :scope > span > b")) {
      if (part.children.length && part.matches(".replay-key")) continue;
      const its = part.getBoundingClientRect();
      pen.fillText(part.textContent, left + its.left - box.left, top + its.top - box.top + 14);
    }
    if (!node.children.length || node.matches(".replay-x"))
      pen.fillText(node.textContent, left + box.width / 2, top + 14);
  }

  /** All panels as they are shown, on white, twice as fine as on the page: a canvas. */
  function pictureOf(cards) {
    const whole = cards.getBoundingClientRect();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 2 * whole.width, height: 2 * whole.height });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, whole.width, whole.height);
    for (const node of cards.querySelectorAll("svg, .replay-head, .replay-x")) {
      const box = node.getBoundingClientRect();
      const place = [box.left - whole.left, box.top - whole.top];
      if (node.localName === "svg") {
        const [, , width] = (node.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
        pen.save();
        pen.translate(place[0], place[1]);
        pen.scale(box.width / width || 1, box.width / width || 1);
        paintSvg(pen, node, [0, 0]);
        pen.restore();
        continue;
      }
      const style = getComputedStyle(node);
      pen.font = `${style.fontSize} ${style.fontFamily}`;
      pen.fillStyle = "#000";
      paintWords(pen, node, place);
    }
    return canvas;
  }

  // ---- To the reader's machine ----

  /** Gives a file to the reader; nothing leaves the machine. */
  function save(name, blob) {
    const link = document.createElement("a");
    Object.assign(link, { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** Puts a text on the clipboard, by a field in `place` if need be; false where the browser does not allow it. */
  async function copy(text, place) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyOldWay(text, place);
    }
  }

  /** For pages from disk, which have no clipboard in some browsers. */
  function copyOldWay(text, place) {
    const field = document.createElement("textarea");
    field.value = text;
    place.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }

  window.fpTakeaway = { copy, csvOf, pictureOf, pythonOf, save };
})();
