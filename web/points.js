// What the playground's reader may train on: shapes, points of one's own. It knows nothing of the page.
(() => {
  "use strict";
  const { FAR, NODES, problemOfPoints } = window.fpLessons;
  const { PI } = Math;
  const LONGEST = 20_000; // characters of a table that is pasted

  const hundredths = (v) => Math.round(100 * v) / 100;
  const clamp = (v, top) => Math.max(-top, Math.min(top, v));
  const nodes = Array.from({ length: NODES }, (_, i) => -PI + (2 * PI * i) / (NODES - 1));

  // ---- Shapes: values at the nodes, straight lines between them ----

  const SHAPES = {
    step: (x) => Math.sign(x),
    triangle: (x) => 1.5 - (3 * Math.abs(x)) / PI,
    chirp: (x) => Math.sin((x + PI) * (0.5 + (0.6 * (x + PI)) / PI) * 2),
    "two halves": (x) => Math.sin((x <= 0 ? 5 : 1) * x),
    Runge: (x) => 2 / (1 + 25 * (x / PI) ** 2),
  };

  const shape = (name) => nodes.map((x) => hundredths(SHAPES[name](x)));

  /** Straight lines between points, as a drawn target; beyond the first and the last it goes on at their height. */
  function straightLines(points) {
    return nodes.map((x) => {
      const j = points.findIndex(([there]) => there >= x);
      if (j < 1) return hundredths(clamp(points.at(j)[1], FAR));
      const [[x0, y0], [x1, y1]] = [points[j - 1], points[j]];
      return hundredths(clamp(y0 + ((y1 - y0) * (x - x0)) / (x1 - x0), FAR));
    });
  }

  // ---- Points that are pasted ----

  const refuse = (reason) => {
    throw new Error(`These points cannot be used: ${reason}.`);
  };

  /** The two numbers of a line; null of a heading. */
  function readLine(line, i) {
    const parts = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const values = parts.map((part) =>
      /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?$/i.test(part) ? Number(part) : NaN,
    );
    if (values.length === 2 && values.every(Number.isFinite)) return values;
    if (i === 0 && values.every(Number.isNaN)) return null;
    return refuse(`line ${i + 1} does not hold two numbers, x and y, with a comma between them`);
  }

  /**
   * Points of a table, [[x, y], ...] in increasing order of x, as the playground trains on them: places outside of -pi to pi are
   * moved and stretched into it, which `moved` says; an Error with the reason where that cannot be.
   */
  function readPoints(text) {
    if (text.length > LONGEST) refuse(`the table is longer than ${LONGEST} characters`);
    const lines = text.split(/\r?\n/).filter((line) => line.trim());
    const read = lines.map(readLine).filter(Boolean);
    if (!read.length) refuse("there are none");
    read.sort((a, b) => a[0] - b[0]);
    const [low, high] = [read[0][0], read.at(-1)[0]];
    const moved = low < -PI || high > PI;
    const place = (x) =>
      moved
        ? -PI +
          (2 * PI * (x - low + (high - low) / (2 * read.length))) / ((high - low) * (1 + 1 / read.length))
        : x;
    const points = read.map(([x, y]) => [tenThousandths(place(x)), tenThousandths(y)]);
    const problem = problemOfPoints(points);
    if (problem) refuse(problem);
    return { points, moved };
  }

  const tenThousandths = (v) => Math.round(1e4 * v) / 1e4;

  window.fpPoints = { SHAPES, clamp, hundredths, nodes, readPoints, shape, straightLines, tenThousandths };
})();
