// Talks to the server, and saves edits. An edit is never dropped: what cannot be saved stays here
// and is tried again.

import { both, carried, counterparts, inClassesOfToday, isLike, ofToday, over, stored } from "./versions.js";

/** @typedef {import("./edit.js").ImageLabels} ImageLabels */
/** @typedef {import("./edit.js").Box} Box */
/**
 * What the labels shall be.
 * @typedef {object} Edit
 * @property {Box[]} boxes
 * @property {boolean} verified
 * @property {string[]} settled keys of proposals that are boxes now, or were rejected
 */
/** The names, and all that was done to them. @typedef {{classes: string[], moves: Move[]}} Classes */
/** @typedef {import("./versions.js").Move} Move */
/** @typedef {"mine"|"theirs"|"both"} Choice between two versions */
/**
 * What the server says about the folder.
 * @typedef {object} Folder
 * @property {string} name
 * @property {string} format
 * @property {string[]} holds
 * @property {boolean} read_only the labels are only shown
 * @property {string[]} classes
 * @property {Move[]} moves what was done to classes
 * @property {number} images
 * @property {number|null} current
 * @property {string} keys
 * @property {Record<string, string[]>} [own_keys] of the user's file
 * @property {string[]} [targets]
 * @property {import("./assist.js").Training} assist
 */

const AWAY = "The studio does not answer: is the command still running?";
const STRANGER = "This page is of an earlier studio: open the address that the terminal shows.";

/** What went wrong, in the server's words: a code, a sentence, and what to do. */
export class Problem extends Error {
  /** @param {number} status 0 if the server does not answer
   * @param {{code?: string, message?: string, remedy?: string, theirs?: ImageLabels} & Partial<Classes>} told */
  constructor(status, told) {
    super(told.message ?? (status === 403 ? STRANGER : `The server answered ${status}`));
    this.status = status;
    this.code = told.code ?? "";
    this.remedy = told.remedy ?? "";
    this.theirs = told.theirs ?? null;
    this.classes = told.classes && told.moves ? { classes: told.classes, moves: told.moves } : null;
  }
}

export class Server {
  /** @param {typeof fetch} fetcher */
  constructor(fetcher) {
    this.fetcher = fetcher;
  }

  /** @param {string} path */
  get(path) {
    return this.send("GET", path);
  }

  /** @param {string} path @param {unknown} [body] @param {string} [etag] */
  post(path, body = {}, etag) {
    return this.send("POST", path, body, etag);
  }

  /** @param {string} method @param {string} path @param {unknown} [body] JSON, or a file as it is
   * @param {string} [etag] @returns {Promise<any>} null if the answer has no content */
  async send(method, path, body, etag) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (method !== "GET") headers["X-Boxwright"] = "1";
    if (etag !== undefined) headers["If-Match"] = etag;
    const isFile = body instanceof Blob;
    if (body !== undefined && !isFile) headers["Content-Type"] = "application/json";
    const content = body === undefined || isFile ? body : JSON.stringify(body);
    const options = { method, headers, body: /** @type {BodyInit|undefined} */ (content) };
    const response = await this.fetcher(path, options).catch(() => {
      throw new Problem(0, { message: AWAY });
    });
    if (response.status === 204) return null;
    const told = await response.json().catch(() => ({}));
    if (!response.ok) throw new Problem(response.status, told);
    return told;
  }
}

/**
 * What becomes of the labels of an image. `newer` is what was edited meanwhile, in keys of the answer.
 * @typedef {object} Listener
 * @property {(image: ImageLabels, keys: Map<string, string>, newer: Edit|null) => void} saved an edit
 *    is on disk; `keys` are those that its boxes got
 * @property {(image: ImageLabels, newer: Edit|null) => void} replaced by others, such as by undo
 * @property {(theirs: ImageLabels) => void} overtaken by another program, while nothing was edited here
 * @property {(theirs: ImageLabels) => void} conflict another program wrote meanwhile; `resolve` goes on
 * @property {(problem: Problem, index: number) => void} failed
 * @property {(classes: Classes) => void} classes the server has other ones; `rename` goes on
 * @property {() => void} changed how many are unsaved, or when the last one was saved
 */
/**
 * @typedef {object} Work
 * @property {ImageLabels} image the labels on disk, as they were last heard of
 * @property {Edit|null} edit the newest that is not saved
 * @property {Edit|null} sent the one that is being saved
 * @property {Promise<unknown>|null} running
 * @property {ReturnType<typeof setTimeout>|null} timer
 * @property {boolean} stuck it could not be saved
 * @property {boolean} held it waits for the choice between two versions
 */

export class Saver {
  /** @type {Map<number, Work>} */
  #work = new Map();

  /** What was done to classes. @type {Move[]} */
  #moves = [];

  /** @param {Server} server @param {Listener} listener @param {number} [delay] ms in which edits
   *    become one, such as those of a key that is held down */
  constructor(server, listener, delay = 200) {
    this.server = server;
    this.listener = listener;
    this.delay = delay;
    /** When the last edit was saved, in ms. @type {number|null} */
    this.savedAt = null;
  }

  /** Indices of images with edits that are not on disk. */
  get unsaved() {
    return [...this.#work].filter(([, work]) => work.edit || work.running).map(([index]) => index);
  }

  /** The edit of an image that is not on disk. @param {number} index @returns {Edit|null} */
  pending(index) {
    const work = this.#work.get(index);
    return work?.edit ?? work?.sent ?? null;
  }

  /** Whether an edit could not be saved. */
  get stuck() {
    return [...this.#work.values()].some((work) => work.stuck);
  }

  /** The labels of an image were read. @param {ImageLabels} image */
  opened(image) {
    const work = this.#work.get(image.index);
    if (work) work.image = image;
    else
      this.#work.set(image.index,
        { image, edit: null, sent: null, running: null, timer: null, stuck: false, held: false });
  }

  /** Classes were renamed, merged or deleted. @param {Move[]} moves all */
  rename(moves) {
    this.#moves = moves;
    for (const work of this.#work.values()) {
      work.edit &&= { ...work.edit, boxes: inClassesOfToday(work.edit.boxes, work.image, moves) };
      work.image = ofToday(work.image, moves);
    }
  }

  /** Save an edit soon; one that comes before replaces it. @param {number} index @param {Edit} edit */
  edit(index, edit) {
    const work = this.#of(index);
    work.edit = edit;
    if (work.timer === null && !work.running)
      work.timer = setTimeout(() => void this.flush(index), this.delay);
    this.listener.changed();
  }

  /** Save what is unsaved of an image now.
   * @param {number} index @returns {Promise<boolean>} whether all of it is on disk */
  async flush(index) {
    const work = this.#work.get(index);
    if (!work) return true;
    if (work.timer !== null) clearTimeout(work.timer);
    work.timer = null;
    while (work.running) await work.running;
    const { edit } = work;
    if (!edit) return true;
    if (work.held) return false;
    await this.#exchange(work, edit, (etag) => this.server.send("PUT", `/api/images/${index}`, edit, etag),
      (image, base) => {
        this.savedAt = Date.now();
        return stored(base.boxes, image.boxes);
      });
    return work.edit && !work.stuck ? this.flush(index) : !work.stuck;
  }

  /** Save all images. */
  async flushAll() {
    const done = await Promise.all(this.unsaved.map((index) => this.flush(index)));
    return done.every(Boolean);
  }

  /** Undo or redo, after what is unsaved was saved. @param {"undo"|"redo"} verb @param {number} index
   * @returns {Promise<ImageLabels|null|undefined>} null if there is no such version, undefined if
   *    it failed, which the listener hears */
  async step(verb, index) {
    if (!(await this.flush(index))) return undefined;
    return this.#replace(index, null, (etag) => this.server.post(`/api/images/${index}/${verb}`, {}, etag));
  }

  /** Go on after a conflict. The version that is not chosen is in the history: undo brings it back.
   * @param {ImageLabels} theirs @param {Choice} choice */
  async resolve(theirs, choice) {
    const { index, etag } = theirs;
    const work = this.#of(index);
    work.held = false;
    if (!work.edit) return;
    const mine = over(work.edit, work.image.boxes, theirs.boxes);
    if (choice === "theirs") {
      await this.#replace(index, work.edit, () => this.server.post(`/api/images/${index}/history`, mine, etag));
      return;
    }
    Object.assign(work, { image: theirs, edit: choice === "both" ? both(mine, theirs) : mine });
    this.listener.replaced(theirs, work.edit);
    await this.flush(index);
  }

  /** @param {number} index */
  #of(index) {
    const work = this.#work.get(index);
    if (!work) throw new Error(`image ${index} was not read`);
    return work;
  }

  /** A request after which the labels are others than those that are edited here.
   * @param {number} index @param {Edit|null} edit
   * @param {(etag: string) => Promise<ImageLabels|null>} request */
  async #replace(index, edit, request) {
    const work = this.#of(index);
    const answer = await this.#exchange(work, edit, request);
    if (work.edit && !work.stuck) void this.flush(index);
    return answer;
  }

  /** Send a request that changes the labels of an image. What is edited meanwhile is carried over
   * to the labels of the answer.
   * @param {Work} work @param {Edit|null} edit what the request does away with; it stays if that fails
   * @param {(etag: string) => Promise<ImageLabels|null>} request
   * @param {(image: ImageLabels, base: ImageLabels) => Map<string, string>} [saved] the edit is on
   *    disk; returns the keys that its boxes have now
   * @returns {Promise<ImageLabels|null|undefined>} undefined if it failed */
  async #exchange(work, edit, request, saved) {
    while (work.running) await work.running;
    work.sent = edit;
    if (edit) work.edit = null;
    const run = async () => {
      const before = work.image;
      const base = { ...before, ...edit };
      try {
        const answer = await request(before.etag);
        if (!answer) return null;
        const keys = saved ? saved(answer, base) : counterparts(base.boxes, answer.boxes);
        const image = ofToday(answer, this.#moves);
        Object.assign(work, { image, sent: null, stuck: false });
        work.edit &&= carried(work.edit, ofToday(base, this.#moves), image, keys);
        if (saved) this.listener.saved(image, keys, work.edit);
        else this.listener.replaced(image, work.edit);
        return image;
      } catch (error) {
        const boxes = edit && inClassesOfToday(edit.boxes, before, this.#moves);
        this.#failed(work, edit && boxes && { ...edit, boxes }, error);
        return undefined;
      }
    };
    const running = run();
    work.running = running;
    this.listener.changed();
    try {
      return await running;
    } finally {
      work.running = null;
      this.listener.changed();
    }
  }

  /** Whether an edit can be carried over to labels that are others by now, and nobody need be asked.
   * @param {Edit} edit @param {ImageLabels} base @param {ImageLabels} theirs */
  #isHarmless(edit, base, theirs) {
    const gone = new Set(this.#moves.flatMap(([name, to]) => (to === null ? [name] : [])));
    return theirs.etag !== base.etag && isLike(base.boxes, theirs.boxes)
      && !edit.boxes.some(({ label }) => gone.has(label));
  }

  /** @param {Work} work @param {Edit|null} edit @param {unknown} problem */
  #failed(work, edit, problem) {
    work.edit ??= edit;
    work.sent = null;
    work.stuck = edit !== null;
    if (!(problem instanceof Problem)) throw problem;
    const { theirs, classes } = problem;
    if (classes && classes.moves.length > this.#moves.length) this.listener.classes(classes);
    if (problem.status !== 412 || !theirs) this.listener.failed(problem, work.image.index);
    else if (work.edit && this.#isHarmless(work.edit, work.image, theirs)) {
      work.edit = carried(work.edit, work.image, theirs, stored(work.image.boxes, theirs.boxes));
      Object.assign(work, { image: theirs, stuck: false }); // it is sent again
      this.listener.replaced(theirs, work.edit);
    } else if (edit) {
      work.held = true;
      this.listener.conflict(theirs);
    } else if (!work.edit) { // else saving what was edited meanwhile finds out
      work.image = theirs;
      this.listener.overtaken(theirs);
    }
  }
}
