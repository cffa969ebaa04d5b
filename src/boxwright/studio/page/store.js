// Talks to the server, and saves edits. An edit is never dropped: what cannot be saved stays here
// and is tried again.

/** @typedef {import("./edit.js").ImageLabels} ImageLabels */
/** @typedef {import("./edit.js").Box} Box */
/** @typedef {{boxes: Box[], verified: boolean}} Edit */

const AWAY = "The studio does not answer: is the command still running?";
const STRANGER = "This page is of an earlier studio: open the address that the terminal shows.";

/** What went wrong, in the server's words: a code, a sentence, and what to do. */
export class Problem extends Error {
  /** @param {number} status 0 if the server does not answer
   * @param {{code?: string, message?: string, remedy?: string, theirs?: ImageLabels}} told */
  constructor(status, told) {
    super(told.message ?? (status === 403 ? STRANGER : `The server answered ${status}`));
    this.status = status;
    this.code = told.code ?? "";
    this.remedy = told.remedy ?? "";
    this.theirs = told.theirs ?? null;
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
 * @typedef {object} Listener
 * @property {(image: ImageLabels, renamed: Map<string, string>, newer: boolean) => void} saved
 * @property {(mine: Edit|null, theirs: ImageLabels) => void} conflict another program wrote
 *    meanwhile; `resolve` goes on
 * @property {(problem: Problem, index: number) => void} failed
 * @property {() => void} changed how many are unsaved, or when the last one was saved
 */
/**
 * @typedef {object} Work
 * @property {string} etag
 * @property {Edit|null} edit the newest that is not saved
 * @property {Promise<void>|null} running
 * @property {ReturnType<typeof setTimeout>|null} timer
 * @property {boolean} stuck it could not be saved
 * @property {boolean} held it waits for the choice between two versions
 */

export class Saver {
  /** @type {Map<number, Work>} */
  #work = new Map();

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
    return this.#work.get(index)?.edit ?? null;
  }

  /** Whether an edit could not be saved. */
  get stuck() {
    return [...this.#work.values()].some((work) => work.stuck);
  }

  /** The labels of an image were read. @param {ImageLabels} image */
  opened(image) {
    const work = this.#work.get(image.index);
    if (work) work.etag = image.etag;
    else {
      const { index, etag } = image;
      this.#work.set(index, { etag, edit: null, running: null, timer: null, stuck: false, held: false });
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
    if (!work.edit) return true;
    if (work.held) return false;
    work.running = this.#save(index, work);
    await work.running;
    work.running = null;
    this.listener.changed();
    return work.edit && !work.stuck ? this.flush(index) : !work.stuck;
  }

  /** Save all images. */
  async flushAll() {
    const done = await Promise.all(this.unsaved.map((index) => this.flush(index)));
    return done.every(Boolean);
  }

  /** Undo or redo, after what is unsaved was saved.
   * @param {"undo"|"redo"} verb @param {number} index @returns {Promise<ImageLabels|null>} */
  async step(verb, index) {
    if (!(await this.flush(index))) return null;
    return this.exchange(index, (etag) => this.server.post(`/api/images/${index}/${verb}`, {}, etag));
  }

  /** A request that changes the labels of an image; its answer has the new etag.
   * @param {number} index @param {(etag: string) => Promise<ImageLabels|null>} request */
  async exchange(index, request) {
    const work = this.#of(index);
    while (work.running) await work.running;
    /** @type {ImageLabels|null} */
    let answer = null;
    work.running = (async () => {
      try {
        answer = await request(work.etag);
        if (answer) work.etag = answer.etag;
      } catch (error) {
        this.#failed(index, error, work, null);
      }
    })();
    await work.running;
    work.running = null;
    if (work.edit && !work.stuck) void this.flush(index);
    this.listener.changed();
    return /** @type {ImageLabels|null} */ (answer);
  }

  /** Go on after a conflict. @param {ImageLabels} theirs
   * @param {Edit|null} edit what to write; null leaves theirs */
  resolve(theirs, edit) {
    const work = this.#of(theirs.index);
    Object.assign(work, { etag: theirs.etag, edit, stuck: false, held: false });
    this.listener.changed();
    return this.flush(theirs.index);
  }

  /** @param {number} index */
  #of(index) {
    const work = this.#work.get(index);
    if (!work) throw new Error(`image ${index} was not read`);
    return work;
  }

  /** @param {number} index @param {Work} work */
  async #save(index, work) {
    const edit = /** @type {Edit} */ (work.edit);
    work.edit = null;
    try {
      /** @type {ImageLabels} */
      const image = await this.server.send("PUT", `/api/images/${index}`, edit, work.etag);
      work.etag = image.etag;
      work.stuck = false;
      this.savedAt = Date.now();
      const renamed = renames(edit.boxes, image.boxes);
      const newer = /** @type {Edit|null} */ (work.edit);
      if (newer) {
        const boxes = newer.boxes.map((box) => ({ ...box, key: renamed.get(box.key) ?? box.key }));
        work.edit = { ...newer, boxes };
      }
      this.listener.saved(image, renamed, newer !== null);
    } catch (error) {
      work.edit ??= edit;
      this.#failed(index, error, work, edit);
    }
  }

  /** @param {number} index @param {unknown} problem @param {Work} work @param {Edit|null} edit */
  #failed(index, problem, work, edit) {
    if (!(problem instanceof Problem)) throw problem;
    work.stuck = edit !== null;
    if (problem.status === 412 && problem.theirs) {
      work.held = edit !== null;
      this.listener.conflict(edit && work.edit, problem.theirs);
    } else this.listener.failed(problem, index);
  }
}

/** The keys that the server gave to boxes: it answers in the order in which they were sent.
 * @param {Box[]} sent @param {Box[]} answered @returns {Map<string, string>} */
export function renames(sent, answered) {
  if (sent.length !== answered.length) return new Map();
  return new Map(
    sent.map(({ key }, i) => /** @type {[string, string]} */ ([key, answered[i].key]))
      .filter(([before, after]) => before !== after),
  );
}
