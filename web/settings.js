// The playground's settings in its address: a lesson, or what differs from the first one; each checked like what is typed.
(() => {
  "use strict";
  const { ALL, FIRST, HEIGHTS, LESSONS, NODES, TALLEST, problemOfPoints } = window.fpLessons;
  const { check } = window.fpControls;
  const PARTS = ["lessons", "target", "points", "network", "training", "take", "table"]; // that a link can hide

  const READ = {
    sines(text) {
      const pairs = text ? text.split(",").map((pair) => /^(\d{1,2}):(\d(?:\.\d{1,2})?)$/.exec(pair)) : [];
      if (pairs.some((pair) => !pair || pair[1] < 1 || pair[1] > HEIGHTS || pair[2] > TALLEST)) {
        throw new Error(
          `sines are pairs of a frequency from 1 to ${HEIGHTS} and a height from 0 to ${TALLEST}`,
        );
      }
      return Object.fromEntries(pairs.map(([, k, size]) => [Number(k), Number(size)]));
    },
    drawn(text) {
      const values = text.split(",");
      if (values.length !== NODES || values.some((v) => !/^-?\d{1,4}$/.test(v) || Math.abs(v) > 1000)) {
        throw new Error(`a drawn target is ${NODES} whole numbers from -1000 to 1000`);
      }
      return values.map((v) => v / 100);
    },
    own(text) {
      const values = text.split(",").map((pair) => {
        const found = /^(-?\d(?:\.\d{1,4})?):(-?\d{1,2}(?:\.\d{1,4})?)$/.exec(pair);
        return found ? found.slice(1).map(Number) : [Number.NaN, Number.NaN];
      });
      const problem = problemOfPoints(values);
      if (problem) throw new Error(`own points are pairs x:y with commas between them; ${problem}`);
      return values;
    },
  };

  /** One setting of the address, checked like what is typed. */
  function readSetting(name, text) {
    if (Object.hasOwn(READ, name)) return READ[name](text);
    if (!Object.hasOwn(ALL, name)) throw new Error("it names a setting that is not here");
    const { options, low } = ALL[name];
    if (options) return check(ALL[name], text);
    if (low === undefined) return check(ALL[name], { 0: false, 1: true }[text]);
    return check(ALL[name], text.trim() === "" ? Number.NaN : Number(text));
  }

  /** The settings as pairs of name and text. */
  function entriesOf(now, lesson) {
    const base = { ...FIRST, ...(lesson ? LESSONS[lesson].values : {}) };
    const entries = lesson ? [["lesson", lesson]] : [];
    for (const key in ALL) {
      const value = now[key];
      if (value !== base[key]) entries.push([key, typeof value === "boolean" ? Number(value) : value]);
    }
    return lesson ? entries : [...entries, ...targetEntries(now)];
  }

  function targetEntries({ drawn, own, sines }) {
    const entries = [];
    if (drawn) entries.push(["drawn", drawn.map((v) => Math.round(100 * v)).join(",")]);
    if (own) entries.push(["own", own.map((point) => point.join(":")).join(",")]);
    const pairs = Object.entries(sines).map(([k, size]) => `${k}:${size}`);
    return [...entries, ["sines", pairs.join(",")]];
  }

  /** What such pairs say: the lesson, or null, and values that differ from it; an Error with the reason if they cannot be used. */
  function readEntries(all) {
    const { hide, lock, ...given } = Object.fromEntries(all);
    const lesson = given.lesson ?? null;
    if (lesson !== null && !Object.hasOwn(LESSONS, lesson))
      throw new Error("it names no lesson of this page");
    const rest = Object.entries(given).filter(([name]) => name !== "lesson");
    const values = Object.fromEntries(rest.map(([name, text]) => [name, readSetting(name, text)]));
    return { lesson, values, ...readFrame(hide, lock) };
  }

  /** What a link hides, and whether it fixes the settings, as for a class. */
  function readFrame(hide, lock) {
    const hidden = hide ? hide.split(",") : [];
    const unknown = hidden.find((part) => !PARTS.includes(part));
    if (unknown !== undefined)
      throw new Error(`it hides a part that is not here; there are ${PARTS.join(", ")}`);
    if (![undefined, "0", "1"].includes(lock)) throw new Error("lock is 0 or 1");
    return { hidden, lock: lock === "1" };
  }

  window.fpSettings = { PARTS, entriesOf, readEntries };
})();
