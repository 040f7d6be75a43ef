// A function on the interval as a tone that repeats it: frequency k is the k-th partial. Silent until it is asked for.
(() => {
  "use strict";
  const { amplitudes, nudft } = window.fpExperiment;
  const { element } = window.fpReplay;
  const { button } = window.fpControls;
  const BASE = 110; // Hz of frequency 1
  const PARTIALS = 60; // up to 6,600 Hz
  const LOUD = 0.12; // of full scale, for the largest wave of the target
  const HEARD = 20; // frequencies of which the largest sets the loudness
  const FADE = 0.03; // seconds in which a tone begins and ends, so that it does not click

  /** Cosines and sines of values at points of one period, as a PeriodicWave takes them; `size` is what sounds as loud as 1. */
  function partialsOf(x, values, size) {
    const parts = Array.from({ length: PARTIALS + 1 }, (_, k) => (k ? nudft(x, values, k) : [0, 0]));
    const real = Float32Array.from(parts, ([re]) => (2 * re) / size);
    return { real, imag: Float32Array.from(parts, ([, im]) => (-2 * im) / size) };
  }

  /** One tone at a time. */
  class Tone {
    /** False where the browser has no sound. */
    static possible = typeof AudioContext === "function";

    get on() {
      return Boolean(this.oscillator);
    }

    play(x, values, size) {
      this.context ??= new AudioContext();
      this.context.resume();
      this.stop();
      this.gain = this.context.createGain();
      this.gain.gain.setValueAtTime(0, this.context.currentTime);
      this.gain.gain.linearRampToValueAtTime(LOUD, this.context.currentTime + FADE);
      this.oscillator = this.context.createOscillator();
      this.oscillator.frequency.value = BASE;
      this.change(x, values, size);
      this.oscillator.connect(this.gain).connect(this.context.destination);
      this.oscillator.start();
    }

    /** Another function for the tone that sounds. */
    change(x, values, size) {
      const { real, imag } = partialsOf(x, values, size);
      const wave = this.context.createPeriodicWave(real, imag, { disableNormalization: true });
      this.oscillator?.setPeriodicWave(wave);
    }

    stop() {
      if (!this.oscillator) return;
      const now = this.context.currentTime;
      this.gain.gain.setTargetAtTime(0, now, FADE / 5); // from what it is now; a ramp would begin where the last one ended
      this.oscillator.stop(now + FADE);
      this.oscillator = null;
    }
  }

  /**
   * Two buttons, and what sounds as long as one is pressed: target or output, as `shown()` gives {x, target, output} at the
   * moment; both with one loudness.
   */
  class Sounds {
    constructor(parent, shown) {
      Object.assign(this, { shown, tone: new Tone(), name: null });
      const group = element("span", parent, { role: "group", "aria-label": "Hear it as a tone" });
      this.buttons = ["target", "output"].map((name) => {
        const node = button(group, `\u266a ${name}`, () => this.hear(name), { "aria-pressed": false });
        return { name, node };
      });
      document.addEventListener("visibilitychange", () => this.hear(null));
    }

    hear(name) {
      this.name = this.name === name ? null : name;
      for (const one of this.buttons) one.node.setAttribute("aria-pressed", one.name === this.name);
      this.tone.stop();
      this.give("play");
    }

    /** What is shown has changed. */
    follow() {
      this.give("change");
    }

    give(how) {
      if (!this.name) return;
      const { x, target, output } = this.shown();
      const sizes = [target, output].flatMap((one) => [...amplitudes(x, one, HEARD)]);
      const size = Math.max(0.1, ...sizes);
      if (Number.isFinite(size)) this.tone[how](x, this.name === "target" ? target : output, size);
    }
  }

  window.fpSound = { Sounds, Tone, partialsOf };
})();
