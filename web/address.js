// What stands in the address of a page behind "#": settings that a link keeps. Whatever comes from there is checked by the reader.
(() => {
  "use strict";
  const PAUSE = 200; // milliseconds: browsers allow few changes of the address a second

  /** The settings of one lab: `prefix` begins them, `read(entries)` takes them, an Error if it cannot. */
  class Address {
    /**
     * @param {string} prefix
     * @param {(entries: [string, string][]) => void} read
     */
    constructor(prefix, read) {
      this.prefix = prefix;
      this.read = read;
      this.late = 0;
    }

    /** Reads the address if it is this lab's; true if it was. */
    open() {
      if (!location.hash.startsWith(this.prefix)) return false;
      this.read([...new URLSearchParams(location.hash.slice(this.prefix.length))]);
      return true;
    }

    /** The address, as far as it stands behind the page's, of pairs of name and text; without any that of the page. */
    of(entries) {
      const here = location.pathname + location.search;
      return entries.length ? this.prefix + new URLSearchParams(entries) : here;
    }

    /** Writes pairs of name and text into the address. */
    write(entries) {
      clearTimeout(this.late);
      const there = this.of(entries);
      const wait = entries.length && performance.now() < (this.written ?? -PAUSE) + PAUSE ? PAUSE : 0;
      const put = () => {
        this.written = performance.now();
        history.replaceState(null, "", there);
      };
      if (wait) this.late = setTimeout(put, wait);
      else put();
    }
  }

  window.fpAddress = { Address };
})();
