// The parts put together. Data flows one way: the server's labels -> the editor -> edits -> saver
// -> the server; panels and the stage show what the editor has.

import { Aside } from "./aside.js";
import { AssistPanel } from "./assist.js";
import { chooseClass, manageClasses } from "./classes.js";
import { colorOf } from "../../web/page/colors.js";
import { settle } from "./conflict.js";
import { byId, some } from "../../web/page/dom.js";
import { Editor } from "./edit.js";
import { Finish } from "./finish.js";
import { Images, neighbor } from "./images.js";
import { Notices, showSaved } from "./notices.js";
import { BoxTable, ClassPanel, ImageList } from "./panels.js";
import { Review } from "./review.js";
import { Stage } from "./stage.js";
import { Problem, Saver } from "./store.js";
import { pressed, showTool } from "./toolbar.js";
import { ofToday } from "./versions.js";

/** @typedef {import("./edit.js").ImageLabels} ImageLabels */
/** @typedef {import("./store.js").Edit} Edit */
/** @typedef {import("./store.js").Folder} Folder */

const RETRY = 5000; // ms
const OVERTAKEN = "Another program changed these labels: this is what it wrote.";

export class Studio {
  /** @param {import("./store.js").Server} server @param {Folder} folder */
  constructor(server, folder) {
    this.server = server;
    this.folder = folder;
    this.classes = folder.classes;
    this.moves = folder.moves;
    this.view = "label";
    this.opening = 0;
    this.aside = new Aside(this);
    this.connected = true;
    this.notices = new Notices(byId("notices"));
    const color = (/** @type {string} */ label) => colorOf(Math.max(this.classes.indexOf(label), 0));
    this.color = color;
    this.editor = new Editor({
      edited: () => this.#edited(), changed: () => this.#changed(), nameless: () => void this.searchClass(),
    });
    this.editor.readOnly = folder.read_only;
    this.editor.label = this.#firstClass;
    this.stage = new Stage(byId("stage"), this.editor, color, showTool);
    this.saver = new Saver(server, {
      saved: (image, keys, newer) => this.#saved(image, keys, newer),
      replaced: (image, newer) => this.#replaced(image, newer),
      overtaken: (theirs) => this.#overtaken(theirs),
      conflict: (theirs) => void this.#conflict(theirs),
      failed: (problem, index) => this.#failed(problem, index),
      classes: (classes) => this.#renamed(classes),
      changed: () => this.#saving(),
    });
    this.saver.rename(folder.moves);
    this.images = new Images(server, () => this.#listed());
    this.list = new ImageList(byId("images"), this.images, (index) => void this.open(index));
    this.classPanel = new ClassPanel(byId("classes"), {
      choose: folder.read_only ? null : (name, lock) => this.editor.name(name, lock),
      search: () => void this.searchClass(), manage: () => this.manage(),
    });
    this.table = new BoxTable(byId("boxes"), this.editor, { holds: new Set(folder.holds), color });
    this.assist = new AssistPanel(byId("assist"));
    this.assist.show(folder.assist);
    this.review = new Review({ list: byId("findings"), bar: byId("review-bar") }, server, {
      show: (finding) => void this.#found(finding),
      name: (index) => this.images.rows[index]?.name ?? `image ${index}`,
      failed: (error) => this.failed(error),
    });
    this.finish = new Finish(server, folder.targets ?? [], color);
    /** Classes and in how many images each is. @type {Map<string, number>} */
    this.counts = new Map();
    this.list.classes(this.classes);
    setInterval(() => {
      if (this.saver.stuck && !document.querySelector("dialog")) void this.saver.flushAll();
    }, RETRY);
  }

  /** @returns {number|null} */
  get index() {
    return this.editor.image?.index ?? null;
  }

  /** The class of new boxes, until one is chosen. */
  get #firstClass() {
    return this.folder.read_only ? null : this.classes[0] ?? null;
  }

  /** Open an image: its labels and pixels come together. @param {number} index */
  open(index) {
    this.images.opening = this.#open(index);
    return this.images.opening;
  }

  /** @param {number} index */
  async #open(index) {
    const turn = (this.opening += 1);
    this.aside.last = null;
    if (this.index !== null) void this.saver.flush(this.index);
    this.list.select(index);
    try {
      await this.saver.flush(index); // from an earlier visit
      const [image, picture] = await Promise.all([
        this.#read(index), this.images.picture(index).catch(() => null)]);
      if (turn !== this.opening) return;
      const unsaved = this.saver.pending(index);
      if (!unsaved) this.saver.opened(image);
      this.editor.open(unsaved ? { ...image, ...unsaved } : image);
      if (!this.editor.labelLocked && !this.editor.label) this.editor.label = this.#firstClass;
      if (picture) this.stage.show(picture);
      else {
        this.stage.clear();
        this.notices.say(`The pixels of ${image.name} cannot be shown.`);
      }
    } catch (error) {
      if (turn !== this.opening) return;
      this.editor.close();
      this.stage.clear();
      this.failed(error);
      return;
    }
    document.body.dataset.open = String(index); // shown from the next frame on
    // Only where to begin next time.
    if (!this.folder.read_only) this.server.post("/api/current", { index }).catch(() => {});
    this.images.ahead([this.#neighbor(1), this.#neighbor(-1)]);
  }

  /** @param {1|-1} step */
  #neighbor(step) {
    return neighbor(this.images.shown, this.list.current ?? 0, step);
  }

  /** @param {1|-1} step */
  async go(step) {
    if (this.view === "review") {
      this.review.step(step);
      return;
    }
    await this.images.near; // a key may come before the list
    const next = this.#neighbor(step);
    if (next === null) this.notices.say(step > 0 ? "This is the last image shown." : "This is the first image shown.");
    else await this.open(next);
  }

  /** Go to the next image that wants labels. @param {"unlabeled"|"queue"} kind */
  async goNext(kind) {
    try {
      if (this.index !== null) await this.saver.flush(this.index);
      const { index } = await this.server.get(`/api/next?after=${this.list.current ?? 0}&kind=${kind}`);
      if (index === null) this.notices.say("Every image has labels.", "Review the findings next.");
      else await this.open(index);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Accept all proposals, or a finding, and go on. */
  async accept() {
    if (this.view === "review") this.review.accept();
    else {
      this.editor.acceptAll();
      await this.goNext("queue");
    }
  }

  /** The next image, with copies of these boxes. */
  async keepBoxes() {
    const next = this.#neighbor(1);
    if (next === null) return;
    await this.open(next);
    if (this.index === next) this.editor.pasteLast();
  }

  /** @param {"undo"|"redo"} verb */
  async step(verb) {
    const { index } = this;
    if (index === null) return;
    if (verb === "undo" && this.aside.last !== null) await this.aside.takeBack(this.aside.last);
    else if ((await this.saver.step(verb, index)) === null) this.notices.say(`Nothing to ${verb} on this image.`);
  }

  /** Search a class, for the box that waits, else for the selected one. */
  async searchClass() {
    const name = await chooseClass(this.classes, this.color);
    this.stage.element.focus();
    if (name === null) {
      this.editor.dropDraft();
      return;
    }
    try {
      if (!this.classes.includes(name))
        this.#classes((await this.server.post("/api/classes", { action: "add", name })).classes);
      this.editor.name(name);
    } catch (error) {
      this.editor.dropDraft();
      this.failed(error);
    }
  }

  async manage() {
    await this.saver.flushAll();
    manageClasses(this.server, () => this.classes, (change) => this.#renamed(change));
  }

  /** Classes are others, by this page or another one. @param {import("./store.js").Classes} told */
  #renamed({ classes, moves }) {
    const known = this.moves.length;
    const isNew = moves.length > known;
    if (!isNew && (moves.length < known || classes.length <= this.classes.length)) return; // told late
    this.moves = moves;
    this.#classes(classes);
    if (!isNew) return;
    this.saver.rename(moves);
    this.editor.rename(moves, known, this.#firstClass);
    void this.saver.flushAll();
    void this.images.load(this.index ?? 0, this.images.rows.length).catch((error) => this.failed(error));
    if (this.index !== null) void this.#refresh(this.index);
  }

  /** Read the labels of an image, and the classes if they are others by now. @param {number} index
   * @returns {Promise<ImageLabels>} */
  async #read(index) {
    const image = await this.server.get(`/api/images/${index}`);
    if (image.moves > this.moves.length) this.#renamed(await this.server.get("/api/rows?count=0"));
    return ofToday(image, this.moves);
  }

  /** Show the labels of the open image as the server has them, unless they are edited here.
   * @param {number} index @returns {Promise<ImageLabels|null>} null if they are not shown */
  async #refresh(index) {
    const before = this.editor.image;
    try {
      const image = await this.#read(index);
      if (this.editor.image !== before || this.saver.unsaved.includes(index)) return null; // or it is newer here
      this.saver.opened(image);
      this.#replaced(image, null);
      return image;
    } catch (error) {
      this.failed(error);
      return null;
    }
  }

  /** @param {string[]} names */
  #classes(names) {
    this.classes = names;
    this.list.classes(names);
    this.#changed();
  }

  /** @param {"label"|"review"|"finish"} view */
  show(view) {
    this.view = document.body.dataset.view = view;
    for (const button of document.querySelectorAll("nav button"))
      button.setAttribute("aria-current", button.getAttribute("data-action") === `go-${view}` ? "page" : "false");
    this.stage.marked = [];
    if (view === "review") void this.saver.flushAll().then(() => this.review.load());
    this.#changed();
  }

  /** @param {import("./review.js").Finding|null} finding */
  async #found(finding) {
    this.stage.marked = finding?.boxes ?? [];
    if (finding && finding.index !== null) {
      await this.open(finding.index);
      if (this.review.finding === finding && finding.boxes.length) this.editor.selectLike(finding.boxes[0]);
    }
    this.stage.redraw();
  }

  /** An event of the server. @param {string} kind @param {any} data */
  hear(kind, data) {
    switch (kind) {
      case "training": this.assist.show(data); break;
      case "quality": this.assist.line(data.points); break;
      case "finish": this.finish.hear(data); break;
      case "problem": this.notices.keep(data.code, data); break;
      case "proposals":
        this.images.proposed(data.counts);
        break;
      case "classes": this.#renamed(data); break;
      case "image": void this.#changedElsewhere(data); break;
    }
  }

  /** @param {{index: number, etag: string, proposals?: string[]}} told its proposals, if a page changed it */
  async #changedElsewhere({ index, etag, proposals }) {
    if (this.saver.unsaved.includes(index)) return; // saving finds out, and asks
    if (index === this.index && this.editor.isAt(etag, proposals)) return; // it was this page
    try {
      await this.images.refresh(index);
    } catch (error) {
      this.failed(error);
      return;
    }
    if (index === this.index && (await this.#refresh(index))) this.notices.say(OVERTAKEN);
  }

  /** @param {boolean} connected */
  connection(connected) {
    this.connected = connected;
    if (connected) this.notices.over("away");
    this.#saving();
  }

  /** @param {unknown} error */
  failed(error) {
    if (error instanceof Problem) this.#failed(error, -1);
    else throw error;
  }

  /** @param {Problem} problem @param {number} index */
  #failed(problem, index) {
    const { message, remedy, code } = problem;
    const kept = this.saver.pending(index) ? "Your edits are kept here, and saving is tried again." : "";
    const id = problem.status === 0 ? "away" : index < 0 ? code || message : "saving";
    this.notices.keep(id, { message, code, remedy: [remedy, kept].filter(Boolean).join(" ") });
  }

  #edited() {
    const { image, boxes, verified, settled } = this.editor;
    if (!image) return;
    this.aside.last = null;
    this.saver.edit(image.index, { boxes, verified, settled });
    if (this.view === "review") this.review.corrected(image.index);
  }

  /** @param {ImageLabels} image @param {Map<string, string>} keys @param {Edit|null} newer */
  #saved(image, keys, newer) {
    if (image.index === this.index) this.editor.saved({ ...image, ...newer }, keys);
    this.images.saved(image);
    this.notices.over("away");
    if (!this.saver.stuck) this.notices.over("saving");
  }

  /** @param {ImageLabels} image @param {Edit|null} newer */
  #replaced(image, newer) {
    if (image.index === this.index) this.editor.reload({ ...image, ...newer });
    this.images.saved(image);
  }

  /** @param {ImageLabels} theirs */
  #overtaken(theirs) {
    this.#replaced(theirs, null);
    this.notices.say(OVERTAKEN);
  }

  /** @param {ImageLabels} theirs */
  async #conflict(theirs) {
    const picture = await this.images.picture(theirs.index).catch(() => null);
    const mine = this.saver.pending(theirs.index);
    if (!mine) return;
    await this.saver.resolve(theirs, await settle(mine, theirs, picture, this.color));
    await this.images.refresh(theirs.index);
  }

  #saving() {
    showSaved(byId("saved"), this.saver, this.connected);
  }

  #listed() {
    if (!this.list) return; // while it is built
    this.counts = this.list.update().classes;
    this.#renamed(this.images.classes);
    this.#changed();
  }

  /** What is shown of the editor, after a change of it. */
  #changed() {
    if (!this.table) return; // while it is built
    const { editor, stage } = this;
    const { image } = editor;
    stage.redraw();
    this.table.update(this.classes);
    this.classPanel.update(this.classes, editor, this.counts, this.color);
    byId("name").textContent = image?.name ?? "\u00a0";
    byId("notes").textContent = image ? [
      `${image.width} × ${image.height}`, some(editor.boxes.length, "box", "boxes"), editor.verified && "verified",
    ].filter(Boolean).join(" · ") : "";
    byId("blind").hidden = !image?.blind;
    const count = editor.proposals.length;
    byId("offer").hidden = !count;
    byId("offer").firstElementChild.textContent =
      `${some(count, "proposal")}: a drag makes one yours, Backspace rejects it, Enter accepts all`;
    pressed("verify", editor.verified);
    pressed("hide", editor.hidden);
  }
}
