// Inputs made from their declarations, each with its refusal beside it; the limits are those of fpbook.lab.spec.
(() => {
  "use strict";
  const { element } = window.fpReplay;
  const { say } = window.fpMessages;

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  /** The value if the control allows it; an error with the reason if not. */
  function check(control, value) {
    const reason = findProblem(control, value);
    if (reason) throw new Error(reason);
    return value;
  }

  function findProblem(control, value) {
    if (!control) return say("unknown");
    if (control.options) {
      const known = Object.values(control.options).some((option) => same(option, value));
      return known ? "" : say("one of", { ...control, options: Object.keys(control.options).join(", ") });
    }
    if (control.frequencies) return problemOfFrequencies(control, value);
    if (control.low === undefined) return typeof value === "boolean" ? "" : say("switch", control);
    const { low, high, step } = control;
    const whole = Number.isInteger(step);
    if (typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value)))
      return "";
    return say(whole ? "whole" : "number", control) + because(control);
  }

  function problemOfFrequencies(control, value) {
    const waves = Object.entries(value ?? {});
    const whole = waves.length > 0 && waves.every(([k, size]) => /^\d+$/.test(k) && Math.abs(size) <= 10);
    if (whole && waves.every(([k]) => k >= control.low && k <= control.high)) return "";
    const tooHigh = whole && waves.some(([k]) => k > control.high);
    return say("frequencies", control) + (tooHigh ? because(control) : "");
  }

  const because = ({ why }) => (why ? say("because", { why }) : "");

  /** A button; a double click on it is one click where `once` is set. */
  function button(parent, text, act, { once = false, ...attributes } = {}) {
    const node = element("button", parent, { type: "button", ...attributes });
    node.textContent = text;
    node.addEventListener("click", (event) => {
      if (!once || event.detail < 2) act(event);
    });
    return node;
  }

  /** Brings a text into view, and with it the bar of the button that was pressed, which on a phone may have stayed in sight alone. */
  function showBeside({ parentElement: bar }, text) {
    text.style.scrollMarginTop = `${bar.offsetHeight}px`;
    text.scrollIntoView({ block: "nearest" });
  }

  /** The text of an option by its value, or the value as a reader writes it. */
  function written({ options, frequencies }, value) {
    if (options) return Object.keys(options).find((name) => same(options[name], value));
    if (frequencies) return Object.keys(value).join(", ");
    if (typeof value === "boolean") return value ? "on" : "off";
    return window.fpReplay.number(value);
  }

  /**
   * An input under its label. `get()` is the present value, `change(value)` takes another one, `refused(reason)` is told
   * what cannot be; with `slider` a number has a slider beside it.
   */
  class Control {
    /**
     * @param {HTMLElement} parent
     * @param {Choice} spec
     * @param {{ get: () => any, change: (value: any) => void, refused: (reason: string) => void, slider?: boolean }} page
     */
    constructor(parent, spec, { get, change, refused, slider = false }) {
      this.spec = spec;
      this.get = get;
      this.change = change;
      this.refused = refused;
      this.box = element("div", parent, { class: "control" });
      this.label = element("label", this.box);
      element("span", this.label).textContent = spec.short || spec.label;
      this.node = this.field();
      if (spec.short) this.node.setAttribute("aria-label", spec.label);
      if (spec.note) this.box.title = spec.note;
      this.reason = element("small", this.box, { class: "refusal", hidden: "" });
      this.node.addEventListener("change", () => this.take());
      if (slider && spec.step && spec.high < 1e6) this.addSlider();
    }

    /** @returns {any} an input or a select */
    field() {
      const { low, high, step, options, frequencies } = this.spec;
      if (options) {
        const node = element("select", this.label);
        for (const option in options) element("option", node).textContent = option;
        return node;
      }
      if (frequencies) return element("input", this.label, { type: "text" });
      if (low === undefined) return element("input", this.label, { type: "checkbox" });
      return element("input", this.label, {
        type: "number",
        min: low,
        max: high,
        step,
        inputmode: "decimal",
      });
    }

    addSlider() {
      const { low, high, step } = this.spec;
      const range = { type: "range", min: low, max: high, step, "aria-hidden": "true", tabindex: -1 };
      this.slider = element("input", this.label, range);
      this.slider.addEventListener("input", () => {
        this.node.value = this.slider.value;
        this.take();
      });
    }

    read() {
      const { options, frequencies, low } = this.spec;
      const { node } = this;
      if (options) return Object.values(options)[node.selectedIndex];
      if (frequencies) {
        const parts = node.value.split(",").map((k) => k.trim());
        return Object.fromEntries(parts.filter(Boolean).map((k) => [k, this.get()[k] ?? 1]));
      }
      if (low === undefined) return node.checked;
      return node.value === "" ? Number.NaN : Number(node.value);
    }

    /** Shows the present value. */
    write() {
      const { options, frequencies, low } = this.spec;
      const { node } = this;
      const value = this.get();
      if (options) node.selectedIndex = Object.values(options).findIndex((option) => same(option, value));
      else if (frequencies) node.value = Object.keys(value).join(", ");
      else if (low === undefined) node.checked = value;
      else node.value = value;
      if (this.slider) this.slider.value = value;
      this.refuse("");
    }

    take() {
      let value;
      try {
        value = check(this.spec, this.read());
      } catch (error) {
        this.refuse(error.message);
        return this.refused(say("again", { reason: error.message }));
      }
      this.refuse("");
      this.change(value);
    }

    refuse(reason) {
      this.node.toggleAttribute("aria-invalid", false);
      if (reason) this.node.setAttribute("aria-invalid", "true");
      this.reason.textContent = reason;
      this.reason.hidden = !reason;
    }

    get wrong() {
      return this.node.hasAttribute("aria-invalid");
    }
  }

  /** A dialog with a heading and a button that closes it, closed at first. */
  function dialog(parent, title) {
    const node = element("dialog", parent, { class: "lab-dialog", "aria-label": title });
    const head = element("div", node, { class: "replay-controls" });
    element("strong", head).textContent = title;
    button(head, "Close", () => node.close());
    return node;
  }

  window.fpControls = { Control, button, check, dialog, same, showBeside, written };
})();
