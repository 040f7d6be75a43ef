// The pointer in the playground's first two panels: a target that is drawn with finger or mouse, what stood there is taken over
// first; a point that is dragged, chosen or added; the height of a sine that is pulled in the spectrum.
(() => {
  "use strict";
  const { nearest } = window.fpReplay;
  const { target } = window.fpExperiment;
  const { FAR, HEIGHTS, NODES, TALLEST } = window.fpLessons;
  const { clamp, hundredths, nodes, tenThousandths } = window.fpPoints;
  const { PI } = Math;
  const DRAWN = 3; // a drawing reaches from -3 to 3
  const BEGINS = 4; // pixels: a press alone draws nothing
  const CLOSE = 12; // pixels from a point at which a press is meant for it

  /** Where a pointer is in the panel: [x, y]. */
  function placeOf({ clientX, clientY }, box, [sx, sy]) {
    const [left, right, bottom, top] = [sx(-PI), sx(PI), sy(-DRAWN), sy(DRAWN)];
    const x = -PI + (2 * PI * (clientX - box.left - left)) / (right - left);
    return [x, DRAWN - (2 * DRAWN * (clientY - box.top - top)) / (bottom - top)];
  }

  /** Puts a straight line between two places, [x, y], into the values of the nodes. */
  function drawLine(values, from, to) {
    const [i, j] = [from, to].map(([x]) => ((x + PI) / (2 * PI)) * (NODES - 1));
    const parts = Math.max(1, Math.ceil(Math.abs(j - i)));
    for (let s = 0; s <= parts; s++) {
      const node = Math.round(i + ((j - i) * s) / parts);
      const value = from[1] + ((to[1] - from[1]) * s) / parts;
      if (node >= 0 && node < NODES) values[node] = hundredths(clamp(value, DRAWN));
    }
  }

  const atNodes = (f) => nodes.map((x) => hundredths(clamp(f(x), DRAWN)));

  /** Calls `dragged` with where a pointer is that went down in `event`, until it is let go; `pressed` if it did not move. */
  function follow(event, dragged, pressed = () => {}) {
    let begun = false;
    const drag = (moved) => {
      begun ||= Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) >= BEGINS;
      if (begun) dragged(moved);
    };
    const drop = ({ type }) => {
      removeEventListener("pointermove", drag);
      for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, drop);
      if (type === "pointerup" && !begun) pressed();
    };
    addEventListener("pointermove", drag);
    for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, drop);
  }

  /** True if a pointer went down on the drawing of a panel that has one. */
  const hits = (event, panel) =>
    !event.button && Boolean(panel?.scales()) && event.target.closest("svg") === panel.svg;

  /**
   * Listens at a place. `panel()` is what stands there, if it may be drawn on; `now()` gives the settings, `labels()` the points
   * with their labels. `change(values)` takes what is drawn; `drag(points, again)` points of which one is dragged, `again` for
   * all but the first; `press(place, i)` a place that was pressed, i of the point there or -1.
   */
  class Pen {
    constructor(place, { panel, now, labels, change, drag, press }) {
      Object.assign(this, { panel, now, labels, change, drag, press, moving: false });
      place.addEventListener("pointerdown", (event) => this.begin(event));
    }

    begin(event) {
      const panel = this.panel();
      if (!hits(event, panel)) return;
      event.preventDefault();
      const [box, scales] = [panel.svg.getBoundingClientRect(), panel.scales()];
      const at = (pointer) => placeOf(pointer, box, scales);
      const drawn = this.moving ? this.dragging(at(event)) : this.drawing(at(event));
      const pressed = () => this.press(at(event), this.pointAt(event, box, scales));
      follow(event, (moved) => drawn(at(moved)), this.moving ? pressed : undefined);
    }

    /** Which point a pointer is on; -1: none. */
    pointAt({ clientX, clientY }, box, [sx, sy]) {
      const far = ([x, y]) => Math.hypot(sx(x) - clientX + box.left, sy(y) - clientY + box.top);
      const distances = this.labels().map(far);
      const least = Math.min(...distances);
      return least < CLOSE ? distances.indexOf(least) : -1;
    }

    drawing(from) {
      const { sines, drawn } = this.now();
      const values = atNodes(target({ sines, drawn, low: -PI, high: PI }));
      let last = from;
      return (place) => {
        drawLine(values, last, place);
        last = place;
        this.change({ sines: {}, drawn: [...values] });
      };
    }

    /** The point that is nearest takes another label: an outlier. The others keep theirs, noise included. */
    dragging([x]) {
      const points = this.labels();
      const chosen = nearest(
        points.map((point) => point[0]),
        x,
      );
      let again = false;
      return (place) => {
        points[chosen] = [points[chosen][0], tenThousandths(clamp(place[1], FAR))];
        const moved = points.map((point) => [...point]);
        this.drag(moved, again);
        again = true;
      };
    }
  }

  /**
   * The sines of the target as bars of the spectrum, which is the panel: the mouse pulls the height of one, `raise(k, size)`, from
   * what it is in `sines()`. A finger scrolls there.
   */
  class Bars {
    constructor(place, { panel, sines, raise }) {
      Object.assign(this, { panel, sines, raise });
      place.addEventListener("pointerdown", (event) => this.begin(event));
    }

    begin(event) {
      const panel = this.panel();
      if (event.pointerType === "touch" || !hits(event, panel)) return;
      const k = panel.pointed(event);
      if (k < 1 || k > HEIGHTS) return;
      event.preventDefault();
      const [, sy] = panel.scales();
      const [from, pixels] = [this.sines()[k] ?? 0, sy(0) - sy(1)];
      follow(event, ({ clientY }) => {
        const size = from + (event.clientY - clientY) / pixels;
        this.raise(k, Math.round(20 * Math.min(Math.max(size, 0), TALLEST)) / 20);
      });
    }
  }

  window.fpPen = { Bars, Pen };
})();
