// One run of an experiment, for every lab alike: it asks the trainer, keeps what comes, lets the page draw as often as it can.
(() => {
  "use strict";
  const { Run, address, answer } = window.fpExperiment;
  const LESS_MOTION = matchMedia("(prefers-reduced-motion: reduce)").matches; // then the page is drawn twice a second
  const SLICE = { worker: 25, page: 12 }; // milliseconds of training per request
  const TASK = 12; // milliseconds after which drawing goes on in another task
  const NEXT_FRAME = 1.04; // outputs are kept at steps that grow by this factor: some 120 in a run

  const RUNNING = new Set(); // sessions that train; meanwhile formulas on the page wait

  const pause = () => new Promise((resume) => setTimeout(resume));
  const nextFrame = () => new Promise(requestAnimationFrame); // a hidden page draws nothing, and so waits

  /** Trains on the page, in slices with pauses: from disk, and where a worker is not allowed. */
  class PageTrainer {
    constructor(declared) {
      this.declared = declared;
    }
    async request(question) {
      await pause();
      if (!this.run) {
        this.run = new Run(this.declared);
        await pause();
      }
      return answer(this.run, { ...question, milliseconds: SLICE.page * (question.slices ?? 1) });
    }
    end() {}
  }

  /** Trains behind the page. Answers come in the order of the requests; where the worker fails, the page goes on. */
  class WorkerTrainer {
    constructor(declared) {
      this.waiting = [];
      this.page = new PageTrainer(declared);
      this.worker = new Worker(address);
      this.worker.postMessage({ declared });
      this.worker.onmessage = ({ data }) => this.waiting.shift().resolve(data);
      this.worker.onerror = (event) => {
        event.preventDefault();
        this.worker = null;
        for (const { question, resolve } of this.waiting.splice(0)) resolve(this.page.request(question));
      };
    }
    request(question) {
      if (!this.worker) return this.page.request(question);
      return new Promise((resolve) => {
        this.waiting.push({ question, resolve });
        this.worker.postMessage({ ...question, milliseconds: SLICE.worker * (question.slices ?? 1) });
      });
    }
    end() {
      this.worker?.terminate();
    }
  }

  function trainerOf(declared) {
    try {
      if (/^http/.test(address)) return new WorkerTrainer(declared);
    } catch {} // no worker is allowed here
    return new PageTrainer(declared);
  }

  /**
   * A run on its way. `rows` holds [step, watched quantities ...], `frames` the outputs {step, h, at, bars} that can be shown
   * again, the newest last; `done` is "fitted", "long" or "lost" at the end. `draw()` draws what there is in parts: it yields
   * after each. Where an output takes long, `watch.slices` is how many times as long as else a request trains.
   */
  class Session {
    /** @type {Row[]} */
    rows = [];
    /** @type {Frame[]} */
    frames = [];
    step = 0;
    loss = Number.NaN;
    /** @type {Ending} */
    done = "";

    /**
     * @param {Declared} declared
     * @param {() => Iterable<void>} draw
     */
    constructor(declared, draw) {
      this.declared = declared;
      this.draw = draw;
      this.running = false;
      const { data, training } = declared;
      this.schedule = { lr: [[0, training.lr]], noise: [[0, data.noise ?? 0]] }; // each from these steps on
      this.trainer = trainerOf(declared);
      this.pending = null; // the request that is under way: the trainer runs ahead while the page draws
      this.drawn = 0;
      this.rest = 0; // milliseconds from one drawing to the next
    }

    get view() {
      return this.frames.at(-1);
    }

    get running() {
      return RUNNING.has(this);
    }

    set running(on) {
      if (on) RUNNING.add(this);
      else RUNNING.delete(this);
      document.documentElement.toggleAttribute("data-training", RUNNING.size > 0);
    }

    /** The forecast of the tangent kernel, asked for before training begins. */
    async forecast() {
      this.running = true;
      const { forecast } = await this.trainer.request({ forecast: true });
      return forecast;
    }

    /**
     * Another learning rate or other noise from about the step that the trainer has reached; that step.
     * @param {Change} change
     */
    async retune(change) {
      const { step } = await this.trainer.request({ change });
      for (const [key, value] of Object.entries(change))
        this.schedule[key] = [...this.schedule[key].filter(([from]) => from < step), [step, value]];
      const { noise = this.declared.data.noise } = change;
      this.declared = { ...this.declared, data: { ...this.declared.data, noise } };
      return step;
    }

    /** Trains to the end, or `most` steps; true when it has come to rest, false where another call has taken over. */
    async train(most) {
      try {
        return await this.advance(most);
      } catch (error) {
        this.running = false;
        throw error;
      }
    }

    async advance(most) {
      const turn = {};
      const { slices } = this.declared.watch;
      this.turn = turn;
      this.running = true;
      this.drawn = 0;
      while (this.running) {
        await this.take({ most, slices });
        if (this.turn !== turn) return false;
        if (this.done || (most && this.step)) break;
        if (!most) this.pending ??= this.trainer.request({ slices });
        await nextFrame(); // a task of its own
        if (this.turn === turn && this.running) await this.drawInTime();
        if (this.turn !== turn) return false;
      }
      if (this.pending && !this.done) await this.take(); // what was under way when Stop was pressed counts
      if (this.turn !== turn) return false;
      await this.drawAll();
      if (this.turn !== turn) return false;
      this.running = false;
      return true;
    }

    /**
     * Waits for the request that is under way, or makes one, and keeps its report.
     * @param {TrainerRequest} [question]
     */
    async take(question = {}) {
      this.pending ??= this.trainer.request(question);
      const request = this.pending;
      /** @type {Report} */
      const report = await request;
      if (this.pending !== request) return; // another call has kept it
      this.pending = null;
      const { step, h, at, bars, done, loss, fresh } = report;
      const before = this.frames.at(-2);
      if (before && step < before.step * NEXT_FRAME && step > 20) this.frames.pop();
      this.frames.push({ step, h, at, bars });
      this.rows.push(...fresh);
      Object.assign(this, { step, loss, done });
    }

    /** Draws, and rests twice as long as that takes. */
    async drawInTime() {
      const begins = performance.now();
      if (begins < this.drawn + this.rest) return;
      await this.drawAll();
      this.drawn = performance.now();
      this.rest = LESS_MOTION ? 500 : 2 * (this.drawn - begins);
    }

    /** Draws part after part, on a slow processor in several tasks, unless another call has taken over. */
    async drawAll() {
      const { turn } = this;
      let task = performance.now();
      for (const _ of this.draw()) {
        if (performance.now() < task + TASK) continue;
        await nextFrame();
        if (this.turn !== turn) return;
        task = performance.now();
      }
      await nextFrame();
    }

    stop() {
      this.running = false;
    }

    end() {
      this.turn = null;
      this.running = false;
      this.trainer.end();
    }
  }

  window.fpSession = { LESS_MOTION, Session };
})();
