// What the scripts of a page hand to one another on `window`, for the TypeScript compiler alone; no page loads this file.

type Step = number;
/** A step, then what is watched, in the order of `names(declared)`. */
type Row = number[];
type Values = ArrayLike<number>;

/** An experiment as fpbook.lab.spec describes it. */
interface Declared {
  data: any;
  network: any;
  training: { lr: number; steps: number; stop?: number; weight?: number; [name: string]: any };
  watch: { series: string[]; threshold?: number; bars?: number; slices?: number; [name: string]: any };
  says?: string;
}

/** An output that was kept: at the fine points, at the training points, and the bars of its spectrum. */
interface Frame {
  step: Step;
  h: Float64Array;
  at: Float64Array;
  bars: Float64Array;
}

type Ending = "" | "fitted" | "long" | "lost";
interface RunLike {
  declared: Declared;
  rows: Row[];
  frames: Frame[];
  done: Ending;
}

interface Question {
  answers: string[];
  by: string[];
  edges: number[];
}

interface Report extends Frame {
  loss: number;
  done: Ending;
  fresh: Row[];
}
interface TrainerRequest {
  milliseconds?: number;
  most?: number;
  slices?: number;
  forecast?: boolean;
  change?: Change;
}
/** What changes while it trains. */
interface Change {
  lr?: number;
  noise?: number;
}

/** What can be chosen: one of `options`, frequencies, a number from `low` to `high`, or else a switch. */
interface Choice {
  label: string;
  short?: string;
  low?: number;
  high?: number;
  step?: number | "any";
  why?: string;
  note?: string;
  options?: Record<string, unknown>;
  frequencies?: boolean;
}

interface Tools {
  element<K extends keyof HTMLElementTagNameMap>(
    name: K,
    parent?: Node | null,
    attributes?: Record<string, unknown>,
  ): HTMLElementTagNameMap[K];
  element(name: string, parent?: Node | null, attributes?: Record<string, unknown>): SVGElement;
  number(value: number): string;
  nearest(values: number[], value: number): number;
  crossings(values: number[], threshold: number): { first: number; stays: number };
  [name: string]: any;
}

interface Trainer {
  Net: new (...parts: any[]) => any;
  Training: new (...parts: any[]) => any;
  BatchTraining: new (...parts: any[]) => any;
  Random: new (seed: number) => any;
  nudft(x: Values, f: Values, k: number): [number, number];
  relativeError(h: number[], f: number[]): number;
  [name: string]: any;
}

interface Experiment {
  address: string | null;
  names(declared: Declared): string[];
  frequencyOf(name: string): number | null;
  numbers(data: any, seed: number): any;
  answer(run: any, request: TrainerRequest): any;
  peaks(data: any): number[];
  amplitudes(x: Values, f: Values, n: number): Float64Array;
  nudft(x: Values, f: Values, k: number): [number, number];
  [name: string]: any;
}

interface Messages {
  answer(question: Question, run: RunLike, recorded?: RunLike): string;
  column(name: string, run: RunLike): number[] | null;
  measure(text: string, run: RunLike, recorded?: RunLike): number;
  order(run: RunLike): string;
  parts(run: RunLike, recorded?: RunLike): (string | [string, string | null])[];
  reached(name: string, run: RunLike): string;
  reply(question: Question, guess: number, right: number | null): string;
  say(name: string, values?: Record<string, unknown>): string;
  verdict(question: Question, run: RunLike, recorded?: RunLike): number | null;
  words(run: RunLike, recorded?: RunLike): string;
}

interface Window {
  fpWords: Record<string, string>;
  fpReplay: Tools;
  fpTrainer: Trainer;
  fpRod: any;
  fpExperiment: Experiment;
  fpMessages: Messages;
  fpSession: { LESS_MOTION: boolean; Session: any };
  fpAddress: { Address: any };
  fpColors: any;
  fpControls: any;
  fpPanels: any;
  fpLabPanels: any;
  fpLessons: any;
  fpSettings: {
    PARTS: string[];
    entriesOf(now: any, lesson: string | null): [string, any][];
    readEntries(all: [string, string][]): {
      lesson: string | null;
      values: Record<string, any>;
      hidden: string[];
      lock: boolean;
    };
  };
  fpPoints: any;
  fpPointsEditor: any;
  fpTakeaway: any;
  fpDialogs: any;
  fpSound: any;
  fpPen: any;
  fpStage: any;
  fpForm: any;
  fpForecast: any;
  fpPlayground: any;
  fpPicture: any;
  fpPortrait: any;
  fpLandingRun: any;
}
