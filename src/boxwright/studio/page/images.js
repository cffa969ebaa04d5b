// The images of the folder: their rows, which of them a filter shows, and pixels loaded ahead.

/** @typedef {"new"|"labeled"|"verified"|"aside"} State */
/**
 * @typedef {object} Row
 * @property {number} index
 * @property {string} name
 * @property {State} state
 * @property {number} boxes
 * @property {string[]} classes
 * @property {boolean} blind
 * @property {number} proposals
 */
/** @typedef {{text: string, state: string, label: string}} Filter */

/** Choices of the filter. @type {Record<string, {title: string, fits: (row: Row) => boolean}>} */
export const STATES = {
  all: { title: "All images", fits: () => true },
  new: { title: "Unlabeled", fits: ({ state }) => state === "new" },
  labeled: { title: "Labeled", fits: ({ state }) => state === "labeled" || state === "verified" },
  verified: { title: "Verified", fits: ({ state }) => state === "verified" },
  empty: { title: "Verified without boxes", fits: ({ state, boxes }) => state === "verified" && !boxes },
  proposals: { title: "With proposals", fits: ({ proposals }) => proposals > 0 },
  blind: { title: "Test images (blind)", fits: ({ blind }) => blind },
  aside: { title: "Set aside", fits: ({ state }) => state === "aside" },
};

const CHUNK = 2000; // rows of the first request, around the image that is opened
const STEP = 500; // of others: what a key asks for comes between two of them
const SHOWN_EVERY = 500; // ms: to filter and count all rows takes a while
const AHEAD = 6; // images whose pixels are kept

/** The rows that a filter shows; words of the text may be in any order.
 * @param {(Row|undefined)[]} rows @param {Filter} filter @returns {number[]} indices */
export function filtered(rows, { text, state, label }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const { fits } = STATES[state] ?? STATES.all;
  const found = [];
  for (const row of rows) {
    if (!row || !fits(row) || (label && !row.classes.includes(label))) continue;
    const name = row.name.toLowerCase();
    if (words.every((word) => name.includes(word))) found.push(row.index);
  }
  return found;
}

/** The neighbor of an image among those that are shown; also if it is not among them.
 * @param {number[]} shown ascending @param {number} index @param {1|-1} step
 * @returns {number|null} */
export function neighbor(shown, index, step) {
  const at = firstFrom(shown, index);
  const next = step < 0 ? at - 1 : shown[at] === index ? at + 1 : at;
  return shown[next] ?? null;
}

/** Where an index is, or would be, among ascending ones. @param {number[]} shown @param {number} index */
export function firstFrom(shown, index) {
  let [low, high] = [0, shown.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shown[middle] < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far the labels are, and in how many images each class is.
 * @param {(Row|undefined)[]} rows */
export function progress(rows) {
  /** @type {Map<string, number>} */
  const classes = new Map();
  const count = { total: 0, labeled: 0, verified: 0, aside: 0, blind: 0, boxes: 0 };
  for (const row of rows) {
    if (!row) continue;
    count.total += 1;
    count.boxes += row.boxes;
    if (row.state === "aside") count.aside += 1;
    if (row.state === "labeled" || row.state === "verified") count.labeled += 1;
    if (row.state === "verified") count.verified += 1;
    if (row.blind) count.blind += 1;
    for (const name of row.classes) classes.set(name, (classes.get(name) ?? 0) + 1);
  }
  return { ...count, classes };
}

export class Images {
  /** @param {import("./store.js").Server} server @param {() => void} changed */
  constructor(server, changed) {
    this.server = server;
    this.changed = changed;
    /** @type {(Row|undefined)[]} */
    this.rows = [];
    /** Those of all labels that were read. @type {import("./store.js").Classes} */
    this.classes = { classes: [], moves: [] };
    /** @type {number[]} */
    this.shown = [];
    /** @type {Filter} */
    this.filter = { text: "", state: "all", label: "" };
    /** @type {Map<number, HTMLImageElement>} */
    this.pixels = new Map();
    /** The rows around the first image that is shown. @type {Promise<void>} */
    this.near = Promise.resolve();
    /** An image that is being opened, for which the list waits. @type {Promise<void>} */
    this.opening = Promise.resolve();
  }

  /** Load all rows, those around an image first. @param {number} near @param {number} total */
  async load(near, total) {
    this.rows.length = total;
    const first = Math.floor(near / CHUNK) * CHUNK;
    this.near = this.#fetch(first, CHUNK).then(() => this.#apply());
    await this.near;
    let shown = performance.now();
    for (let start = 0; start < total; start += STEP) {
      if (this.rows[start]) continue; // it is near
      await this.opening;
      await this.#fetch(start, STEP);
      if (performance.now() - shown < SHOWN_EVERY) continue;
      this.#apply();
      shown = performance.now();
    }
    this.#apply();
  }

  /** Read the row of an image again. @param {number} index */
  async refresh(index) {
    await this.#fetch(index, 1);
    this.#apply();
  }

  /** @param {number} start @param {number} count */
  async #fetch(start, count) {
    /** @type {{rows: Row[]} & import("./store.js").Classes} */
    const { rows, classes, moves } = await this.server.get(`/api/rows?start=${start}&count=${count}`);
    this.classes = { classes, moves };
    for (const row of rows) this.rows[row.index] = row;
  }

  /** The labels of an image were saved. @param {import("./edit.js").ImageLabels} image */
  saved(image) {
    const row = this.rows[image.index];
    if (!row) return;
    row.boxes = image.boxes.length;
    row.classes = [...new Set(image.boxes.map(({ label }) => label))];
    row.proposals = image.proposals.length;
    row.blind = image.blind;
    if (row.state !== "aside")
      row.state = image.verified ? "verified" : image.boxes.length ? "labeled" : "new";
    this.changed();
  }

  /** There are other proposals. @param {[number, number][]} counts index, and number of proposals */
  proposed(counts) {
    for (const [index, count] of counts) {
      const row = this.rows[index];
      if (row) row.proposals = count;
    }
    this.changed();
  }

  /** @param {Partial<Filter>} filter */
  choose(filter) {
    this.filter = { ...this.filter, ...filter };
    this.#apply();
  }

  #apply() {
    this.shown = filtered(this.rows, this.filter);
    this.changed();
  }

  /** Pixels of an image, decoded. @param {number} index @returns {Promise<HTMLImageElement>} */
  async picture(index) {
    const kept = this.pixels.get(index);
    const picture = kept ?? Object.assign(new Image(), { src: `/pixels/${index}`, alt: "", draggable: false });
    this.pixels.delete(index);
    this.pixels.set(index, picture); // the newest is last
    for (const old of [...this.pixels.keys()].slice(0, -AHEAD)) this.pixels.delete(old);
    try {
      await picture.decode();
    } catch (error) {
      this.pixels.delete(index); // tried again when it is asked for again
      throw error;
    }
    return picture;
  }

  /** Load pixels that are probably asked for next. @param {(number|null)[]} indices */
  ahead(indices) {
    for (const index of indices)
      if (index !== null && !this.pixels.has(index)) this.picture(index).catch(() => {});
  }
}
