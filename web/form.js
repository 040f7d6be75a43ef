// What can be chosen in the playground: heights, shapes and points of the target, and the inputs of its settings.
(() => {
  "use strict";
  const { element } = window.fpReplay;
  const { CONTROLS, HEIGHTS, TALLEST, declared } = window.fpLessons;
  const { SHAPES, shape, straightLines, tenThousandths } = window.fpPoints;
  const { PointsEditor } = window.fpPointsEditor;
  const { Control, button } = window.fpControls;
  const { PasteDialog } = window.fpDialogs;
  const { Bars, Pen } = window.fpPen;

  /**
   * Stands in `desk`, its dialog in `root`. `now()` gives the settings, `change(values)` takes others, `refused(reason)` is told
   * what cannot be, `tell(what)` what has happened; the pen draws in the first panel of the stage.
   */
  class Form {
    constructor(desk, root, { stage, now, change, refused, tell }) {
      Object.assign(this, { root, stage, now, change, refused, tell, parts: {}, inputs: {}, locked: false });
      this.addParts(element("div", desk, { class: "play-choose" }));
    }

    addParts(form) {
      const group = (part, title) => {
        const box = element("fieldset", form);
        this.parts[part] = box;
        element("legend", box).textContent = title;
        return box;
      };
      this.addHeights(group("target", "Target: height of each sine"));
      this.inputs = {};
      for (const title in CONTROLS) {
        const box = group(title.toLowerCase(), title);
        const grid = element("div", box, { class: "play-pairs" });
        for (const key in CONTROLS[title]) this.inputs[key] = this.control(grid, key, CONTROLS[title][key]);
      }
    }

    addHeights(box) {
      const sliders = element("div", box, { class: "play-heights" });
      this.heights = Array.from({ length: HEIGHTS }, (_, i) => {
        const label = element("label", sliders);
        const range = { type: "range", min: 0, max: TALLEST, step: 0.05, orient: "vertical" };
        const node = element("input", label, { ...range, "aria-label": `height of frequency ${i + 1}` });
        element("span", label, { "aria-hidden": "true" }).textContent = i + 1;
        node.addEventListener("input", () => this.raise(i + 1, Number(node.value)));
        return node;
      });
      this.addShapes(element("p", box, { class: "play-draws" }));
      this.hint = element("p", box, { class: "play-hint" });
      this.editor = new PointsEditor(box, {
        now: this.now,
        labels: () => this.labels(),
        change: (values) => this.change(values),
        tell: this.tell,
      });
      this.moves(false);
    }

    addShapes(bar) {
      for (const name in SHAPES) button(bar, name, () => this.change({ sines: {}, drawn: shape(name) }));
      this.addPen();
      this.mover = button(bar, "Move points", () => this.moves(!this.pen.moving), { "aria-pressed": false });
      const paste = new PasteDialog(this.root, (read) => this.takeOver(read));
      const opens = { "aria-haspopup": "dialog", "aria-label": "Paste points" };
      button(bar, "Paste", () => paste.show(this.labels()), opens);
      const clear = () => this.change({ sines: {}, drawn: null });
      button(bar, "Clear", clear, { "aria-label": "Clear the target" });
    }

    addPen() {
      const { output, spectrum } = this.stage.places;
      output.classList.add("play-draw");
      this.pen = new Pen(output, {
        panel: () => (this.locked ? null : this.stage.panels.output),
        now: this.now,
        labels: () => this.labels(),
        change: (values) => this.change(values),
        drag: (points, again) => this.editor.drag(points, again),
        press: (place, i) => this.editor.press(place, i),
      });
      spectrum.classList.add("play-bars");
      new Bars(spectrum, {
        panel: () => (this.locked ? null : this.stage.panels.spectrum),
        sines: () => this.now().sines,
        raise: (k, size) => this.raise(k, size),
      });
    }

    /** What the pointer does in the first panel: it draws the target, or moves the points. */
    moves(points) {
      this.pen.moving = points;
      this.mover.setAttribute("aria-pressed", points);
      this.stage.places.output.classList.toggle("play-moves", points);
      this.editor.show(points);
      this.hint.textContent = points
        ? "Drag a point, or click to add one."
        : "Or draw the target in the first panel, or pull its rings in the spectrum.";
    }

    /** Points that were pasted. */
    takeOver({ points, moved }) {
      this.change({ own: points, sines: {}, drawn: straightLines(points) });
      const how = moved ? ", moved and stretched into the interval from \u2212\u03c0 to \u03c0" : "";
      this.tell(`${points.length} points are taken over${how}. Press Train.`);
    }

    /** The points with their labels as they stand, [[x, y], ...]. */
    labels() {
      const { x, y } = this.stage.dataOf({ declared: declared(this.now()) });
      return Array.from(x, (v, i) => [tenThousandths(v), tenThousandths(y[i])]);
    }

    raise(k, size) {
      const sines = { ...this.now().sines, [k]: size };
      if (!size) delete sines[k];
      this.change({ sines });
    }

    control(box, key, spec) {
      return new Control(box, spec, {
        get: () => this.now()[key],
        change: (value) => this.change({ [key]: value }),
        refused: this.refused,
      });
    }

    // ---- Its state ----

    write() {
      const { activation, own, sines } = this.now();
      for (const input of Object.values(this.inputs)) input.write();
      this.heights.forEach((node, i) => (node.value = sines[i + 1] ?? 0));
      this.inputs.a.box.hidden = activation !== "ricker";
      const { points } = this.parts;
      points.firstChild.textContent = own ? `Points: ${own.length} of your own` : "Points";
      points.classList.toggle("play-own", Boolean(own));
      this.editor.write();
    }

    lock(locked) {
      this.locked = locked;
      for (const part of Object.values(this.parts)) part.disabled = locked;
    }

    /** An input whose value was refused; undefined if there is none. */
    get wrong() {
      return Object.values(this.inputs).find((input) => input.wrong);
    }
  }

  window.fpForm = { Form };
})();
