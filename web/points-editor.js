// The points of the playground, one by one: a click adds or chooses one, by keyboard it is chosen by its number; one is removed,
// and each of these is undone.
(() => {
  "use strict";
  const { element, number } = window.fpReplay;
  const { FAR, problemOfPoints } = window.fpLessons;
  const { clamp, tenThousandths } = window.fpPoints;
  const { button } = window.fpControls;
  const { PI } = Math;

  const written = (/** @type {number[]} */ [x, y]) => `x = ${number(x)}, y = ${number(y)}`;

  /**
   * A line in `parent`. `now()` gives the settings, `labels()` the points with their labels as they stand, `change(values)` takes
   * others, `tell(what)` what has happened.
   */
  class PointsEditor {
    constructor(parent, { now, labels, change, tell }) {
      this.now = now;
      this.labels = labels;
      this.change = change;
      this.tell = tell;
      /** @type {([number, number][] | null)[]} points of before, for Undo */
      this.before = [];
      this.set = null; // the points that were set here last
      this.box = element("p", parent, { class: "play-points", hidden: "" });
      const label = element("label", this.box);
      label.append("point ");
      this.chosen = element("input", label, { type: "number", min: 1, step: 1, value: 1 });
      this.chosen.addEventListener("change", () => this.choose(this.index()));
      button(this.box, "Remove", () => this.remove(), { "aria-label": "Remove the point" });
      this.back = button(this.box, "Undo", () => this.undo(), {
        "aria-label": "Undo the last change of points",
      });
    }

    show(on) {
      this.box.hidden = !on;
      this.write();
    }

    /** Points that were set elsewhere have nothing to be undone. */
    write() {
      if (this.now()?.own !== this.set) this.before = [];
      this.back.disabled = !this.before.length;
    }

    index() {
      return clamp(Math.round(Number(this.chosen.value)), this.labels().length) - 1;
    }

    choose(i) {
      const points = this.labels();
      const at = Math.max(0, i);
      this.chosen.value = String(at + 1);
      this.tell(`Point ${at + 1} of ${points.length}: ${written(points[at])}.`);
    }

    press(/** @type {number[]} */ [x, y], i) {
      if (i >= 0) return this.choose(i);
      const added = [tenThousandths(clamp(x, PI)), tenThousandths(clamp(y, FAR))];
      const points = [...this.labels(), added].sort((a, b) => a[0] - b[0]);
      if (!this.take(points, `Added: ${written(added)}`)) return;
      this.chosen.value = String(points.indexOf(added) + 1);
    }

    remove() {
      const points = this.labels();
      const [gone] = points.splice(Math.max(0, this.index()), 1);
      this.take(points, `Removed: ${written(gone)}`);
    }

    /** Other points; false, with the reason, where they cannot be trained on. */
    take(points, what) {
      const problem = problemOfPoints(points);
      if (problem) {
        this.tell(`These points cannot be used: ${problem}.`);
        return false;
      }
      this.drag(points, false);
      this.tell(`${what}. ${points.length} points. Press Train.`);
      return true;
    }

    /** Points of which one is dragged; `again` if the same drag has moved it before. */
    drag(points, again) {
      const { own } = this.now();
      if (!again && own !== this.set) this.before = [];
      if (!again) this.before.push(own);
      this.set = points;
      this.change({ own: points });
    }

    undo() {
      this.set = this.before.pop();
      this.change({ own: this.set });
      this.tell(`Undone. ${this.labels().length} points. Press Train.`);
    }
  }

  window.fpPointsEditor = { PointsEditor };
})();
