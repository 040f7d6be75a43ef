// Draws the replay figures of a page from the data that the run left in it: see fpbook.replay.replay. A classic script without
// dependencies, so that it also runs from file:// and inside the output of a notebook. Labs draw with its panels: `fpReplay`.
(() => {
  "use strict";

  const MARGIN = { left: 46, right: 10, top: 6, bottom: 20 };
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, parent, attributes) {
    const node =
      name in { svg: 1, path: 1, line: 1, text: 1, circle: 1, g: 1 }
        ? document.createElementNS(SVG, name)
        : document.createElement(name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(node);
    return node;
  }

  // Numbers come as base64 of 16-bit (curves) or 8-bit (pictures) integers between lo and hi; log: of the decimal logarithm;
  // gaps: where there is none. Labs hand over plain numbers.
  function unpack(packed) {
    if (!packed.data) return packed;
    const bytes = Uint8Array.from(atob(packed.data), (c) => c.charCodeAt(0));
    if (packed.bits === 8) return bytes;
    const view = new DataView(bytes.buffer),
      gaps = new Set(packed.gaps);
    return Float64Array.from({ length: bytes.length / 2 }, (_, i) => {
      if (gaps.has(i)) return NaN;
      const value = packed.lo + ((packed.hi - packed.lo) * view.getUint16(2 * i, true)) / 65535;
      return packed.log ? 10 ** value : value;
    });
  }

  function number(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    const text = size >= 1e5 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
    return text.replace("-", "\u2212").replace("e+", "e");
  }

  function exactly(value) {
    return Number.isInteger(value) && Math.abs(value) < 1e9 ? value.toLocaleString("en") : number(value);
  }

  function scale(range, log, from, to) {
    const of = log ? Math.log10 : (v) => v;
    const [lo, hi] = range.map(of);
    const at = (v) =>
      from + ((to - from) * (of(Math.min(Math.max(v, range[0]), range[1])) - lo)) / (hi - lo || 1);
    at.ticks = [];
    if (log) {
      const every = Math.ceil((hi - lo) / 6) || 1;
      for (let e = Math.ceil(lo - 1e-9); e <= hi + 1e-9; e += every) at.ticks.push([10 ** e, e]);
    }
    if (at.ticks.length < 2) {
      const [a, b] = range,
        rough = (b - a) / (Math.abs(to - from) > 350 ? 7 : 4) || 1,
        power = 10 ** Math.floor(Math.log10(rough));
      const every = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
      at.ticks = [];
      for (let j = Math.ceil(a / every - 1e-9); j * every <= b + every * 1e-9; j++)
        at.ticks.push([j * every]);
    }
    return at;
  }

  function tickText(svg, x, y, anchor, [value, exponent]) {
    const text = element("text", svg, { x, y, "text-anchor": anchor });
    if (exponent === undefined) {
      text.textContent = number(Number(value.toPrecision(6)));
    } else {
      text.textContent =
        "10" +
        [...String(exponent)]
          .map(
            (c) =>
              "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".indexOf(c)],
          )
          .join("");
    }
  }

  function pathOf(xs, ys) {
    // where there is no number the line has a gap
    let d = "",
      to = "M";
    for (let j = 0; j < xs.length; j++) {
      if (!Number.isNaN(ys[j])) d += `${to + xs[j].toFixed(1)} ${ys[j].toFixed(1)}`;
      to = Number.isNaN(ys[j]) ? "M" : "L";
    }
    return d;
  }

  function marks(xs, ys, style, base) {
    let d = "";
    for (let j = 0; j < xs.length; j++) {
      if (Number.isNaN(ys[j])) continue;
      const x = xs[j].toFixed(1),
        y = ys[j].toFixed(1);
      if (style === "|") d += `M${x} ${base}L${x} ${y}`;
      d += `M${x} ${y}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
    }
    return d;
  }

  function draw(node, curve, xs, ys, base) {
    node.setAttribute("d", LINES.includes(curve.style) ? pathOf(xs, ys) : marks(xs, ys, curve.style, base));
  }

  const LINES = ["-", "--", ":", "="];
  const GHOSTS = { "-": "--", "=": "--", "--": ":", ":": ":", "|": "o", o: "o" }; // of a run that lies under another

  function paint(node, curve) {
    node.style.stroke = curve.color;
    if (curve.style === "o" || curve.style === "|") node.style.fill = curve.color;
    if (curve.style === "--") node.style.strokeDasharray = "6 3";
    if (curve.style === ":") node.style.strokeDasharray = "2 2";
    if (curve.style === "=") node.classList.add("broad");
  }

  function header(card, spec) {
    const head = element("div", card, { class: "replay-head" });
    element("span", head).innerHTML = spec.ylabel;
    return (spec.curves || []).map((curve) => {
      const key = element("span", curve.name ? head : null, { class: "replay-key" }); // without a name: no entry
      const swatch = element("path", element("svg", key, { viewBox: "0 0 24 12", "aria-hidden": "true" }), {
        class: "curve",
      });
      paint(swatch, curve);
      draw(swatch, curve, LINES.includes(curve.style) ? [0, 24] : [12], [6, 6], 12);
      element("span", key).innerHTML = curve.name;
      return element("b", key, { class: "value" });
    });
  }

  // The index from which on a curve stays below the threshold; -1 if it does not.
  function settled(y, threshold) {
    let last = y.length - 1;
    while (last >= 0 && y[last] < threshold) last--;
    return last + 1 < y.length ? last + 1 : -1;
  }

  function nearest(values, value, of = (v) => v) {
    let best = 0;
    values.forEach((v, j) => {
      if (Math.abs(of(v) - value) < Math.abs(of(values[best]) - value)) best = j;
    });
    return best;
  }

  // A panel of curves over x, or, without x, of curves over the steps, on which the pointer moves the step. Others, each with a
  // panel and its steps, are laid under it, dashed.
  function curvesPanel(card, spec, steps, seek, others = []) {
    const along = !spec.x,
      x = along ? steps : unpack(spec.x);
    const unpacked = (panel) => panel.curves.map((curve) => ({ ...curve, y: unpack(curve.y) }));
    const curves = unpacked(spec),
      values = header(card, spec);
    const under = others.flatMap(({ panel, steps }) => {
      const its = along ? steps : unpack(panel.x);
      return unpacked(panel)
        .filter((curve) => curve.moving || along)
        .map((curve) => ({ curve: { ...curve, style: GHOSTS[curve.style] }, x: its, steps }));
    });
    const both = (axis) => {
      // the range in which all have their place
      const all = [spec, ...others.map(({ panel }) => panel)].map((panel) => panel[axis]).filter(Boolean);
      return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
    };
    const svg = element("svg", card, { "aria-hidden": "true" });
    const foot = element("div", card, { class: "replay-x" });
    foot.innerHTML = spec.xlabel;
    if (along) card.classList.add("wide", "seek");
    let frame = 0,
      sx,
      sy,
      base,
      parts,
      now,
      read;

    const row = (curve, i, n) => (curve.moving ? curve.y.subarray(i * n, (i + 1) * n) : curve.y);
    const reached = along && spec.threshold ? curves.map((curve) => settled(curve.y, spec.threshold)) : [];

    function layout() {
      const width = svg.clientWidth,
        height = svg.clientHeight;
      if (!width) return;
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const right = width - MARGIN.right;
      base = height - MARGIN.bottom;
      sx = scale(both("xlim"), spec.log.includes("x"), MARGIN.left, right);
      sy = scale(both("ylim"), spec.log.includes("y"), base, MARGIN.top);
      for (const tick of sx.ticks) {
        element("line", svg, { class: "grid", x1: sx(tick[0]), x2: sx(tick[0]), y1: MARGIN.top, y2: base });
        tickText(svg, sx(tick[0]), base + 14, "middle", tick);
      }
      for (const tick of sy.ticks) {
        element("line", svg, { class: "grid", x1: MARGIN.left, x2: right, y1: sy(tick[0]), y2: sy(tick[0]) });
        tickText(svg, MARGIN.left - 5, sy(tick[0]) + 4, "end", tick);
      }
      if (spec.threshold)
        element("line", svg, {
          class: "threshold",
          x1: MARGIN.left,
          x2: right,
          y1: sy(spec.threshold),
          y2: sy(spec.threshold),
        });
      element("path", svg, { class: "axis", d: `M${MARGIN.left} ${MARGIN.top}V${base}H${right}` });
      const ghosts = under.map((one) => {
        const node = element("path", svg, { class: "curve ghost" });
        paint(node, one.curve);
        if (along) draw(node, one.curve, Array.from(one.x, sx), Array.from(one.curve.y, sy), base);
        return { ...one, node, xs: Array.from(one.x, sx) };
      });
      const xs = Array.from(x, sx);
      const drawn = curves.map((curve, c) => {
        const node = element("path", svg, { class: "curve" });
        paint(node, curve);
        if (!along) return { curve, node };
        const later = element("path", svg, { class: "curve later" }),
          flag = element("path", svg, { class: "flag" });
        paint(later, curve);
        draw(later, curve, xs, Array.from(curve.y, sy), base);
        flag.style.fill = curve.color;
        if (reached[c] >= 0)
          flag.setAttribute("d", `M${xs[reached[c]].toFixed(1)} ${sy(spec.threshold).toFixed(1)}l-5 -9h10z`);
        return { curve, node, flag };
      });
      parts = { ghosts, drawn, xs };
      now = along && element("line", svg, { class: "now", y1: MARGIN.top, y2: base });
      read = element("line", svg, { class: "read", y1: MARGIN.top, y2: base, visibility: "hidden" });
      show(frame);
    }

    function show(i) {
      frame = i;
      if (!parts) return;
      parts.drawn.forEach(({ curve, node, flag }, c) => {
        if (along)
          draw(node, curve, parts.xs.slice(0, i + 1), Array.from(curve.y.subarray(0, i + 1), sy), base);
        else if (curve.moving || !node.hasAttribute("d"))
          draw(node, curve, parts.xs, Array.from(row(curve, i, x.length), sy), base);
        if (flag) flag.style.visibility = reached[c] >= 0 && reached[c] <= i ? "visible" : "hidden";
      });
      if (along) {
        for (const side of ["x1", "x2"]) now.setAttribute(side, sx(steps[i]));
        values.forEach((node, c) => (node.textContent = number(curves[c].y[i])));
      } else
        for (const { curve, node, xs, steps: its } of parts.ghosts) {
          draw(node, curve, xs, Array.from(row(curve, nearest(its, steps[i]), xs.length), sy), base);
        }
    }

    const pointed = (event) => nearest(x, event.clientX - svg.getBoundingClientRect().left, sx);
    svg.addEventListener("pointermove", (event) => {
      if (!sx) return;
      const j = pointed(event);
      if (along) {
        if (event.buttons && seek) seek(j);
        return;
      }
      for (const side of ["x1", "x2"]) read.setAttribute(side, sx(x[j]));
      read.setAttribute("visibility", "visible");
      values.forEach((node, c) => (node.textContent = number(row(curves[c], frame, x.length)[j])));
      foot.innerHTML = `${spec.xlabel} = ${number(x[j])}`;
    });
    svg.addEventListener("pointerdown", (event) => {
      if (along && sx && seek) seek(pointed(event));
    });
    svg.addEventListener("pointerleave", () => {
      if (along || !sx) return;
      read.setAttribute("visibility", "hidden");
      values.forEach((node) => (node.textContent = ""));
      foot.innerHTML = spec.xlabel;
    });
    const says =
      along &&
      ((i) =>
        `${plain(spec.ylabel)} \u2014 ` +
        spec.curves
          .map(
            (c, j) =>
              `${plain(c.name)}: ${number(curves[j].y[i])}${reached[j] >= 0 && reached[j] <= i ? ` (below ${spec.threshold} from ${exactly(steps[reached[j]])})` : ""}`,
          )
          .join(", "));
    return { svg, layout, show, says, scales: () => [sx, sy] };
  }

  // A picture for each step, or one that stays.
  function imagePanel(card, spec) {
    const pixels = unpack(spec.image),
      palette = unpack(spec.palette),
      [rows, columns] = spec.shape,
      size = rows * columns;
    header(card, spec);
    const canvas = element("canvas", card, { width: columns, height: rows, "aria-hidden": "true" });
    const context = canvas.getContext("2d"),
      picture = context.createImageData(columns, rows);
    function show(i) {
      const start = spec.moving ? i * size : 0;
      for (let j = 0; j < size; j++) {
        for (let c = 0; c < 3; c++) picture.data[4 * j + c] = palette[3 * pixels[start + j] + c];
        picture.data[4 * j + 3] = 255;
      }
      context.putImageData(picture, 0, 0);
    }
    return { layout() {}, show };
  }

  function plain(html) {
    const node = element("span");
    node.innerHTML = html;
    return node.textContent;
  }

  function build(script, still) {
    const data = JSON.parse(script.textContent);
    const root = element("div", null, { class: "replay", role: "group", "aria-label": "Replay" });
    const controls = element("div", root, { class: "replay-controls" });
    const cards = element("div", root, { class: "replay-cards" });
    const text = element("p", root, { class: "replay-text", "aria-live": "polite" });
    const runs = data.runs,
      still_only = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let run,
      panels,
      frame = 0,
      timer = null;

    const choice = runs.length > 1 && element("select", controls, { "aria-label": "Run" });
    const under = runs.length > 1 && element("select", controls, { "aria-label": "Laid under it, dashed" });
    const play = element("button", controls, { type: "button", class: "replay-play" });
    const slider = element("input", controls, { type: "range", min: 0, "aria-label": plain(data.over) });

    function show(i, quietly) {
      frame = i;
      panels.forEach((panel) => panel.show(i));
      const where = `${plain(data.over)} ${exactly(run.step[i])}`;
      slider.value = i;
      slider.setAttribute("aria-valuetext", where);
      text.setAttribute("aria-live", quietly ? "off" : "polite");
      const said = panels.filter((panel) => panel.says).map((panel) => panel.says(i));
      text.textContent = `${[
        `${runs.length > 1 ? `${plain(run.name)}, ` : ""}${where} of ${exactly(run.step[run.step.length - 1])}`,
        ...said,
      ].join(". ")}.`;
    }

    function pause() {
      clearInterval(timer);
      timer = null;
      play.textContent = "\u25b6\ufe0e Play";
    }

    function seek(i) {
      pause();
      show(i);
    }

    function choose(index, step) {
      pause();
      run = runs[index];
      slider.max = run.step.length - 1;
      cards.replaceChildren();
      const other = under && under.selectedIndex > 0 && runs[under.selectedIndex - 1];
      panels = run.panels.map((spec, p) => {
        const card = element("div", cards, { class: "replay-card" });
        const below =
          other && other !== run && other.panels[p]?.curves
            ? [{ panel: other.panels[p], steps: other.step }]
            : [];
        return spec.image ? imagePanel(card, spec) : curvesPanel(card, spec, run.step, seek, below);
      });
      panels.forEach((panel) => panel.layout());
      show(nearest(run.step, step));
    }

    function start() {
      if (frame === run.step.length - 1) show(0, true);
      play.textContent = "\u23f8\ufe0e Pause";
      timer = setInterval(
        () => {
          if (frame + 1 === run.step.length - 1) pause();
          show(frame + 1, timer !== null);
        },
        Math.max(50, 6000 / run.step.length),
      );
    }

    play.addEventListener("click", () => {
      seen.disconnect();
      if (timer === null) return start();
      pause();
      show(frame);
    });
    slider.addEventListener("input", () => seek(Number(slider.value)));
    if (choice) {
      runs.forEach((r) => (element("option", choice).textContent = plain(r.name)));
      element("option", under).textContent = "no other run";
      runs.forEach((r) => (element("option", under).textContent = `over ${plain(r.name)}`));
      for (const one of [choice, under])
        one.addEventListener("change", () => choose(choice.selectedIndex, run.step[frame]));
    }

    still.before(root);
    still.classList.add("replay-still");
    still.hidden = true;
    choose(0, still_only ? data.at : runs[0].step[0]);
    let width = cards.clientWidth;
    new ResizeObserver(() => {
      if (cards.clientWidth === width) return;
      width = cards.clientWidth;
      panels.forEach((panel) => panel.layout());
    }).observe(cards);
    const seen = new IntersectionObserver(
      (entries) => {
        // it plays once by itself, when it is first seen
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        seen.own = timer === null && frame === 0;
        if (seen.own) start();
      },
      { threshold: 0.6 },
    );
    for (const kind of ["focusin", "pointerdown"])
      root.addEventListener(kind, (event) => {
        // whoever takes it has it
        if (seen.own && event.target !== play) pause();
        seen.disconnect();
        seen.own = false;
      });
    if (!still_only) seen.observe(root.clientHeight > 0.8 * innerHeight ? controls : root);
  }

  function scan() {
    for (const script of document.querySelectorAll("script.replay-data:not([data-seen])")) {
      const still = script.previousElementSibling;
      if (!still) continue;
      script.setAttribute("data-seen", "");
      const near = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          near.disconnect();
          build(script, still);
        },
        { rootMargin: "800px" },
      );
      near.observe(still);
    }
  }

  window.fpReplay = { element, panel: curvesPanel, picture: imagePanel, number: exactly, settled };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", scan);
  else scan();
  setTimeout(scan, 300); // a notebook may run the script before it shows the output
})();
