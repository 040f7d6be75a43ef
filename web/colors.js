// The colours of the book: a twin of COLORS in fpbook/plotting.py and of FREQUENCY_COLORS in fpbook/lab/spec.py.
(() => {
  "use strict";
  const COLORS = {
    target: "#9a9a9a",
    output: "#cc79a7",
    points: "#000000",
    low: "#0072b2",
    middle: "#d55e00",
    high: "#009e73",
    easy: "#56b4e9",
    hard: "#e69f00",
    training: "#0072b2",
    test: "#d55e00",
  };

  // Of frequencies 0, 1, 2, ...; 1, 3 and 5 are low, middle and high.
  const { low, middle, high, easy, hard } = COLORS;
  const FREQUENCY_COLORS = [
    easy,
    low,
    "#7a5cc0",
    middle,
    hard,
    high,
    "#7f0000",
    "#332288",
    "#999933",
    "#44aa99",
  ];
  FREQUENCY_COLORS.push("#882255", "#6f4e37", "#5b7a1f");

  const frequencyColor = (k) => FREQUENCY_COLORS[k % FREQUENCY_COLORS.length];
  window.fpColors = { COLORS, FREQUENCY_COLORS, REST: "#7a8b99", frequencyColor };
})();
