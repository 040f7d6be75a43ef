// The playground's two dialogs, the Python of a setting and points of one's own; and the buttons by which a run is taken along.
(() => {
  "use strict";
  const { element } = window.fpReplay;
  const { button, dialog } = window.fpControls;
  const { readPoints } = window.fpPoints;
  const { copy, csvOf, pictureOf, pythonOf, save } = window.fpTakeaway;
  const CODE = { class: "play-python", tabindex: 0, role: "region", "aria-label": "Python of this setting" };

  /** Copies a text, and says in `place` whether that was possible. */
  async function copied(text, done, place, field = document.body) {
    place.textContent = "";
    const there = await copy(text, field);
    place.textContent = there ? done : "This browser does not let a page copy; please select the text.";
  }

  class PythonDialog {
    constructor(parent) {
      this.box = dialog(parent, "The Python of this setting");
      element("p", this.box).textContent =
        "Where fpbook is installed, this takes the same steps from the same initial weights as the run in the page.";
      const bar = element("div", this.box, { class: "replay-controls" });
      button(bar, "Copy again", () => this.copy());
      this.said = element("output", bar);
      this.code = element("pre", this.box, CODE);
    }

    show(script) {
      this.code.textContent = script;
      this.box.showModal();
      this.copy();
    }

    copy() {
      copied(this.code.textContent, "Copied.", this.said, this.box);
    }
  }

  /** Points one a line, to be changed by keyboard or replaced; `use(read)` gets what `readPoints` made of them. */
  class PasteDialog {
    constructor(parent, use) {
      this.use = use;
      this.box = dialog(parent, "Points of your own");
      element("p", this.box).textContent =
        "One point a line: x, a comma, y. Between them the target is taken to be straight.";
      const field = { rows: 12, spellcheck: false, "aria-label": "points, one a line" };
      this.field = element("textarea", this.box, field);
      const bar = element("div", this.box, { class: "replay-controls" });
      button(bar, "Use these points", () => this.take());
      this.said = element("output", bar, { class: "refusal" });
    }

    show(points) {
      this.field.value = points.map((point) => point.join(", ")).join("\n");
      this.said.textContent = "";
      this.box.showModal();
      this.field.select();
    }

    take() {
      try {
        const read = readPoints(this.field.value);
        this.box.close();
        this.use(read);
      } catch (error) {
        this.said.textContent = error.message;
      }
    }
  }

  /** Python, link, table and picture of a run. `run()` and `now()` are what is shown and chosen, `link()` its address. */
  class TakeBar {
    constructor(bar, root, { run, now, link, panels }) {
      this.now = now;
      this.box = element("span", bar, { role: "group", "aria-label": "Take it with you" });
      this.said = element("output", bar);
      const python = new PythonDialog(root);
      const script = () => pythonOf(run()?.now ?? now(), run()?.schedule);
      button(this.box, "Python", () => python.show(script()), { "aria-haspopup": "dialog" });
      const done = "The link to these settings is copied.";
      button(this.box, "Copy link", () => copied(link(), done, this.said));
      const table = () => new Blob([csvOf(run())], { type: "text/csv" });
      this.csv = button(this.box, "CSV", () => this.save("csv", table()));
      button(this.box, "PNG", () => pictureOf(panels).toBlob((blob) => this.save("png", blob)));
    }

    save(kind, blob) {
      const name = `playground-seed-${this.now().seed}.${kind}`;
      save(name, blob);
      this.said.textContent = `Saved as ${name}.`;
    }
  }

  window.fpDialogs = { PasteDialog, TakeBar };
})();
